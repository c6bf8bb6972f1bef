// rvf_segment_at: all segments of any bytes, with the state of their hashes.
#include <gtest/gtest.h>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::Buffer;
using test::get;
using test::segment;

struct Info {
    uint64_t id, offset, length;
    uint8_t type, version;
    uint16_t flags;
    uint32_t state, footer;
    bool operator==(const Info&) const = default;
};

enum State : uint32_t { kAbsent, kGood, kBad, kCut };

/// Walks as the manual says: from the end of a segment to the next.
std::vector<Info> inspect(const Buffer& file) {
    std::vector<Info> list;
    auto copy = test::exact_copy(file);
    Buffer out(kInspectBytes);
    size_t at = 0;
    while (rvf_segment_at(address(copy.get()), file.size(), at, address(out.data())) == 1) {
        Info info{get<uint64_t>(out, 0),
                  get<uint64_t>(out, 8),
                  get<uint64_t>(out, 16),
                  out[24],
                  out[25],
                  get<uint16_t>(out, 26),
                  get<uint32_t>(out, 28),
                  get<uint32_t>(out, 32)};
        list.push_back(info);
        at = info.state == kCut ? info.offset + 1 : info.offset + 64 + info.length + info.footer;
    }
    return list;
}

TEST(Inspect, TellsTheStateOfEveryHash) {
    Buffer file = segment(0xF3, 7, {1, 2, 3});
    size_t absent = file.size();
    append(file, segment(0xF4, 8, {1, 2, 3}));
    std::fill_n(file.begin() + static_cast<long>(absent) + 0x28, 16, 0);
    size_t bad = file.size();
    append(file, segment(test::kVec, 9, {1, 2, 3}));
    file.back() ^= 1;
    size_t cut = file.size();
    append(file, segment(test::kManifest, 10, Buffer(100)));
    file.resize(cut + 70);
    EXPECT_EQ(inspect(file), (std::vector<Info>{{7, 0, 3, 0xF3, 1, 0, kGood, 0},
                                                {8, absent, 3, 0xF4, 1, 0, kAbsent, 0},
                                                {9, bad, 3, test::kVec, 1, 0, kBad, 0},
                                                {10, cut, 100, test::kManifest, 1, 0, kCut, 0}}));
}

TEST(Inspect, TellsVersionFlagsAndFooter) {
    Buffer file = segment(0xF3, 7, {1, 2, 3});
    file[4] = 9;
    test::set(file, 6, uint16_t{0x0804});
    Buffer footer = {0, 0, 64, 0};
    footer.resize(68);
    test::put(footer, uint32_t{72});
    append(file, footer);
    append(file, segment(0xF4, 8, {}));
    EXPECT_EQ(inspect(file), (std::vector<Info>{{7, 0, 3, 0xF3, 9, 0x0804, kGood, 72},
                                                {8, 139, 0, 0xF4, 1, 0, kAbsent, 0}}));
}

TEST(Inspect, FindsSegmentsBehindDamage) {
    Buffer file(13, 0x53);
    append(file, segment(0xF3, 7, {1}));
    append(file, Buffer(5, 0xEE));
    append(file, segment(0xF4, 8, {1}));
    std::vector<Info> list = inspect(file);
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].offset, 13u);
    EXPECT_EQ(list[1].offset, 13u + 65 + 5);
}

TEST(Inspect, OfNothingFindsNothing) {
    EXPECT_TRUE(inspect({}).empty());
    EXPECT_TRUE(inspect(Buffer(63, 0x53)).empty());
    Buffer file = segment(0xF3, 7, {1}), out(kInspectBytes);
    EXPECT_EQ(rvf_segment_at(address(file.data()), file.size(), file.size(), address(out.data())),
              0);
    EXPECT_EQ(rvf_segment_at(address(file.data()), file.size(), ~size_t{0}, address(out.data())),
              0);
}

} // namespace
} // namespace rvf
