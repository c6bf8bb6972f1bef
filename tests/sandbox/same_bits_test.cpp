// The module in the sandbox and the same C++ linked natively: same operands, same bits.
#include "tests/sandbox/support.h"
#include "tests/unit/support.h"

namespace rvf::test {
namespace {

/// A tile of each kind; every call goes to both and must be answered alike.
class Pair {
public:
    Pair() { EXPECT_TRUE(sandboxed_.start(0)); }

    template <typename T>
    void write(uint32_t address, const std::vector<T>& values) {
        native_.write(address, values);
        sandboxed_.write(0, address, values.data(),
                         static_cast<uint32_t>(values.size() * sizeof(T)));
    }

    void load_query(uint32_t dimension) {
        agree(sandboxed_.load_query(0, tile::kMessage, dimension),
              tile::rvf_load_query(tile::kMessage, dimension));
    }
    void load_sq_params(uint32_t dimension) {
        agree(sandboxed_.load_sq_params(0, tile::kBlock, dimension),
              tile::rvf_load_sq_params(tile::kBlock, dimension));
    }
    void load_block(uint32_t count, uint32_t dtype) {
        agree(sandboxed_.load_block(0, tile::kBlock, count, dtype),
              tile::rvf_load_block(tile::kBlock, count, dtype));
    }
    void distances(uint32_t metric) {
        agree(sandboxed_.distances(0, metric, tile::kNeighborCache),
              tile::rvf_distances(metric, tile::kNeighborCache));
    }

    /// Operands and results. The state of a tile may hold a NaN, which processors make differently.
    void expect_same_memory() {
        auto there = memory_of(sandboxed_, 0);
        Buffer here = native_.save(); // data memory, then scratch
        EXPECT_TRUE(std::equal(here.begin() + tile::kMessage, here.begin() + tile::kDataEnd,
                               there.begin() + tile::kMessage));
        EXPECT_TRUE(
            std::equal(here.begin() + tile::kDataEnd, here.end(), there.begin() + tile::kScratch));
    }

private:
    static void agree(sandbox::Answer there, int32_t here) {
        ASSERT_EQ(there.outcome, Outcome::kReturned);
        ASSERT_EQ(there.value, here);
    }

    SandboxTiles sandboxed_{1};
    Tile native_;
};

/// Bytes that are any number as f16 and f32: mostly ordinary ones, now and then NaN or infinite.
std::vector<uint16_t> random_halves(Random& random, uint32_t count) {
    bool any = random.below(4) == 0;
    std::vector<uint16_t> halves(count);
    for (uint16_t& half : halves) {
        half = any ? static_cast<uint16_t>(random.bits())
                   : nearest_half(static_cast<double>(random.between(-4, 4)));
    }
    return halves;
}

class SameBits : public testing::TestWithParam<uint32_t> {};

TEST_P(SameBits, AsTheNativeKernel) {
    const uint32_t dtype = GetParam();
    const uint32_t element_bytes = dtype == tile::kI8 ? 1 : dtype == tile::kF16 ? 2 : 4;
    Random random(dtype + 1);
    Pair pair;
    for (int round = 0; round < 300 && !testing::Test::HasFailure(); ++round) {
        uint32_t dimension = 1 + random.below(random.below(2) ? 1024 : 40);
        pair.write(tile::kMessage, random_halves(random, dimension));
        pair.load_query(dimension);
        if (dtype == tile::kI8 && random.below(2)) {
            pair.write(tile::kBlock, random.vector(2 * dimension, -2, 2));
            pair.load_sq_params(dimension);
        }
        pair.write(tile::kBlock, random_halves(random, 0x4000));
        pair.load_block(1 + random.below(0x8000 / (dimension * element_bytes)), dtype);
        for (uint32_t metric = 0; metric < 4; ++metric) {
            pair.distances(metric);
            pair.expect_same_memory();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Every, SameBits, testing::Values(tile::kF16, tile::kI8, tile::kF32),
                         [](const auto& test) {
                             return test.param == tile::kF16  ? "F16"
                                    : test.param == tile::kI8 ? "I8"
                                                              : "F32";
                         });

} // namespace
} // namespace rvf::test
