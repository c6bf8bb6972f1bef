// kernel/half.h: every half, both ways, against the definition of the format in double precision.
#include "kernel/half.h"

#include <gtest/gtest.h>

#include "tests/unit/support.h"

namespace rvf {
namespace {

using test::bits_of;
using test::half_value;
using test::nearest_half;

bool is_nan(uint32_t half) { return (half & 0x7FFF) > 0x7C00; }

TEST(Half, WidensEveryNumberExactly) {
    for (uint32_t half = 0; half < 0x10000; ++half) {
        if (is_nan(half)) continue;
        float expected = static_cast<float>(half_value(static_cast<uint16_t>(half)));
        ASSERT_EQ(bits_of(half_to_float(static_cast<uint16_t>(half))), bits_of(expected)) << half;
    }
}

TEST(Half, WidensNanWithSignAndPayload) {
    for (uint32_t half = 0; half < 0x10000; ++half) {
        if (!is_nan(half)) continue;
        uint32_t expected = (half & 0x8000) << 16 | 0x7F800000 | (half & 0x3FF) << 13;
        ASSERT_EQ(bits_of(half_to_float(static_cast<uint16_t>(half))), expected) << half;
    }
}

TEST(Half, NarrowingInvertsWideningForEveryPattern) {
    for (uint32_t half = 0; half < 0x10000; ++half) {
        ASSERT_EQ(float_to_half(half_to_float(static_cast<uint16_t>(half))), half);
    }
}

// Between two neighbouring halves the midpoint goes to the even one and its two neighbours in f32
// go to their own sides. The neighbour of the largest half is 65,536, which is infinity.
TEST(Half, RoundsToNearestEvenBetweenAllNeighbours) {
    for (uint32_t below = 0; below < 0x7C00; ++below) {
        uint32_t above = below + 1;
        double high = above == 0x7C00 ? 65536 : half_value(static_cast<uint16_t>(above));
        auto middle = static_cast<float>((half_value(static_cast<uint16_t>(below)) + high) / 2);
        for (uint32_t sign : {0u, 0x8000u}) {
            float direction = sign ? -1 : 1;
            float less = std::nextafterf(middle, 0);
            float more = std::nextafterf(middle, HUGE_VALF);
            ASSERT_EQ(float_to_half(direction * middle), sign | (below & 1 ? above : below));
            ASSERT_EQ(float_to_half(direction * less), sign | below);
            ASSERT_EQ(float_to_half(direction * more), sign | above);
        }
    }
}

TEST(Half, NarrowsRandomFloatsOfEveryExponentLikeTheDefinition) {
    test::Random random(1);
    for (int i = 0; i < 1'000'000; ++i) {
        auto bits = static_cast<uint32_t>(random.bits());
        float value;
        std::memcpy(&value, &bits, 4);
        if (std::isnan(value)) continue;
        ASSERT_EQ(float_to_half(value), nearest_half(value)) << value;
    }
}

TEST(Half, OverflowsToInfinityFromTheLastTieOn) {
    EXPECT_EQ(float_to_half(65504.0f), 0x7BFF);
    EXPECT_EQ(float_to_half(std::nextafterf(65520.0f, 0)), 0x7BFF);
    EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
    EXPECT_EQ(float_to_half(-65520.0f), 0xFC00);
    EXPECT_EQ(float_to_half(3.4e38f), 0x7C00);
    EXPECT_EQ(float_to_half(HUGE_VALF), 0x7C00);
}

TEST(Half, UnderflowsToSignedZero) {
    EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);
    EXPECT_EQ(float_to_half(std::nextafterf(0x1p-25f, 1)), 0x0001);
    EXPECT_EQ(float_to_half(-0x1p-26f), 0x8000);
    EXPECT_EQ(float_to_half(-0.0f), 0x8000);
    EXPECT_EQ(float_to_half(0x1p-149f), 0x0000);
}

TEST(Half, NarrowingNanNeverGivesInfinity) {
    for (uint32_t payload : {1u, 0x1FFFu, 0x2000u, 0x400000u, 0x7FFFFFu}) {
        uint32_t bits = 0x7F800000 | payload;
        float nan;
        std::memcpy(&nan, &bits, 4);
        EXPECT_TRUE(is_nan(float_to_half(nan))) << payload;
    }
}

} // namespace
} // namespace rvf
