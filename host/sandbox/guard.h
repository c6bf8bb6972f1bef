// Runs translated WebAssembly on the calling thread and catches whatever ends it early.
//
// A run ends early by a trap that the code itself raises (wasm_rt_trap), by a fault on a guard page
// (SIGSEGV or SIGBUS at an address inside the reservation of the very tile that this thread runs)
// or by the watchdog (SIGURG). All three jump back out of the translated code, which owns nothing
// that would have to be released. Every other fault is passed on to the action that was installed
// before, so that it ends the process as usual.
#pragma once

#include <cstdint>

#include "host/hub/tiles.h"

namespace rvf::sandbox {

using sim::Outcome;

class Watchdog;

/// Installs the signal handlers of this process, once. Handlers installed later hide them.
void install_handlers();

/// Calls enter(instance), which works on the linear memory at `memory` (reservation.h). Traps other
/// than out of bounds and exhausted stack count as unreachable: they are an instruction that must
/// not be executed with these operands. Does not nest. Any thread; needs 1,000 frames of translated
/// code on its stack.
Outcome guarded(const Watchdog& watchdog, const uint8_t* memory, void (*enter)(void*),
                void* instance);

} // namespace rvf::sandbox
