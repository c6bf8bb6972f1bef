// Files made to cost time: opening must take time in proportion to their size. Each of them takes
// milliseconds when every byte is looked at a few times, and longer than ctest waits when that is
// done once for every other byte.
#include <gtest/gtest.h>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::FileBuilder;
using test::kManifest;
using test::kMeta;
using test::kVec;
using test::set;
using test::StoreHandle;

constexpr size_t kFileBytes = 8u << 20;

/// Headers every `step` bytes, each of which claims everything up to the end of the file and has a
/// hash that is wrong.
Buffer nested_segments(uint8_t type, size_t step) {
    Buffer bytes(kFileBytes);
    for (size_t at = 0; at + step <= kFileBytes; at += step) {
        set(bytes, at, test::kMagic);
        bytes[at + 4] = 1;
        bytes[at + 5] = type;
        set(bytes, at + 16, uint64_t{kFileBytes - at - test::kHeaderBytes});
        bytes[at + 0x28] = 1;
    }
    return bytes;
}

void expect_quick(const Buffer& file) {
    {
        StoreHandle store(test::open_file(file));
    }
    rvf_segment_count(address(file.data()), file.size());
}

TEST(Hostile, ManifestsInsideManifests) {
    // 22 bytes behind each header are a manifest with an empty directory.
    expect_quick(nested_segments(kManifest, 64 + 22));
}

TEST(Hostile, ManyDamagedManifests) {
    FileBuilder file;
    while (file.bytes.size() < kFileBytes) {
        file.commit();
        file.directory.clear();
    }
    for (size_t at = 0; at < file.bytes.size(); at += 90) file.bytes[at + 0x28] ^= 1;
    expect_quick(file.bytes);
}

TEST(Hostile, SegmentsInsideSegmentsBeforeTheManifest) {
    FileBuilder file;
    file.bytes = nested_segments(kMeta, 64);
    file.add_vectors({1}, {1, 2});
    file.commit();
    expect_quick(file.bytes);
}

TEST(Hostile, OneVectorSegmentListedManyTimes) {
    FileBuilder file;
    std::vector<uint64_t> ids(kFileBytes / 16);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    file.add_vectors(ids, std::vector<float>(2 * ids.size(), 1.0f));
    file.directory.resize(kFileBytes / 25, file.directory[0]);
    file.commit();
    expect_quick(file.bytes);
}

TEST(Hostile, HeadersWithoutEnd) {
    Buffer bytes(kFileBytes);
    for (size_t at = 0; at + 64 <= kFileBytes; at += 4) set(bytes, at, test::kMagic);
    expect_quick(bytes);
}

TEST(Hostile, AllZeros) { expect_quick(Buffer(kFileBytes)); }

TEST(Hostile, DeletedIdsThatAreAllTheSame) {
    FileBuilder file;
    file.add_vectors({7}, {1, 2});
    file.deleted.resize(kFileBytes / 8, 7);
    file.commit();
    expect_quick(file.bytes);
}

} // namespace
} // namespace rvf
