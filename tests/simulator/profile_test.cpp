// Profiles: what each reader says of every real file, and of files made for each rule.
#include <map>
#include <set>

#include "host/sim/profile.h"
#include "kernel/kernel.h"
#include "tests/simulator/read_support.h"

namespace rvf {
namespace {

using namespace test;
using sim::check;
using sim::FileFacts;
using sim::kCore;
using sim::kFull;
using sim::kGeneric;
using sim::kHot;
using sim::refuses;
using sim::Violation;
using test::Buffer;

constexpr uint32_t kAsF16 = tile::kF16, kAsI8 = tile::kI8;

/// The rules that a reader breaks on, "!" before those that it refuses for.
std::string rules_of(const std::vector<Violation>& violations) {
    std::string rules;
    for (const Violation& violation : violations) {
        if (!rules.empty()) rules += ' ';
        if (violation.refused) rules += '!';
        rules += violation.rule;
    }
    return rules;
}

// --- Real files ---

struct Row {
    const char* core;
    const char* hot;
    const char* full;
    const char* why;
};

/// Almost every file: profile byte 0, at most 384 dimensions, VEC, KERNEL and the like.
const Row kUsual = {"!profile", "!profile", "", "byte 0 needs Full"};

/// The others. "error": not refused, but not readable either.
const std::map<std::string, Row> kOthers = {
    {"made_empty.rvf", {"!profile", "!profile", "", "byte 3"}},
    {"made_opts_ignored.rvf", {"!profile", "", "", "byte 2, 4 dimensions"}},
    {"security_hardened.rvf", {"!profile !dimensions", "!profile", "", "byte 3, 512 dimensions"}},
    {"made_dim1536.rvf", {"!profile !dimensions", "!profile !dimensions", "", "1,536 dimensions"}},
    {"made_index_l2.rvf", {"!profile !index", "!profile !index", "", "layer level 2"}},
    {"made_index_cosine_sparse_ids.rvf", {"!profile !index", "!profile !index", "", "the same"}},
    {"made_index_then_deletes.rvf", {"!profile !index", "!profile !index", "", "the same"}},
    {"damaged_index_payload.rvf", {"!profile !index", "!profile !index", "", "bad hash"}},
    {"carved_ruvbot_tail.rvf", {"!profile", "!profile", "error", "byte 66, dimension 0"}},
    // Readable is the profile byte, but not the vectors.
    {"damaged_flip_first_vec_payload.rvf", {"!profile", "!profile", "error", "hash"}},
    {"damaged_flip_last_vec_payload.rvf", {"!profile", "!profile", "error", "hash"}},
    {"damaged_flip_vec_header_hash.rvf", {"!profile", "!profile", "error", "hash"}},
    {"damaged_flip_vec_header_len.rvf", {"!profile", "!profile", "error", "length"}},
    {"damaged_flip_vec_header_version.rvf", {"!profile", "!profile", "error", "version"}},
    {"damaged_hole_zeroed_vec.rvf", {"!profile", "!profile", "error", "hash"}},
    {"damaged_magic_first_vec.rvf", {"!profile", "!profile", "error", "no header there"}},
    {"crafted_vec_count_too_big.rvf", {"!profile", "!profile", "error", "the count lies"}},
    {"crafted_zero_manifest_4096.rvf", {"!profile", "!profile", "error", "dimension 0"}},
    {"made_branch_orphan.rvf", {"!profile", "!profile", "error", "no parent"}},
    // Not even a manifest.
    {"crafted_version2.rvf", {"error", "error", "error", "a newer manifest"}},
    {"damaged_trunc_63_bytes.rvf", {"error", "error", "error", "no manifest"}},
    {"damaged_trunc_header_only_64.rvf", {"error", "error", "error", "no manifest"}},
    {"damaged_trunc_zero_bytes.rvf", {"error", "error", "error", "no manifest"}},
};

TEST(Profile, EveryUpstreamFile) {
    std::set<std::string> seen;
    for (const auto& entry : std::filesystem::directory_iterator(RVF_FIXTURES)) {
        std::string name = entry.path().filename().string();
        if (!name.ends_with(".rvf") && !name.ends_with(".rvdna")) continue;
        seen.insert(name);
        auto other = kOthers.find(name);
        const Row& row = other == kOthers.end() ? kUsual : other->second;
        SCOPED_TRACE(name + ": " + row.why);
        const std::pair<uint8_t, const char*> readers[] = {
            {kCore, row.core}, {kHot, row.hot}, {kFull, row.full}};
        for (auto [profile, expected] : readers) {
            Reading reading = read_path(fixture_path(name), reader(profile));
            bool refused = refuses(reading.file.violations);
            EXPECT_EQ(
                refused || reading.error.empty() ? rules_of(reading.file.violations) : "error",
                std::string(expected))
                << reading.error;
            if (refused) {
                EXPECT_TRUE(reading.file.data.ids.empty());
                EXPECT_NE(reading.error.find(std::string(sim::profile_name(profile)) + " reader"),
                          std::string::npos);
            }
        }
    }
    EXPECT_EQ(seen.size(), 121u);
    for (const auto& [name, row] : kOthers) EXPECT_TRUE(seen.contains(name)) << name;
}

// The same bytes with another promise; 40 vectors of 384 dimensions are just what Core takes.
TEST(Profile, ARealFileThatPromisesCore) {
    Buffer bytes = fixture_bytes("made_dim384.rvf");
    size_t at = last_manifest(bytes);
    bytes[at + kHeaderBytes + 18] = kCore;
    rehash(bytes, at);
    for (uint8_t profile : {kCore, kHot, kFull}) {
        Reading reading = read_bytes_as_file(bytes, reader(profile));
        EXPECT_EQ(reading.error, "");
        EXPECT_EQ(rules_of(reading.file.violations), "");
        EXPECT_EQ(reading.file.data.ids.size(), 40u);
    }
}

// --- The profile byte ---

FileBuilder file_of(uint8_t profile, uint16_t dimension = 2) {
    FileBuilder file;
    file.profile = profile;
    file.dimension = dimension;
    file.add_vectors({1}, std::vector<float>(dimension, 1));
    return file;
}

std::string verdict(FileBuilder file, uint8_t profile, uint32_t dtype = kAsF16) {
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes, reader(profile, dtype));
    EXPECT_EQ(reading.error.empty(), !refuses(reading.file.violations)) << reading.error;
    return rules_of(reading.file.violations);
}

TEST(Profile, WhoReadsWhat) {
    const struct {
        uint8_t byte;
        const char* core;
        const char* hot;
        const char* full;
    } rows[] = {{0, "!profile", "!profile", ""},
                {1, "", "", ""},
                {2, "!profile", "", ""},
                {3, "!profile", "!profile", ""},
                {4, "!profile", "!profile", "profile"},
                {0x42, "!profile", "!profile", "profile"},
                {255, "!profile", "!profile", "profile"}};
    for (const auto& row : rows) {
        SCOPED_TRACE(int{row.byte});
        EXPECT_EQ(verdict(file_of(row.byte), kCore), row.core);
        EXPECT_EQ(verdict(file_of(row.byte), kHot), row.hot);
        EXPECT_EQ(verdict(file_of(row.byte), kFull), row.full);
    }
}

TEST(Profile, SaysWhichRuleWhichValueAndWhatToDo) {
    FileBuilder file = file_of(kGeneric, 500);
    file.commit();
    Folder folder;
    std::string path = folder.put("some.rvf", file.bytes);
    EXPECT_EQ(read_path(path, reader(kCore)).error,
              path +
                  " is not for a core reader:\n"
                  "  profile: the file has 0 (generic); the reader takes 1 (core). To do: use "
                  "profile full, or write the file with a profile byte whose limits it keeps.\n"
                  "  dimensions: the file has 500; the reader takes at most 384 as fp16, 768 as "
                  "i8. To do: work with i8.");
    file = file_of(0x42);
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes);
    EXPECT_EQ(
        sim::text_of(reading.file.violations.at(0)),
        "profile: the file has 66 (unknown); known are 0 to 3. To do: it is read as generic.");
}

