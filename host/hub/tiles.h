// A tile array as the hub sees it: memories that can be started, rung and lost. Implementations:
//   host/sandbox      the real rvf_kernel.wasm, translated by wasm2c, inside this process
//   host/hub/local_tile.h    the kernel's own C++, for the hub's local computation and for
//   sanitizers host/web          the real module in the JavaScript engine that runs the hub
#pragma once

#include <cstdint>

namespace rvf::sim {

/// How a run of a tile ended. Everything but kReturned is a trap that the sandbox caught.
enum class Outcome : uint8_t {
    kReturned,       ///< _start came back; the reply lies in the message buffer
    kOutOfBounds,    ///< an access outside the tile's memory
    kUnreachable,    ///< an unreachable instruction
    kStackExhausted, ///< too deep a recursion
    kDeadline,       ///< still running at the deadline, stopped from outside
};

/// What a broken tile does instead of answering. Executed for real, inside the sandbox, on the
/// memory of the tile (host/sandbox/saboteur.cpp).
enum class Sabotage : uint8_t {
    kOutOfBounds,
    kUnreachable,
    kExhaustStack,
    kLoopForever,
    kWriteRedZone, ///< returns, after a byte between data memory and scratch was changed
};

/// Tiles are numbered from 0. Other calls than these two on a tile that is not started are a
/// mistake of the caller.
class Tiles {
public:
    virtual ~Tiles() = default;

    /// A fresh instance: all memory zero. Replaces the one before. False when the system refuses.
    virtual bool start(uint32_t tile) = 0;
    /// Gives back what it holds; nothing for one that is not started.
    virtual void stop(uint32_t tile) = 0;

    /// Calls _start. After a trap the memory is as the trap left it.
    virtual Outcome ring(uint32_t tile) = 0;
    virtual Outcome sabotage(uint32_t tile, Sabotage what) = 0;

    /// Copies between tile memory (0 to 0x1FFFF) and the hub.
    virtual void read(uint32_t tile, uint32_t address, void* out, uint32_t bytes) = 0;
    virtual void write(uint32_t tile, uint32_t address, const void* from, uint32_t bytes) = 0;

    /// Whether the memory that a tile does not have (0x2000 to 0xFFFF) is still all zero.
    virtual bool red_zone_is_zero(uint32_t tile) = 0;
};

} // namespace rvf::sim
