// Files into data: upstream's own files against upstream's own answers, branches, raw vectors, and
// everything that is refused.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/simulator/read_support.h"

namespace rvf {
namespace {

using namespace test;
using sim::File;
using sim::ReadOptions;
using test::Buffer;

// --- Reference ---

double distance(const float* a, const float* b, uint32_t dimension, int32_t metric) {
    double dot = 0, aa = 0, bb = 0, squares = 0;
    for (uint32_t d = 0; d < dimension; ++d) {
        double x = a[d], y = b[d];
        dot += x * y;
        aa += x * x;
        bb += y * y;
        squares += (x - y) * (x - y);
    }
    if (metric == kL2) return squares;
    if (metric == kInnerProduct) return -dot;
    double norms = std::sqrt(aa * bb);
    return norms < 0x1p-23 ? 1 : 1 - dot / norms;
}

/// Distances of all rows to `query`, by id.
std::map<uint64_t, double> distances(const File& file, const std::vector<float>& query) {
    std::map<uint64_t, double> all;
    for (size_t i = 0; i < file.data.ids.size(); ++i) {
        all[file.data.ids[i]] = distance(file.data.rows.data() + i * file.data.dimension,
                                         query.data(), file.data.dimension, file.metric);
    }
    return all;
}

/// expected.json, query_vector_rule.
std::vector<float> query_of(uint32_t seed, uint32_t dimension) {
    std::vector<float> query(dimension);
    for (float& element : query) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        element = static_cast<float>((seed >> 8) / 16777216.0 * 2 - 1);
    }
    return query;
}

const nlohmann::json& expected() {
    static const nlohmann::json json = [] {
        std::ifstream stream(fixture_path("expected.json"));
        return nlohmann::json::parse(stream)["files"];
    }();
    return json;
}

// --- Plain files ---

// Where this reader's rules differ from upstream's (docs/format.md, "Opening a file").
const std::set<std::string> kOtherAnswers = {
    "carved_ruvbot_tail.rvf",
    "crafted_fake_manifest_in_payload.rvf",
    "crafted_vec_count_too_big.rvf",
    "crafted_version2.rvf",
    "crafted_zero_manifest_4096.rvf",
    "damaged_flip_vec_header_version.rvf",
    "damaged_manifest_dim.rvf",
    "damaged_manifest_fidi_marker.rvf",
    "damaged_manifest_hash.rvf",
    "damaged_manifest_metric9.rvf",
    "made_odd_values.rvf",
};

TEST(Read, UpstreamsFilesGiveUpstreamsAnswers) {
    int files = 0;
    for (const auto& [name, entry] : expected().items()) {
        const auto& upstream = entry["upstream"];
        if (upstream["open"] != "ok" || kOtherAnswers.contains(name)) continue;
        SCOPED_TRACE(name);
        Reading reading = read_path(fixture_path(name));
        ASSERT_EQ(reading.error, "");
        EXPECT_EQ(reading.file.data.dimension, upstream["dimension"]);
        EXPECT_EQ(reading.file.facts.profile, upstream["profile_id"]);
        for (const auto& query : upstream["queries"]) {
            auto all =
                distances(reading.file, query_of(query["seed"], reading.file.data.dimension));
            ASSERT_EQ(query["results"].size(), std::min<size_t>(10, all.size()));
            for (const auto& result : query["results"]) {
                double answered = result["distance"];
                ASSERT_TRUE(all.contains(result["id"]));
                EXPECT_NEAR(all[result["id"]], answered, 1e-5 * std::max(1.0, std::fabs(answered)));
            }
        }
        ++files;
    }
    EXPECT_EQ(files, 95);
}

TEST(Read, FilesOfUpstreamsWasmModule) {
    for (const char* name : {"made_wasm_l2_20x16.rvf", "made_wasm_deleted_10x4.rvf",
                             "made_wasm_empty_dim4.rvf", "made_wasm_cosine_3x2.rvf"}) {
        SCOPED_TRACE(name);
        const auto& upstream = expected()[name]["upstream_wasm"];
        Reading reading = read_path(fixture_path(name));
        ASSERT_EQ(reading.error, "");
        EXPECT_TRUE(reading.file.warnings & kWasmLayout);
        EXPECT_EQ(reading.file.data.ids.size(), upstream["count"]);
        for (const auto& query : upstream["queries_l2"]) {
            auto all =
                distances(reading.file, query_of(query["seed"], reading.file.data.dimension));
            for (const auto& result : query["results"]) {
                EXPECT_NEAR(all[result["id"]], result["distance"], 1e-4);
            }
        }
    }
}

TEST(Read, DeletedVectorsAreNotThere) {
    FileBuilder file;
    file.add_vectors({1, 2, 3}, {1, 1, 2, 2, 3, 3});
    file.deleted = {2};
    file.commit();
    Reading reading = read_bytes_as_file(file.bytes);
    EXPECT_EQ(reading.file.data.ids, (std::vector<uint64_t>{1, 3}));
    EXPECT_EQ(reading.file.data.rows, (std::vector<float>{1, 1, 3, 3}));
}

TEST(Read, TheMetricCanBeOverruled) {
    ReadOptions options;
    options.metric = kInnerProduct;
    EXPECT_EQ(read_path(fixture_path("made_metric_cosine.rvf")).file.metric, kCosine);
    EXPECT_EQ(read_path(fixture_path("made_metric_cosine.rvf"), options).file.metric,
              kInnerProduct);
    options.metric = 3;
    EXPECT_SAYS(read_path(fixture_path("made_metric_l2.rvf"), options).error, "no metric 3");
}

TEST(Read, WarningsAreSentences) {
    uint32_t all = 0;
    for (uint32_t bit = 1; bit <= kSkippedManifest; bit <<= 1) {
        EXPECT_EQ(sim::warning_texts(bit).size(), 1u) << bit;
        all |= bit;
    }
    EXPECT_EQ(sim::warning_texts(all).size(), 7u);
    EXPECT_TRUE(sim::warning_texts(0).empty());
    Reading torn = read_path(fixture_path("damaged_trunc_minus_1_byte.rvf"));
    EXPECT_SAYS(sim::warning_texts(torn.file.warnings).at(0), "interrupted write");
}

TEST(Read, BadFilesAreNamedWithTheirFault) {
    EXPECT_SAYS(read_path("/nowhere/x.rvf").error, "there is no file /nowhere/x.rvf");
    EXPECT_SAYS(read_path("/").error, "/ is a folder");
    EXPECT_SAYS(read_path("/dev/zero").error, "not a regular file");
    EXPECT_SAYS(read_path(fixture_path("README.md")).error, "README.md is not an RVF file");
    EXPECT_SAYS(error_of({}), "not an RVF file");
    for (const char* name : {"damaged_flip_first_vec_payload.rvf", "damaged_hole_zeroed_vec.rvf"}) {
        EXPECT_SAYS(read_path(fixture_path(name)).error, "is damaged: a vector segment");
    }
    EXPECT_SAYS(read_path(fixture_path("crafted_vec_count_too_big.rvf")).error,
                "more than there is");
    EXPECT_SAYS(read_path(fixture_path("crafted_version2.rvf")).error, "newer version");
    EXPECT_SAYS(read_path(fixture_path("carved_ruvbot_tail.rvf")).error, "no dimension");
}

// --- Branches ---

TEST(Read, ABranchFindsItsParentBesideIt) {
    Folder folder;
    Buffer child = fixture_bytes("made_branch_child_edited.rvf");
    Buffer parent = fixture_bytes("made_branch_parent.rvf");
    std::string path = folder.put("child.rvf", child);
    EXPECT_SAYS(read_path(path).error, "is a branch of " + folder.path("made_branch_parent.rvf") +
                                           ", but there is no file");
    folder.put("made_branch_parent.rvf", parent);
    Reading beside = read_path(path);
    EXPECT_EQ(beside.error, "");

    Folder other;
    ReadOptions options;
    options.parent = other.put("renamed.rvf", parent);
    Reading given = read_path(other.put("child.rvf", child), options);
    EXPECT_EQ(given.error, "");
    EXPECT_EQ(rows_of(given.file), rows_of(beside.file));

    options.parent = fixture_path("made_metric_l2.rvf");
    EXPECT_SAYS(read_path(path, options).error, "a branch of another file than the parent");
}

// A file must not make the reader open what lies elsewhere.
TEST(Read, ABranchCannotLeadOutOfItsFolder) {
    Buffer parent = fixture_bytes("made_branch_parent.rvf");
    for (std::string name : {"../made_branch_parent.rvf", "/etc/passwd", "..", "", "a/b"}) {
        FileBuilder file;
        Buffer map = cow_map_payload(parent);
        set(map, 0x49, static_cast<uint32_t>(name.size()));
        map.insert(map.end(), name.begin(), name.end());
        file.add(kCowMap, map);
        file.add(kMembership, membership_payload(64, Buffer(8, 0xFF)));
        file.commit();
        EXPECT_SAYS(error_of(file.bytes), "give the file that it was branched from too");
    }
}

// Its last 64 KiB, which the branch knows, are sound.
TEST(Read, ADamagedParentIsNamed) {
    FileBuilder parent;
    size_t at = parent.add(kVec, large_vec(3000, 2));
    parent.add(kMeta, Buffer(70'000, 1));
    parent.commit();
    parent.bytes[at + kHeaderBytes + 100] ^= 1;
    FileBuilder child;
    child.add(kCowMap, cow_map_payload(parent.bytes));
    child.add(kMembership, membership_payload(64, Buffer(8, 0xFF)));
    child.commit();
    Folder folder;
    ReadOptions options;
    options.parent = folder.put("parent.rvf", parent.bytes);
    EXPECT_SAYS(read_path(folder.put("child.rvf", child.bytes), options).error,
                options.parent + ", the parent of " + folder.path("child.rvf") + ", is damaged");
}

// --- Raw vectors ---

TEST(RawVectors, FloatsAndBytes) {
    Folder folder;
    Reading floats = read_path(folder.put("a.fvecs", fvecs(2, {1.5f, -2, 3, 4})));
    EXPECT_EQ(floats.error, "");
    EXPECT_EQ(floats.file.data.ids, (std::vector<uint64_t>{0, 1}));
    EXPECT_EQ(floats.file.data.rows, (std::vector<float>{1.5f, -2, 3, 4}));
    EXPECT_EQ(floats.file.metric, kL2);
    Reading bytes = read_path(folder.put("a.BVECS", {3, 0, 0, 0, 0, 128, 255}));
    EXPECT_EQ(bytes.error, "");
    EXPECT_EQ(bytes.file.data.rows, (std::vector<float>{0, 128, 255}));
}

TEST(RawVectors, BadOnesAreToldApart) {
    Folder folder;
    auto error = [&](const char* name, const Buffer& bytes) {
        return read_path(folder.put(name, bytes)).error;
    };
    EXPECT_SAYS(error("a.fvecs", {}), "holds no vectors");
    EXPECT_SAYS(error("a.fvecs", {1, 2}), "holds no vectors");
    EXPECT_SAYS(error("a.fvecs", {0, 0, 0, 0}), "a dimension of 0;");
    EXPECT_SAYS(error("a.bvecs", {255, 255, 255, 255, 1}), "a dimension of -1;");
    EXPECT_SAYS(error("a.bvecs", {0, 0, 1, 0, 1}), "a dimension of 65536;");
    Buffer bytes = fvecs(2, {1, 2, 3, 4});
    bytes.pop_back();
    EXPECT_SAYS(error("a.fvecs", bytes), "cut off or of another kind: 23 bytes");
    bytes = fvecs(2, {1, 2, 3, 4});
    bytes[12] = 1;
    EXPECT_SAYS(error("a.fvecs", bytes), "vector 1 has another dimension");
    EXPECT_SAYS(error("a.fvecs", fvecs(2, {1, 2, 3, NAN})), "vector 1 holds NaN");
    EXPECT_SAYS(error("a.fvecs", fvecs(2, {INFINITY, 2})), "vector 0 holds NaN or an infinity");
}

} // namespace
} // namespace rvf
