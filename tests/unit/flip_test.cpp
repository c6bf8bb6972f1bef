// Files with one bit flipped, each in turn: refused, told, or as before; and then the bit is one
// that nothing covers, by name.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::get;
using test::kernel_payload;
using test::kHeaderBytes;
using test::Model;
using test::model_of;
using test::open_with;
using test::same;
using test::set_file_id;
using test::StoreHandle;
using test::upsert;

/// What nothing covers, and what is only found out when somebody looks.
struct Coverage {
    std::map<size_t, const char*> uncovered; ///< bytes, and what they are
    std::map<size_t, size_t> on_use;         ///< bytes, and the segment whose hash covers them
    std::set<size_t> types;                  ///< type bytes of segments that no directory lists
};

/// By docs/format.md: opening checks the hashes of the last manifest, of what it lists with
/// vectors, metadata and records of a branch, and the headers of all that it lists against it.
Coverage coverage_of(const Buffer& file, size_t footer) {
    Coverage coverage;
    std::vector<test::Found> segments = test::walk(file, footer);
    std::set<size_t> listed;
    test::ManifestFields manifest(segments.back().payload);
    for (const test::Entry& entry : manifest.directory) listed.insert(entry.offset);
    auto add = [&](size_t from, size_t count, const char* why) {
        for (size_t i = 0; i < count; ++i) coverage.uncovered.emplace(from + i, why);
    };
    for (const test::Found& segment : segments) {
        bool is_last = &segment == &segments.back();
        size_t at = segment.offset, size = segment.payload.size();
        add(at + 0x06, 2, "flags");
        add(at + 0x18, 8, "timestamp");
        add(at + 0x20, 1, "hash algorithm");
        add(at + 0x21, 1, "compression");
        add(at + 0x22, 6, "reserved");
        add(at + 0x38, 4, "uncompressed length");
        add(at + 0x3C, 4, "padding length");
        if (is_last) add(at + 0x08, 8, "id of the last manifest, which nothing lists");
        if (footer)
            add(at + kHeaderBytes + size + 4, footer - 8, "a signature, the host's to check");
        if (is_last) continue;
        if (!listed.contains(at)) {
            add(at, kHeaderBytes + size + footer, "superseded: no directory lists it");
            coverage.types.insert(at + 0x05);
            continue;
        }
        bool is_read = segment.type == test::kVec || segment.type == test::kMeta ||
                       segment.type == test::kCowMap || segment.type == test::kMembership ||
                       segment.type == test::kRefcount;
        if (is_read && segment.type != test::kVec && segment.type != test::kMeta) {
            add(at + 0x04, 1, "version of a segment other than MANIFEST, VEC and META");
        }
        if (is_read) continue;
        add(at + 0x04, 1, "version of a segment other than MANIFEST, VEC and META");
        for (size_t i = 0; i < 16; ++i) coverage.on_use[at + 0x28 + i] = at;
        for (size_t i = 0; i < size; ++i) coverage.on_use[at + kHeaderBytes + i] = at;
    }
    return coverage;
}

struct Flips {
    int refused = 0, warned = 0, on_use = 0, harmless = 0;
    std::set<std::string> why; ///< the kinds of bytes that were harmless
};

