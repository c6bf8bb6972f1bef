// hnswlib in a process of its own, for bench/peers: what serve.mjs is for the others, with the same
// requests and replies. usage: bench_peer_hnswlib NAME DATA DIMENSION ROWS SAVED
//
// DATA holds f32 rows, then queries. An index is saved to SAVED.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <hnswlib/hnswlib.h>

namespace {

constexpr size_t kK = 10;
constexpr size_t kM = 16;
constexpr size_t kEfConstruction = 200;
constexpr size_t kOpenEf = 64;
constexpr size_t kWarmUp = 20; ///< queries

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Bytes of the process that are in memory.
long resident() {
    long all = 0, here = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &all, &here) != 2) here = 0;
    fclose(file);
    return here * sysconf(_SC_PAGESIZE);
}

using Answer = std::priority_queue<std::pair<float, hnswlib::labeltype>>;
using Graph = hnswlib::HierarchicalNSW<float>;

struct Program {
    std::vector<float> data;
    size_t dimension;
    size_t rows;
    std::string saved;
    hnswlib::L2Space space;
    std::unique_ptr<Graph> graph;
    std::unique_ptr<hnswlib::BruteforceSearch<float>> scan;
    long bytes = 0; ///< that the graph took

    Program(std::vector<float> vectors, size_t dimensions, size_t row_count, std::string path)
        : data(std::move(vectors)),
          dimension(dimensions),
          rows(row_count),
          saved(std::move(path)),
          space(dimensions) {}

    const float* row(size_t i) const { return data.data() + i * dimension; }

    void build() {
        long before = resident();
        graph = std::make_unique<Graph>(&space, rows, kM, kEfConstruction);
        for (size_t i = 0; i < rows; ++i) graph->addPoint(row(i), i);
        bytes = resident() - before;
    }

    /// The rows once more, for the scan.
    void prepare(bool exact, size_t ef) {
        graph->setEf(ef);
        if (!exact || scan) return;
        scan = std::make_unique<hnswlib::BruteforceSearch<float>>(&space, rows);
        for (size_t i = 0; i < rows; ++i) scan->addPoint(row(i), i);
    }

    Answer search(bool exact, size_t query) const {
        return exact ? scan->searchKnn(row(rows + query), kK)
                     : graph->searchKnn(row(rows + query), kK);
    }

    Answer open() {
        Graph opened(&space, saved);
        opened.setEf(kOpenEf);
        return opened.searchKnn(row(rows), kK);
    }
};

void print_ids(Answer answer) {
    printf("[");
    for (const char* comma = ""; !answer.empty(); answer.pop(), comma = ",") {
        printf("%s%zu", comma, answer.top().second);
    }
    printf("]");
}

double timed(Program& program, bool exact, size_t queries, double least) {
    for (size_t i = 0; i < std::min(queries, kWarmUp); ++i) program.search(exact, i);
    size_t passes = 0;
    double start = cpu_seconds(), spent;
    do {
        for (size_t i = 0; i < queries; ++i) program.search(exact, i);
        ++passes;
        spent = cpu_seconds() - start;
    } while (spent < least);
    return spent / static_cast<double>(passes) / static_cast<double>(queries);
}

void reply(Program& program, const char* name, const std::string& request) {
    double start = cpu_seconds();
    if (request == "hello") {
        printf("{\"name\":\"%s\",\"kind\":\"native\",\"can\":[\"search\",\"exact\",\"open\"]}",
               name);
    } else if (request == "build") {
        program.build();
        printf("{\"seconds\":%.6f}", cpu_seconds() - start);
    } else if (request == "memory") {
        printf("{\"bytes\":%ld,\"what\":\"resident set\"}", program.bytes);
    } else if (request == "save") {
        program.graph->saveIndex(program.saved);
        printf("{\"seconds\":%.6f}", cpu_seconds() - start);
    } else if (request == "open") {
        Answer answer = program.open();
        printf("{\"seconds\":%.6f,\"ids\":[", cpu_seconds() - start);
        print_ids(answer);
        printf("]}");
    } else {
        char kind[16];
        size_t ef, limit, queries;
        double least;
        if (scanf("%15s %zu %zu %zu", kind, &ef, &limit, &queries) != 4) exit(1);
        bool exact = std::string(kind) == "exact";
        program.prepare(exact, ef);
        if (request == "time" && scanf("%lf", &least) == 1) {
            printf("{\"seconds\":%.9f}", timed(program, exact, queries, least));
        } else {
            printf("{\"ids\":[");
            for (size_t i = 0; i < queries; ++i) {
                printf("%s", i ? "," : "");
                print_ids(program.search(exact, i));
            }
            printf("]}");
        }
    }
    printf("\n");
    fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: bench_peer_hnswlib NAME DATA DIMENSION ROWS SAVED\n");
        return 2;
    }
    std::vector<float> data;
    FILE* file = fopen(argv[2], "rb");
    if (!file || fseek(file, 0, SEEK_END)) return 1;
    data.resize(static_cast<size_t>(ftell(file)) / sizeof(float));
    rewind(file);
    if (fread(data.data(), sizeof(float), data.size(), file) != data.size()) return 1;
    fclose(file);

    Program program(std::move(data), strtoul(argv[3], nullptr, 10), strtoul(argv[4], nullptr, 10),
                    argv[5]);
    char request[16];
    while (scanf("%15s", request) == 1) reply(program, argv[1], request);
}
