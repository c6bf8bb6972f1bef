#include "host/sandbox/sandbox_tiles.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "host/sandbox/guard.h"
#include "host/sandbox/reservation.h"
#include "host/sandbox/zero.h"
#include "kernel/memory_map.h"
#include "translated/kernel.h"
#include "translated/saboteur.h"

// --- What saboteur.wasm imports ---

struct w2c_env {
    wasm_rt_memory_t* memory;
};

extern "C" wasm_rt_memory_t* w2c_env_memory(w2c_env* env) { return env->memory; }

namespace rvf::sandbox {
namespace {

/// Calls `function` on a saboteur of this memory.
template <auto kFunction>
Outcome sabotaged(const Watchdog& watchdog, wasm_rt_memory_t& memory) {
    w2c_env env{&memory};
    w2c_saboteur saboteur{};
    wasm2c_saboteur_instantiate(&saboteur, &env);
    return guarded(
        watchdog, memory.data,
        [](void* instance) { kFunction(static_cast<w2c_saboteur*>(instance)); }, &saboteur);
}

} // namespace

struct SandboxTiles::Instance {
    w2c_kernel* module = nullptr; ///< the begin of its reservation; null when not started
    int refused = 0;              ///< errno of the last start
};

// So the memory of an instance is the end of it, and its reservation begins with the instance.
static_assert(sizeof(w2c_kernel) == sizeof(wasm_rt_memory_t));

SandboxTiles::SandboxTiles(uint32_t tiles, std::chrono::milliseconds deadline)
    : count_(tiles), instances_(std::make_unique<Instance[]>(tiles)), watchdog_(deadline) {
    install_handlers();
}

SandboxTiles::~SandboxTiles() {
    for (uint32_t tile = 0; tile < count_; ++tile) stop(tile);
}

bool SandboxTiles::start(uint32_t tile) {
    Instance& instance = instances_[tile];
    if (instance.module) {
        clear(instance.module->w2c_memory);
    } else {
        wasm_rt_memory_t* memory = reserve();
        instance.refused = memory ? 0 : errno;
        if (!memory) return false;
        instance.module = reinterpret_cast<w2c_kernel*>(memory);
    }
    wasm2c_kernel_instantiate(instance.module);
    return true;
}

void SandboxTiles::stop(uint32_t tile) {
    Instance& instance = instances_[tile];
    if (instance.module) release(&instance.module->w2c_memory);
    instance.module = nullptr;
}

w2c_kernel& SandboxTiles::started(uint32_t tile) const {
    if (tile >= count_ || !instances_[tile].module) {
        fprintf(stderr, "Tile %u of %u is used but not started.\n", tile, count_);
        abort();
    }
    return *instances_[tile].module;
}

Outcome SandboxTiles::ring(uint32_t tile) {
    w2c_kernel& module = started(tile);
    return guarded(
        watchdog_, module.w2c_memory.data,
        [](void* instance) { w2c_kernel_0x5Fstart(static_cast<w2c_kernel*>(instance)); }, &module);
}

Outcome SandboxTiles::sabotage(uint32_t tile, Sabotage what) {
    wasm_rt_memory_t& memory = started(tile).w2c_memory;
    switch (what) {
        case Sabotage::kOutOfBounds:
            return sabotaged<w2c_saboteur_out_of_bounds>(watchdog_, memory);
        case Sabotage::kUnreachable:
            return sabotaged<w2c_saboteur_unreachable>(watchdog_, memory);
        case Sabotage::kExhaustStack:
            return sabotaged<w2c_saboteur_exhaust_stack>(watchdog_, memory);
        case Sabotage::kLoopForever:
            return sabotaged<w2c_saboteur_loop_forever>(watchdog_, memory);
        case Sabotage::kWriteRedZone:
            return sabotaged<w2c_saboteur_write_red_zone>(watchdog_, memory);
    }
    __builtin_unreachable();
}

void SandboxTiles::read(uint32_t tile, uint32_t address, void* out, uint32_t bytes) {
    memcpy(out, started(tile).w2c_memory.data + address, bytes);
}

void SandboxTiles::write(uint32_t tile, uint32_t address, const void* from, uint32_t bytes) {
    memcpy(started(tile).w2c_memory.data + address, from, bytes);
}

bool SandboxTiles::red_zone_is_zero(uint32_t tile) {
    return is_zero(started(tile).w2c_memory.data + tile::kDataEnd, tile::kScratch - tile::kDataEnd);
}

std::string SandboxTiles::error(uint32_t tile) const {
    std::ostringstream text;
    text << "The system refuses the memory of tile " << tile << " ("
         << strerror(instances_[tile].refused) << "). " << count_ << " tiles need "
         << count_ * (kReservedBytes >> 30) << " GiB of address space, of which 128 KiB each are "
         << "used, and " << 2 * count_
         << " memory mappings. Look at `ulimit -v` and at `sysctl vm.max_map_count`, or use fewer "
            "tiles.";
    return text.str();
}

template <typename Export, typename... Arguments>
Answer SandboxTiles::call(uint32_t tile, Export export_function, Arguments... arguments) {
    w2c_kernel& module = started(tile);
    auto run = [&] { return export_function(&module, arguments...); };
    struct Call {
        decltype(run)& function;
        uint32_t answer;
    } call{run, 0};
    Outcome outcome = guarded(
        watchdog_, module.w2c_memory.data,
        [](void* context) {
            auto* this_call = static_cast<Call*>(context);
            this_call->answer = this_call->function();
        },
        &call);
    return {outcome, static_cast<int32_t>(call.answer)};
}

Answer SandboxTiles::load_query(uint32_t tile, uint32_t query, uint32_t dimension) {
    return call(tile, w2c_kernel_rvf_load_query, query, dimension);
}

Answer SandboxTiles::load_block(uint32_t tile, uint32_t block, uint32_t count, uint32_t dtype) {
    return call(tile, w2c_kernel_rvf_load_block, block, count, dtype);
}

Answer SandboxTiles::load_sq_params(uint32_t tile, uint32_t params, uint32_t dimension) {
    return call(tile, w2c_kernel_rvf_load_sq_params, params, dimension);
}

Answer SandboxTiles::distances(uint32_t tile, uint32_t metric, uint32_t result) {
    return call(tile, w2c_kernel_rvf_distances, metric, result);
}

} // namespace rvf::sandbox