// --- What it promises ---

TEST(Profile, Dimensions) {
    EXPECT_EQ(verdict(file_of(kCore, 384), kCore), "");
    EXPECT_EQ(verdict(file_of(kCore, 385), kCore), "!dimensions");
    EXPECT_EQ(verdict(file_of(kCore, 385), kCore, tile::kF32), "!dimensions");
    EXPECT_EQ(verdict(file_of(kCore, 385), kCore, kAsI8), "");
    EXPECT_EQ(verdict(file_of(kCore, 768), kCore, kAsI8), "");
    EXPECT_EQ(verdict(file_of(kCore, 769), kCore, kAsI8), "!dimensions");
    EXPECT_EQ(verdict(file_of(kCore, 768), kHot), ""); // it may have been meant for i8
    EXPECT_EQ(verdict(file_of(kCore, 769), kHot), "dimensions");
    EXPECT_EQ(verdict(file_of(kHot, 1024), kHot), "");
    EXPECT_EQ(verdict(file_of(kHot, 1025), kHot), "!dimensions");
    EXPECT_EQ(verdict(file_of(kHot, 1025), kFull), "dimensions");
    EXPECT_EQ(verdict(file_of(kFull, 4096), kFull), "");
    EXPECT_EQ(verdict(file_of(kGeneric, 4096), kFull), "");
}

