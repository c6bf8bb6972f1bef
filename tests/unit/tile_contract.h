// kernel/kernel.h as a checker: any export with any arguments, and what it may have changed. Used
// by red_zone_test.cpp and by the kernel fuzzer.
#pragma once

#include <algorithm>
#include <vector>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::test {

enum class Export {
    kInit,
    kLoadQuery,
    kLoadBlock,
    kDistances,
    kTopkMerge,
    kTopkRead,
    kLoadSqParams,
    kDequantI8,
    kLoadPqCodebook,
    kPqDistances,
    kLoadNeighbors,
    kGreedyStep,
    kVerifyHeader,
    kCrc32c,
};
constexpr uint32_t kExportCount = 14;

/// A call; 64-bit arguments are the node ids of the two navigation exports.
struct Call {
    Export name;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    int64_t node = 0;
};

constexpr uint32_t arity(Export name) {
    switch (name) {
        case Export::kInit:
        case Export::kTopkRead:
        case Export::kVerifyHeader:
            return 1;
        case Export::kLoadQuery:
        case Export::kDistances:
        case Export::kLoadSqParams:
        case Export::kCrc32c:
        case Export::kGreedyStep:
            return 2;
        case Export::kTopkMerge:
            return 4;
        default:
            return 3;
    }
}

inline int64_t run(const Call& call) {
    using namespace tile;
    switch (call.name) {
        case Export::kInit:
            return rvf_init(call.a);
        case Export::kLoadQuery:
            return rvf_load_query(call.a, call.b);
        case Export::kLoadBlock:
            return rvf_load_block(call.a, call.b, call.c);
        case Export::kDistances:
            return rvf_distances(call.a, call.b);
        case Export::kTopkMerge:
            return rvf_topk_merge(call.a, call.b, call.c, call.d);
        case Export::kTopkRead:
            return rvf_topk_read(call.a);
        case Export::kLoadSqParams:
            return rvf_load_sq_params(call.a, call.b);
        case Export::kDequantI8:
            return rvf_dequant_i8(call.a, call.b, call.c);
        case Export::kLoadPqCodebook:
            return rvf_load_pq_codebook(call.a, call.b, call.c);
        case Export::kPqDistances:
            return rvf_pq_distances(call.a, call.b, call.c);
        case Export::kLoadNeighbors:
            return rvf_load_neighbors(call.node, call.a, call.b);
        case Export::kGreedyStep:
            return rvf_greedy_step(call.node, call.a);
        case Export::kVerifyHeader:
            return rvf_verify_header(call.a);
        case Export::kCrc32c:
            return rvf_crc32c(call.a, call.b);
    }
    return 0;
}

/// A checksum may be any number; of the other exports a negative answer is a refusal, except that a
/// step answers -1 and -2.
inline bool refused(const Call& call, int64_t answer) {
    if (call.name == Export::kCrc32c) return answer == kInvalidPointer;
    return answer < (call.name == Export::kGreedyStep ? -2 : 0);
}

struct Range {
    tile::Address begin, end;
};

/// Where an accepted call may write.
inline std::vector<Range> writable(const Call& call, int64_t answer) {
    using namespace tile;
    const Range state = {kState, kResults}, results = {kResults, kRouting};
    const Range workspace = {kWorkspace, kMessage}, tables = {kTables, kHotCache};
    auto written = [&](uint32_t at, uint32_t bytes) {
        return Range{at, at + static_cast<uint32_t>(answer) * bytes};
    };
    switch (call.name) {
        case Export::kInit:
            return {{kConfig, kRouting}};
        case Export::kLoadQuery:
            return {state, workspace, {kQuery, kScratchEnd}};
        case Export::kLoadBlock:
            return {state};
        case Export::kDistances:
            return {workspace, written(call.b, 4)};
        case Export::kTopkMerge:
            return {state, results};
        case Export::kTopkRead:
            return {written(call.a, 12)};
        case Export::kLoadSqParams:
            return {state, tables};
        case Export::kDequantI8:
            return {written(call.b, 2)};
        case Export::kLoadPqCodebook:
            return {state, workspace, tables};
        case Export::kPqDistances:
            return {written(call.c, 4)};
        case Export::kLoadNeighbors:
            return {written(call.b, 8)};
        case Export::kGreedyStep:
            return {state, results, workspace, {kMessagePayload, kNeighborCache}, {0x100E, 0x1010}};
        case Export::kVerifyHeader:
            return {};
        case Export::kCrc32c:
            return {workspace};
    }
    return {};
}

/// Whether tile memory differs from `before` only where the call may have written.
inline bool kept_contract(const Tile& tile, const Buffer& before, const Call& call,
                          int64_t answer) {
    if (refused(call, answer)) return tile.equals(before);
    std::vector<Range> ranges = writable(call, answer);
    ranges.push_back({tile::kDataEnd, tile::kScratch}); // red_zone_is_zero() looks there
    ranges.push_back({tile::kScratchEnd, tile::kScratchEnd});
    std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.begin < b.begin; });
    tile::Address compared = 0;
    for (Range range : ranges) {
        if (!tile.equals(before, compared, range.begin)) return false;
        compared = std::max(compared, range.end);
    }
    return true;
}

} // namespace rvf::test