/// Flips every bit, one at a time. What opens without a warning is as it was, and the bit is one
/// that nothing covers; or the segment, when it is asked for, says that it is damaged.
void flip_every_bit(const Buffer& file, const std::vector<Buffer>& parents, size_t footer,
                    Flips& flips) {
    Coverage coverage = coverage_of(file, footer);
    StoreHandle sound(open_with(file, parents));
    ASSERT_GT(sound, 0);
    ASSERT_EQ(rvf_store_warnings(sound), 0);
    const Model expected = model_of(sound);
    for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
        size_t byte = bit / 8;
        Buffer damaged = file;
        damaged[byte] ^= static_cast<uint8_t>(1u << bit % 8);
        StoreHandle store(open_with(damaged, parents));
        if (store < 0) {
            ++flips.refused;
            continue;
        }
        if (rvf_store_warnings(store)) {
            ++flips.warned;
            continue;
        }
        Model model = model_of(store);
        auto segment = coverage.on_use.find(byte);
        if (segment != coverage.on_use.end()) {
            ++flips.on_use;
            auto at = test::exact_copy(
                {damaged.begin() + static_cast<long>(segment->second), damaged.end()});
            ASSERT_EQ(rvf_verify_checksum(address(at.get()), damaged.size() - segment->second),
                      kInvalidChecksum)
                << byte;
            if (model.kept != expected.kept) {
                std::vector<test::KeptInfo> kept = test::kept_of(store);
                auto bad = [](const test::KeptInfo& info) { return info.status != 0; };
                ASSERT_EQ(std::count_if(kept.begin(), kept.end(), bad), 1) << byte;
                model.kept = expected.kept;
            }
        } else {
            ++flips.harmless;
            ASSERT_TRUE(coverage.uncovered.contains(byte)) << byte << " bit " << bit % 8;
            flips.why.insert(coverage.uncovered.at(byte));
        }
        if (coverage.types.contains(byte) && model.kept.size() > expected.kept.size()) {
            // A superseded segment is now one of a type that is carried on.
            ASSERT_EQ(model.kept.size(), expected.kept.size() + 1) << byte;
            std::erase_if(model.kept, [&](const test::Kept& kept) {
                return std::find(expected.kept.begin(), expected.kept.end(), kept) ==
                       expected.kept.end();
            });
        }
        ASSERT_TRUE(same(model, expected)) << byte << " bit " << bit % 8;
    }
}

void expect_named(const Flips& flips, const std::set<std::string>& more) {
    std::set<std::string> names = {"flags",
                                   "timestamp",
                                   "reserved",
                                   "hash algorithm",
                                   "compression",
                                   "uncompressed length",
                                   "padding length",
                                   "id of the last manifest, which nothing lists",
                                   "superseded: no directory lists it",
                                   "version of a segment other than MANIFEST, VEC and META"};
    names.insert(more.begin(), more.end());
    EXPECT_EQ(flips.why, names);
    EXPECT_GT(flips.refused, 0);
    EXPECT_GT(flips.warned, 0);
    EXPECT_GT(flips.on_use, 0);
}

/// A file with every kind of segment that this module writes or carries.
Buffer file_of_every_kind(int32_t signature) {
    Buffer file;
    StoreHandle store(2, kInnerProduct);
    set_file_id(store, 0xAB);
    upsert(store, 1, {1, 2}, test::text_entry(1, "a"));
    test::ingest(store, {2, 3}, {3, 4, 5, 6});
    test::embed(store, test::kKernelImage, kernel_payload(9));
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    test::remove_ids(store, {2});
    test::set_about(store, test::text_entry(0, "b"));
    test::embed(store, 0xF3, {1, 2, 3});
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    test::remove_ids(store, {3});
    EXPECT_EQ(rvf_store_freeze(store), 0);
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    return file;
}

TEST(Flip, OfEveryBitIsRefusedOrToldOrHarmless) {
    Flips flips;
    flip_every_bit(file_of_every_kind(-1), {}, 0, flips);
    expect_named(flips, {});
}

TEST(Flip, OfEveryBitOfASignedFileIsRefusedOrToldOrHarmless) {
    Flips flips;
    flip_every_bit(file_of_every_kind(0), {}, 72, flips);
    expect_named(flips, {"a signature, the host's to check"});
}

TEST(Flip, OfEveryBitOfABranchIsRefusedOrToldOrHarmless) {
    StoreHandle parent(2, kL2);
    set_file_id(parent, 0xAB);
    test::ingest(parent, {1, 2, 3}, {1, 2, 3, 4, 5, 6});
    Buffer parent_file, file;
    ASSERT_EQ(test::save(parent, parent_file), 1);
    Buffer id(16, 0xCD);
    StoreHandle branch(rvf_store_branch(parent, address(id.data()), address(parent_file.data()),
                                        parent_file.size(), address("p.rvf"), 5));
    test::remove_ids(branch, {2});
    upsert(branch, 1, {7, 7}, test::text_entry(1, "a"));
    ASSERT_EQ(test::save(branch, file), 1);
    test::remove_ids(branch, {1});
    ASSERT_EQ(test::save(branch, file), 1);
    Flips flips;
    flip_every_bit(file, {parent_file}, 0, flips);
    expect_named(flips, {});
}

} // namespace
} // namespace rvf