TEST(Profile, Vectors) {
    FileFacts facts;
    facts.dimension = 2;
    facts.profile = kHot;
    facts.vectors = 10'240;
    EXPECT_EQ(rules_of(check({kHot, kAsF16}, facts)), "");
    facts.vectors = 10'241;
    EXPECT_EQ(rules_of(check({kHot, kAsF16}, facts)), "!vectors");
    EXPECT_EQ(rules_of(check({kFull, kAsF16}, facts)), "vectors");
    facts.profile = kCore; // tiles get blocks from the hub, so there may be any number of them
    EXPECT_EQ(rules_of(check({kCore, kAsF16}, facts)), "");
    EXPECT_EQ(rules_of(check({kHot, kAsF16}, facts)), "!vectors");

    // Counted are those that live.
    FileBuilder file;
    file.profile = kHot;
    file.dimension = 1;
    std::vector<uint64_t> ids(10'250);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    file.add_vectors(ids, std::vector<float>(ids.size()));
    EXPECT_EQ(verdict(file, kHot), "!vectors");
    file.deleted.assign(ids.begin(), ids.begin() + 10);
    EXPECT_EQ(verdict(file, kHot), "");
}

Buffer index_payload(uint8_t kind, uint8_t layer_level) {
    Buffer payload(128);
    payload[0] = kind;
    payload[1] = layer_level;
    return payload;
}

FileBuilder with(uint8_t profile, uint8_t type, const Buffer& payload) {
    FileBuilder file = file_of(profile);
    file.add(type, payload);
    return file;
}

TEST(Profile, Index) {
    FileBuilder layer_a = with(kCore, kIndex, index_payload(0, 0));
    EXPECT_EQ(verdict(layer_a, kCore), "!index");
    EXPECT_EQ(verdict(layer_a, kHot), "index"); // Hot can, but Core was promised
    EXPECT_EQ(verdict(layer_a, kFull), "index");
    layer_a = with(kHot, kIndex, index_payload(0, 0));
    EXPECT_EQ(verdict(layer_a, kHot), "");
    for (uint8_t level : std::vector<uint8_t>{1, 2, 77}) {
        FileBuilder file = with(kHot, kIndex, index_payload(0, level));
        EXPECT_EQ(verdict(file, kHot), "!index");
        EXPECT_EQ(verdict(file, kFull), "index");
    }
    for (uint8_t kind : std::vector<uint8_t>{1, 2, 77}) {
        EXPECT_EQ(verdict(with(kHot, kIndex, index_payload(kind, 0)), kHot), "!index");
    }
    EXPECT_EQ(verdict(with(kHot, kIndex, Buffer(63)), kHot), "!index");
    EXPECT_EQ(verdict(with(kFull, kIndex, index_payload(0, 2)), kFull), "");

    FileBuilder file = with(kHot, kIndex, index_payload(0, 2));
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes, reader(kHot));
    const Violation& violation = reading.file.violations.at(0);
    EXPECT_TRUE(violation.refused && violation.broken_promise);
    EXPECT_EQ(violation.value, "an HNSW index of layers A, B and C at offset 86");
    EXPECT_EQ(violation.limit, "layer A of an HNSW index");
}

// An index of an earlier commit is no longer listed.
TEST(Profile, OnlyListedSegmentsCount) {
    FileBuilder file = with(kCore, kIndex, index_payload(0, 2));
    file.commit();
    std::erase_if(file.directory, [](const Entry& entry) { return entry.type == kIndex; });
    EXPECT_EQ(verdict(file, kCore), "");
}

Buffer scalar_quant(uint16_t dimension) {
    Buffer payload(64 + 8 * size_t{dimension});
    set(payload, 2, dimension);
    return payload;
}

Buffer product_quant(uint16_t subspaces, uint16_t centroids, uint16_t length, uint8_t kind = 1) {
    Buffer payload(64);
    payload[0] = kind;
    put(payload, subspaces);
    put(payload, centroids);
    put(payload, length);
    payload.resize(payload.size() + size_t{4} * subspaces * centroids * length);
    return payload;
}

TEST(Profile, Quantization) {
    EXPECT_EQ(verdict(with(kCore, kQuant, scalar_quant(2)), kCore), "");
    EXPECT_EQ(verdict(with(kCore, kQuant, product_quant(2, 64, 1)), kCore), "!quantization");
    EXPECT_EQ(verdict(with(kCore, kQuant, product_quant(2, 64, 1)), kHot), "quantization");
    EXPECT_EQ(verdict(with(kHot, kQuant, product_quant(2, 64, 1)), kHot), "");
    EXPECT_EQ(verdict(with(kHot, kQuant, product_quant(2, 65, 1)), kHot), "!quantization");
    EXPECT_EQ(verdict(with(kHot, kQuant, product_quant(2, 65, 1)), kFull), "quantization");
    for (uint8_t kind : std::vector<uint8_t>{2, 3, 200}) {
        EXPECT_EQ(verdict(with(kHot, kQuant, product_quant(1, 4, 1, kind)), kHot), "!quantization");
        EXPECT_EQ(verdict(with(kFull, kQuant, product_quant(1, 4, 1, kind)), kFull), "");
    }
    FileBuilder file = with(kHot, kQuant, product_quant(2, 256, 1));
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes, reader(kHot));
    EXPECT_EQ(reading.file.violations.at(0).value,
              "product quantization with 256 centroids at offset 86");
}

