// Graph search, natively: our engine, or hnswlib when RVF_HNSWLIB is defined, in CPU time.
// usage: bench_hnsw DATA DIMENSION ROWS QUERIES ANSWERS EF...
//
// DATA holds f32 rows, then queries. Prints JSON: seconds of the build, and for each ef the seconds
// of one query. Writes the ids found, ten u32 a query and all queries for each ef, to ANSWERS.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vector>

#ifdef RVF_HNSWLIB
#include <hnswlib/hnswlib.h>
#else
#include "bench/hnsw_engine.h"
#endif

namespace {

constexpr uint32_t kK = 10;
constexpr double kLeastSeconds = 0.2; ///< of all queries with one ef

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

#ifdef RVF_HNSWLIB

struct Program {
    hnswlib::L2Space space;
    hnswlib::HierarchicalNSW<float> graph;
    const float* rows;
    uint32_t dimension;
    uint32_t count;

    Program(const float* first, uint32_t dimensions, uint32_t row_count)
        : space(dimensions),
          graph(&space, row_count, 16, 200),
          rows(first),
          dimension(dimensions),
          count(row_count) {}

    void build() {
        for (uint32_t i = 0; i < count; ++i) graph.addPoint(rows + size_t{i} * dimension, i);
    }
    void search(const float* query, uint32_t ef, uint32_t* ids) {
        graph.setEf(ef);
        auto found = graph.searchKnn(query, kK);
        for (uint32_t i = 0; !found.empty(); found.pop()) {
            ids[i++] = static_cast<uint32_t>(found.top().second);
        }
    }
};

#else

struct Program {
    rvf::bench::Engine engine;

    Program(const float* rows, uint32_t dimension, uint32_t count) {
        engine.make(dimension);
        engine.add(reinterpret_cast<const uint8_t*>(rows), count);
    }
    void build() { engine.build(); }
    void search(const float* query, uint32_t ef, uint32_t* ids) {
        uint8_t hits[12 * kK];
        uint32_t found = engine.search(reinterpret_cast<const uint8_t*>(query), kK, ef, hits);
        for (uint32_t i = 0; i < found; ++i) ids[i] = rvf::load<uint32_t>(hits + 12 * i);
    }
};

#endif

} // namespace

int main(int argc, char** argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: bench_hnsw DATA DIMENSION ROWS QUERIES ANSWERS EF...\n");
        return 2;
    }
    auto argument = [&](int i) { return static_cast<uint32_t>(atoi(argv[i])); };
    uint32_t dimension = argument(2), rows = argument(3), queries = argument(4);
    std::vector<float> data(size_t{dimension} * (rows + queries));
    FILE* file = fopen(argv[1], "rb");
    if (!file || fread(data.data(), 4, data.size(), file) != data.size()) {
        fprintf(stderr, "bench_hnsw: %s does not hold that many rows\n", argv[1]);
        return 1;
    }
    fclose(file);
    const float* first_query = data.data() + size_t{dimension} * rows;

    Program program(data.data(), dimension, rows);
    double start = cpu_seconds();
    program.build();
    printf("{\"build\":%.6f,\"query\":[", cpu_seconds() - start);

    FILE* answers = fopen(argv[5], "wb");
    if (!answers) return 1;
    std::vector<uint32_t> ids(size_t{queries} * kK);
    for (int i = 6; i < argc; ++i) {
        uint32_t ef = argument(i);
        auto all = [&] {
            for (uint32_t q = 0; q < queries; ++q) {
                program.search(first_query + size_t{q} * dimension, ef, ids.data() + q * kK);
            }
        };
        all();
        fwrite(ids.data(), 4, ids.size(), answers);
        uint32_t rounds = 0;
        start = cpu_seconds();
        double seconds;
        do {
            all();
            ++rounds;
            seconds = cpu_seconds() - start;
        } while (seconds < kLeastSeconds);
        printf("%s%.9f", i > 6 ? "," : "", seconds / rounds / queries);
    }
    fclose(answers);
    printf("]}\n");
}
