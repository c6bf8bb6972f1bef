#include "host/web/web_tiles.h"

namespace rvf::web {

using emscripten::typed_memory_view;
using emscripten::val;
using sim::Outcome;
using sim::Sabotage;

bool WebTiles::start(uint32_t tile) { return tiles_.call<bool>("start", tile); }

void WebTiles::stop(uint32_t tile) { tiles_.call<void>("stop", tile); }

Outcome WebTiles::ring(uint32_t tile) {
    return static_cast<Outcome>(tiles_.call<uint32_t>("ring", tile));
}

Outcome WebTiles::sabotage(uint32_t tile, Sabotage what) {
    auto number = static_cast<uint32_t>(what);
    return static_cast<Outcome>(tiles_.call<uint32_t>("sabotage", tile, number));
}

void WebTiles::read(uint32_t tile, uint32_t address, void* out, uint32_t bytes) {
    val view(typed_memory_view(bytes, static_cast<uint8_t*>(out)));
    tiles_.call<void>("read", tile, address, view);
}

void WebTiles::write(uint32_t tile, uint32_t address, const void* from, uint32_t bytes) {
    val view(typed_memory_view(bytes, static_cast<const uint8_t*>(from)));
    tiles_.call<void>("write", tile, address, view);
}

bool WebTiles::red_zone_is_zero(uint32_t tile) { return tiles_.call<bool>("redZoneIsZero", tile); }

} // namespace rvf::web