// Nobody knows what damaged tables would have been.
TEST(Profile, QuantizationThatCannotBeRead) {
    Buffer short_scalar = scalar_quant(2);
    short_scalar.pop_back();
    Buffer short_product = product_quant(2, 64, 1);
    short_product.pop_back();
    for (const Buffer& payload :
         {Buffer{}, Buffer(63), short_scalar, short_product, product_quant(0, 4, 1),
          product_quant(1, 0, 1), product_quant(1, 4, 0), Buffer(64, 1)}) {
        EXPECT_EQ(verdict(with(kCore, kQuant, payload), kCore), "!quantization");
        EXPECT_EQ(verdict(with(kHot, kQuant, payload), kHot), "!quantization");
        EXPECT_EQ(verdict(with(kHot, kQuant, payload), kFull), "quantization");
    }
    FileBuilder file = file_of(kHot);
    size_t at = file.add(kQuant, scalar_quant(2));
    file.bytes[at + kHeaderBytes + 70] ^= 1;
    EXPECT_EQ(verdict(file, kHot), "!quantization");
}

FileBuilder with_compressed(uint8_t profile, uint8_t type, const Buffer& payload,
                            uint8_t compression) {
    FileBuilder file = file_of(profile);
    add_compressed(file, type, payload, compression);
    return file;
}

TEST(Profile, Compression) {
    Buffer vec = vec_payload(2, {5, 6}, {1, 2, 3, 4});
    EXPECT_EQ(verdict(with_compressed(kCore, kVec, vec, 1), kCore), "!compression");
    EXPECT_EQ(verdict(with_compressed(kCore, kVec, vec, 1), kHot), "compression");
    EXPECT_EQ(verdict(with_compressed(kHot, kVec, vec, 1), kHot), "");
    EXPECT_EQ(verdict(with_compressed(kHot, kVec, vec, 2), kHot), "!compression");
    EXPECT_EQ(verdict(with_compressed(kHot, kVec, vec, 2), kFull), "compression");
    EXPECT_EQ(verdict(with_compressed(kFull, kVec, vec, 2), kFull), "");
    EXPECT_EQ(verdict(with_compressed(kGeneric, kVec, vec, 1), kFull), "");
    // Also where only the hub would have to expand it.
    EXPECT_EQ(verdict(with_compressed(kCore, kMeta, Buffer(90), 1), kCore), "!compression");

    FileBuilder file = with_compressed(kCore, kVec, vec, 1);
    add_compressed(file, kVec, vec, 1);
    add_compressed(file, kMeta, Buffer(90), 2);
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes, reader(kCore));
    EXPECT_EQ(reading.file.violations.at(0).value, "LZ4 at offset 86 and 2 others");
    EXPECT_EQ(reading.file.expanded_bytes, 0u); // refused before anything is expanded
}

// The rules look into what was compressed, too.
TEST(Profile, CompressedTables) {
    EXPECT_EQ(verdict(with_compressed(kHot, kIndex, index_payload(0, 0), 1), kHot), "");
    EXPECT_EQ(verdict(with_compressed(kHot, kIndex, index_payload(0, 2), 1), kHot), "!index");
    EXPECT_EQ(verdict(with_compressed(kHot, kQuant, product_quant(2, 64, 1), 1), kHot), "");
    EXPECT_EQ(verdict(with_compressed(kHot, kQuant, product_quant(2, 65, 1), 1), kHot),
              "!quantization");
    EXPECT_EQ(verdict(with_compressed(kCore, kQuant, product_quant(2, 65, 1), 1), kFull),
              "quantization compression");
}

TEST(Profile, RawVectorsPromiseNothing) {
    Folder folder;
    Buffer bytes = {0x81, 1, 0, 0}; // 385 dimensions
    bytes.resize(4 + 385, 7);
    std::string path = folder.put("a.bvecs", bytes);
    EXPECT_EQ(rules_of(read_path(path, reader(kFull)).file.violations), "");
    EXPECT_EQ(rules_of(read_path(path, reader(kHot)).file.violations), "");
    EXPECT_EQ(rules_of(read_path(path, reader(kCore)).file.violations), "!dimensions");
    EXPECT_EQ(rules_of(read_path(path, reader(kCore, kAsI8)).file.violations), "");
}

} // namespace
} // namespace rvf
