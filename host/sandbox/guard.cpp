#include "host/sandbox/guard.h"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>

#include "host/sandbox/reservation.h"
#include "host/sandbox/thread_run.h"
#include "host/sandbox/wasm-rt.h"

namespace rvf::sandbox {
namespace {

// Constant-initialized: signal handlers may touch it on any thread, also before its first run.
constinit thread_local ThreadRun run{};

struct Handled {
    int signal;
    struct sigaction before;
};
Handled handled[] = {{SIGSEGV, {}}, {SIGBUS, {}}, {kDeadlineSignal, {}}};

/// Handlers run on a stack of their own: the fault to pass on may be that the thread's is full.
class SignalStack {
public:
    SignalStack() {
        stack_t present;
        if (sigaltstack(nullptr, &present) == 0 && !(present.ss_flags & SS_DISABLE)) return;
        memory_ = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED) return;
        stack_t ours{};
        ours.ss_sp = memory_;
        ours.ss_size = kBytes;
        sigaltstack(&ours, nullptr);
    }
    ~SignalStack() {
        if (memory_ == MAP_FAILED) return;
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        sigaltstack(&none, nullptr);
        munmap(memory_, kBytes);
    }
    SignalStack(const SignalStack&) = delete;
    SignalStack& operator=(const SignalStack&) = delete;

private:
    static constexpr size_t kBytes = 0x10000;
    void* memory_ = MAP_FAILED;
};

/// A thread's place in the list, from its first run to its end.
class Listed {
public:
    Listed() {
        run.thread = pthread_self();
        pthread_getcpuclockid(run.thread, &run.clock);
        ThreadList& threads = thread_list();
        std::lock_guard held(threads.lock);
        run.next = threads.first;
        threads.first = &run;
    }
    ~Listed() {
        ThreadList& threads = thread_list();
        std::lock_guard held(threads.lock);
        ThreadRun** link = &threads.first;
        while (*link != &run) link = &(*link)->next;
        *link = run.next;
    }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

private:
    SignalStack stack_;
};

uint64_t sequence() { return run.sequence.load(std::memory_order_relaxed); }

bool running() { return sequence() % 2 == 1; }

void count() { run.sequence.store(sequence() + 1, std::memory_order_release); }

/// The run is over first: a second signal on the way out must not jump too, least of all while
/// AddressSanitizer looks at the stack that is left, with a lock held.
[[noreturn]] void leave(Outcome outcome) {
    count();
    siglongjmp(run.back, static_cast<int>(outcome));
}

/// What would have happened without us.
void pass_on(int signal, siginfo_t* info, void* context) {
    for (const Handled& each : handled) {
        if (each.signal != signal) continue;
        const struct sigaction& before = each.before;
        if (before.sa_flags & SA_SIGINFO) return before.sa_sigaction(signal, info, context);
        if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
            return before.sa_handler(signal);
        }
        if (signal == kDeadlineSignal) return;
        // Returning executes the faulting instruction again; a signal that was sent is sent again.
        sigaction(signal, &before, nullptr);
        if (info->si_code <= 0) raise(signal);
    }
}

void on_fault(int signal, siginfo_t* info, void* context) {
    auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    auto begin = reinterpret_cast<uintptr_t>(run.memory);
    if (running() && info->si_code > 0 && address - begin < kReachableBytes) {
        leave(Outcome::kOutOfBounds);
    }
    pass_on(signal, info, context);
}

void on_deadline(int signal, siginfo_t* info, void* context) {
    uint64_t call = run.called.load(std::memory_order_acquire);
    if (!running() || run_of(call) != sequence()) return pass_on(signal, info, context);
    if (number_of(call) == kLastCall) leave(Outcome::kDeadline);
    run.answered.store(call, std::memory_order_release);
}

} // namespace

ThreadList& thread_list() {
    // Never destroyed: threads may end after the static objects.
    static ThreadList& list = *new ThreadList;
    return list;
}

void install_handlers() {
    static std::once_flag once;
    std::call_once(once, [] {
        for (Handled& each : handled) {
            bool deadline = each.signal == kDeadlineSignal;
            struct sigaction action{};
            action.sa_sigaction = deadline ? on_deadline : on_fault;
            // A fault does not block itself, so jumping out of its handler need not restore the
            // signal mask, and sigsetjmp need not save it: that would be a system call per run.
            // Deadlines do, lest a storm of them fill the stack; guarded() unblocks them.
            action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | (deadline ? 0 : SA_NODEFER);
            sigemptyset(&action.sa_mask);
            sigaction(each.signal, &action, &each.before);
        }
    });
}

Outcome guarded(const Watchdog& watchdog, const uint8_t* memory, void (*enter)(void*),
                void* instance) {
    thread_local Listed listed;
    run.memory = memory;
    run.watchdog.store(&watchdog, std::memory_order_relaxed);
    wasm_rt_call_stack_depth = 0;
    auto outcome = static_cast<Outcome>(sigsetjmp(run.back, 0));
    if (outcome == Outcome::kReturned) {
        count();
        enter(instance);
        count();
    } else if (outcome == Outcome::kDeadline) {
        sigset_t deadline;
        sigemptyset(&deadline);
        sigaddset(&deadline, kDeadlineSignal);
        pthread_sigmask(SIG_UNBLOCK, &deadline, nullptr);
    }
    return outcome;
}

} // namespace rvf::sandbox

// --- What translated code calls (wasm-rt.h) ---

extern "C" {

__thread uint32_t wasm_rt_call_stack_depth = 0;

bool wasm_rt_is_initialized() { return true; }

void wasm_rt_trap(wasm_rt_trap_t trap) {
    using rvf::sandbox::leave;
    using rvf::sim::Outcome;
    if (!rvf::sandbox::running()) abort();
    if (trap == WASM_RT_TRAP_OOB) leave(Outcome::kOutOfBounds);
    if (trap == WASM_RT_TRAP_EXHAUSTION) leave(Outcome::kStackExhausted);
    leave(Outcome::kUnreachable);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t*, uint64_t, uint64_t, bool, uint32_t) {}

void wasm_rt_free_memory(wasm_rt_memory_t*) {}
}
