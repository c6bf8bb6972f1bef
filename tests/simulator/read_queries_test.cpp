// Queries, as people give them.
#include "host/sim/read_queries.h"
#include "tests/simulator/read_support.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

struct Asked {
    std::vector<std::vector<float>> queries;
    std::string error;
};

Asked ask(const std::string& text, size_t most = 1000) {
    static const Reading reading = [] {
        FileBuilder file = small_file();
        file.commit();
        return read_bytes_as_file(file.bytes);
    }();
    Asked asked;
    asked.queries = {{9, 9}};
    asked.error = sim::read_queries(text, reading.file, most, asked.queries);
    EXPECT_EQ(asked.queries[0], (std::vector<float>{9, 9}));
    asked.queries.erase(asked.queries.begin());
    if (!asked.error.empty()) EXPECT_TRUE(asked.queries.empty());
    return asked;
}

using Vectors = std::vector<std::vector<float>>;

TEST(Queries, FromTheCommandLine) {
    EXPECT_EQ(ask("0.1,-2").queries, (Vectors{{0.1f, -2}}));
    EXPECT_EQ(ask(" +1 , 3e-1 ").queries, (Vectors{{1, 0.3f}}));
    EXPECT_EQ(ask("1e-50,.5").error,
              "element 1 of the query, \"1e-50\" is outside the range of f32");
    EXPECT_SAYS(ask("1").error, "the query has 1 dimension, but the vectors of ");
    EXPECT_SAYS(ask("1,2,3").error, "the query has 3 dimensions, but the vectors of ");
    EXPECT_SAYS(ask("1,").error, "element 2 of the query, \"\" is not a number");
    EXPECT_SAYS(ask("1,,2").error, "element 2 of the query");
    EXPECT_SAYS(ask("1,2e").error, "\"2e\" is not a number");
    EXPECT_SAYS(ask("1,--2").error, "\"--2\" is not a number");
    EXPECT_SAYS(ask("1,+-2").error, "\"+-2\" is not a number");
    EXPECT_SAYS(ask("1,1e39").error, "\"1e39\" is outside the range of f32");
    EXPECT_SAYS(ask("1 2,3").error, "\"1 2\" is not a number");
    EXPECT_SAYS(ask("").error, "the query is empty");
    EXPECT_SAYS(ask("1,x").error, "element 2 of the query, \"x\" is not a number");
    EXPECT_SAYS(ask("1,nan").error, "holds NaN or an infinity");
    EXPECT_SAYS(ask("1,-inf").error, "holds NaN or an infinity");
    EXPECT_SAYS(ask("./1,2").error, "there is no file ./1,2");
    EXPECT_SAYS(ask("x,2").error, "there is no file x,2");
    EXPECT_SAYS(ask("1,2", 0).error, "no queries were asked for");
}

TEST(Queries, ById) {
    EXPECT_EQ(ask("id:3").queries, (Vectors{{3, 4}}));
    EXPECT_EQ(ask("id:7").queries, (Vectors{{1, 2}}));
    EXPECT_SAYS(ask("id:4").error, "holds no vector with the id 4");
    for (const char* text :
         {"id:", "id:x", "id:-1", "id:1.0", "id: 3", "id:18446744073709551616"}) {
        EXPECT_SAYS(ask(text).error, "an id is a whole number from 0 to 18446744073709551615");
    }
}

TEST(Queries, FromFiles) {
    Folder folder;
    std::string raw = folder.put("q.fvecs", fvecs(2, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(ask(raw).queries, (Vectors{{1, 2}, {3, 4}, {5, 6}}));
    EXPECT_EQ(ask(raw, 2).queries, (Vectors{{1, 2}, {3, 4}}));
    EXPECT_EQ(ask(folder.put("q.bvecs", {2, 0, 0, 0, 8, 9})).queries, (Vectors{{8, 9}}));
    FileBuilder file;
    file.add_vectors({5, 6}, {1, 1, 2, 2});
    file.commit();
    EXPECT_EQ(ask(folder.put("q.rvf", file.bytes)).queries, (Vectors{{1, 1}, {2, 2}}));

    EXPECT_SAYS(ask(folder.path("none.rvf")).error, "there is no file");
    EXPECT_SAYS(ask(fixture_path("made_dim3.rvf")).error,
                "made_dim3.rvf has 3 dimensions, but the vectors of ");
    EXPECT_SAYS(ask(fixture_path("made_empty.rvf")).error, "holds no vectors, so no queries");
    EXPECT_SAYS(ask(fixture_path("made_odd_values.rvf")).error, "holds NaN or an infinity");
    EXPECT_SAYS(ask(fixture_path("README.md")).error, "is not an RVF file");
}

} // namespace
} // namespace rvf
