// Tiles that are instances of the real rvf_kernel.wasm in the JavaScript engine that runs the hub.
#pragma once

#include <emscripten/val.h>

#include "host/hub/tiles.h"

namespace rvf::web {

/// Calls the methods of a JavaScript object (class Tiles of tiles.mjs). What they throw goes
/// through the hub to whoever called it.
class WebTiles final : public sim::Tiles {
public:
    explicit WebTiles(emscripten::val tiles) : tiles_(std::move(tiles)) {}

    bool start(uint32_t tile) override;
    void stop(uint32_t tile) override;
    sim::Outcome ring(uint32_t tile) override;
    sim::Outcome sabotage(uint32_t tile, sim::Sabotage what) override;
    void read(uint32_t tile, uint32_t address, void* out, uint32_t bytes) override;
    void write(uint32_t tile, uint32_t address, const void* from, uint32_t bytes) override;
    bool red_zone_is_zero(uint32_t tile) override;

private:
    emscripten::val tiles_;
};

} // namespace rvf::web
