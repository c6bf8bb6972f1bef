// Tiles that are the real rvf_kernel.wasm, inside this process.
//
// wasm2c translates the module to C when the host is built, so a tile runs at the speed of the
// engines. Each tile has 8 GiB of address space of its own, of which the first 128 KiB are its
// memory; whatever it does, it cannot touch anything else (reservation.h), and it can be stopped
// (guard.h, watchdog.h). saboteur.wasm, which breaks a tile in every way, is translated too and
// works on the memory of the tile.
//
// Needs Linux on a 64-bit little-endian processor, and the signals SIGSEGV, SIGBUS and SIGURG. Link
// rvf_sandbox_native, or rvf_sandbox_sanitized, which needs no sanitizer options.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/hub/tiles.h"
#include "host/sandbox/watchdog.h"

struct w2c_kernel;

namespace rvf::sandbox {

using sim::Outcome;
using sim::Sabotage;

/// Processor time of the thread that runs a tile (watchdog.h). The longest call, a checksum of 60
/// KB, takes 0.2 ms.
constexpr std::chrono::milliseconds kDeadline{20};

/// How a call of an export ended and, when it returned, what it answered.
struct Answer {
    Outcome outcome;
    int32_t value;
};

/// Threads may use different tiles at the same time. Using a tile that is not started, or reading
/// or writing past the end of its memory, ends the process.
class SandboxTiles final : public sim::Tiles {
public:
    explicit SandboxTiles(uint32_t tiles, std::chrono::milliseconds deadline = kDeadline);
    ~SandboxTiles() override;

    bool start(uint32_t tile) override;
    void stop(uint32_t tile) override;
    Outcome ring(uint32_t tile) override;
    Outcome sabotage(uint32_t tile, Sabotage what) override;
    void read(uint32_t tile, uint32_t address, void* out, uint32_t bytes) override;
    void write(uint32_t tile, uint32_t address, const void* from, uint32_t bytes) override;
    bool red_zone_is_zero(uint32_t tile) override;

    /// Why start() answered false, and what to do about it.
    std::string error(uint32_t tile) const;

    /// Single exports (kernel/kernel.h), for benches and for comparison with other builds.
    Answer load_query(uint32_t tile, uint32_t query, uint32_t dimension);
    Answer load_block(uint32_t tile, uint32_t block, uint32_t count, uint32_t dtype);
    Answer load_sq_params(uint32_t tile, uint32_t params, uint32_t dimension);
    Answer distances(uint32_t tile, uint32_t metric, uint32_t result);

private:
    struct Instance;
    w2c_kernel& started(uint32_t tile) const;
    template <typename Export, typename... Arguments>
    Answer call(uint32_t tile, Export export_function, Arguments... arguments);

    const uint32_t count_;
    std::unique_ptr<Instance[]> instances_;
    Watchdog watchdog_;
};

} // namespace rvf::sandbox
