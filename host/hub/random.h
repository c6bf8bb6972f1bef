// The one source of chance in a run. Its sequence is fixed by the standard, its use by us: the
// distributions of the standard library may differ from one to the next.
#pragma once

#include <cstdint>
#include <random>

namespace rvf::hub {

class Random {
public:
    explicit Random(uint64_t seed) : engine_(seed) {}

    uint64_t bits() { return engine_(); }

    /// 0 to below - 1; 0 for 0.
    uint64_t below(uint64_t below) { return below == 0 ? 0 : engine_() % below; }

    /// 0 (inclusive) to 1 (exclusive).
    double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

    bool chance(double probability) { return unit() < probability; }

private:
    std::mt19937_64 engine_;
};

} // namespace rvf::hub
