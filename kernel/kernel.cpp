// The 14 exports: each checks its arguments against the memory map and the tile's state, then calls
// one function. kernel.h is the contract.
#include "kernel/kernel.h"

#include "kernel/crc32c.h"
#include "kernel/dispatch.h"
#include "kernel/distance.h"
#include "kernel/graph.h"
#include "kernel/hamming.h"
#include "kernel/memory.h"
#include "kernel/quantize.h"
#include "kernel/state.h"
#include "kernel/topk.h"

namespace rvf::tile {

#if defined(RVF_TILE_MODULE)
alignas(16) uint8_t tile_memory[kScratchEnd];
#else
thread_local uint8_t* tile_memory = nullptr;
#endif

namespace {

/// Elements of one vector that the profile takes: f16 and f32, or i8.
uint32_t max_dimension(uint32_t dtype) {
    if (config().profile != kCoreProfile) return kMaxDimension;
    return dtype == kI8 ? 768 : 384;
}

} // namespace

extern "C" {

int32_t rvf_init(uint32_t address) {
    if (address != kConfig && !usable(address, 1, sizeof(TileConfig))) return kInvalidPointer;
    auto used = load<uint32_t>(address); // profile, metric, k, reserved
    uint32_t profile = used & 0xFF;
    uint32_t k = used >> 16 & 0xFF;
    if (profile != kCoreProfile && profile != kHotProfile) return kTileUnsupported;
    if (k == 0 || k > kMaxTopK) return kKTooLarge;
    if (used & 0xFC00) return kMetricUnsupported;
    if (used >> 24) return kInvalidArgument;
    __builtin_memset(at(kState), 0, kRouting - kState);
    __builtin_memmove(at(kConfig), at(address), sizeof(TileConfig));
    return kOk;
}

int32_t rvf_load_query(uint32_t query, uint32_t dim) {
    // An i8 block may have more dimensions than an f16 one, so the query may too.
    if (dim == 0 || dim > max_dimension(kI8)) return kDimensionMismatch;
    if (!usable(query, dim, 2)) return kInvalidPointer;
    TileState& tile = state();
    decode_f16(query, kQuery, dim);
    tile.dimension = dim;
    distances_to_rows(kInnerProduct, kF32, kQuery, 1, kQuery, dim, kNegativeNorm);
    if (tile.tables == kPqTables || tile.sq_dimension != dim) tile.tables = kNoTables;
    tile.result_count = 0;
    forget_block();
    return kOk;
}

int32_t rvf_load_block(uint32_t block, uint32_t count, uint32_t dtype) {
    TileState& tile = state();
    if (dtype > kPqCodes) return kTileUnsupported;
    if (tile.dimension == 0) return kTileInvalidMessage;
    if (dtype == kPqCodes && tile.tables != kPqTables) return kTileInvalidMessage;
    if (tile.dimension > max_dimension(dtype)) return kDimensionMismatch;
    if (count == 0) return kInvalidArgument;
    if (!usable(block, count, row_bytes(dtype))) return kTileOutOfMemory;
    tile.block = block;
    tile.block_count = count;
    tile.block_dtype = dtype;
    return kOk;
}

int32_t rvf_distances(uint32_t metric, uint32_t result) {
    TileState& tile = state();
    uint32_t count = tile.block_count;
    if (metric > kHamming) return kMetricUnsupported;
    if (count == 0) return kTileInvalidMessage;
    if (!usable(result, count, 4)) return kInvalidPointer;
    if (tile.block_dtype == kPqCodes) return rvf_pq_distances(tile.block, count, result);
    if (metric == kHamming) {
        hamming_distances(result);
    } else {
        distances_to_rows(metric, tile.block_dtype, tile.block, count, kQuery, tile.dimension,
                          result);
    }
    return static_cast<int32_t>(count);
}

int32_t rvf_topk_merge(uint32_t dist, uint32_t id, uint32_t count, uint32_t k) {
    if (k == 0 || k > kMaxTopK) return kKTooLarge;
    if (!usable(dist, count, 4) || !usable(id, count, 8)) return kInvalidPointer;
    limit_results(k);
    for (uint32_t i = 0; i < count; ++i) {
        insert_candidate(load<float>(dist + 4 * i), load<uint64_t>(id + 8 * i), k);
    }
    return kOk;
}

int32_t rvf_topk_read(uint32_t out) {
    uint32_t count = state().result_count;
    if (!usable(out, count, 12)) return kInvalidPointer;
    for (uint32_t i = 0; i < count; ++i) {
        store(out + 12 * i, results()[i].id);
        store(out + 12 * i + 8, results()[i].distance);
    }
    return static_cast<int32_t>(count);
}

int32_t rvf_load_sq_params(uint32_t params, uint32_t dim) {
    if (dim == 0 || dim > kMaxDimension) return kDimensionMismatch;
    if (state().dimension && state().dimension != dim) return kDimensionMismatch;
    if (!usable(params, dim, 8)) return kInvalidPointer;
    return make_sq_tables(params, dim);
}

int32_t rvf_dequant_i8(uint32_t src, uint32_t dst, uint32_t count) {
    if (state().tables != kSqTables) return kTileInvalidMessage;
    if (!usable(src, count, 1) || !usable(dst, count, 2)) return kInvalidPointer;
    dequantize(src, dst, count);
    return static_cast<int32_t>(count);
}

int32_t rvf_load_pq_codebook(uint32_t codebook, uint32_t M, uint32_t K) {
    TileState& tile = state();
    uint32_t total = config().pq_subspaces ? config().pq_subspaces : M;
    bool more = tile.tables == kPqTables && tile.pq_loaded < tile.pq_subspaces;
    uint32_t loaded = more ? tile.pq_loaded : 0;
    if (config().profile == kCoreProfile) return kTileUnsupported;
    if (config().metric > kInnerProduct) return kMetricUnsupported;
    if (tile.dimension == 0) return kTileInvalidMessage;
    if (M == 0 || K == 0 || K > kMaxCentroids || (more && K != tile.pq_centroids)) {
        return kInvalidArgument;
    }
    if (tile.dimension % total || uint64_t{M} + loaded > total) return kDimensionMismatch;
    if (total * K * 4 > kTableBytes) return kTileOutOfMemory;
    uint32_t bytes = M * K * (tile.dimension / total) * 2;
    if (!usable(codebook, bytes, 1)) return kInvalidPointer;
    replace_tables(kPqTables);
    tile.pq_subspaces = total;
    tile.pq_loaded = loaded;
    tile.pq_centroids = K;
    append_pq_tables(codebook, M, K);
    return static_cast<int32_t>(tile.pq_loaded);
}

int32_t rvf_pq_distances(uint32_t codes, uint32_t count, uint32_t result) {
    const TileState& tile = state();
    uint32_t subspaces = tile.pq_subspaces;
    if (tile.tables != kPqTables || tile.pq_loaded < subspaces) return kTileInvalidMessage;
    uint32_t bytes = count * subspaces;
    if (!usable(codes, count, subspaces) || !usable(result, count, 4)) return kInvalidPointer;
    if (!codes_in_range(codes, bytes, tile.pq_centroids)) return kInvalidArgument;
    for (uint32_t i = 0; i < count; ++i) {
        store(result + 4 * i, pq_distance(codes + i * subspaces, subspaces, tile.pq_centroids));
    }
    return static_cast<int32_t>(count);
}

int32_t rvf_load_neighbors(int64_t node, uint32_t layer, uint32_t out) {
    if (!list_delivered(node, layer)) return kTileInvalidMessage;
    uint32_t count = neighbor_list().count;
    if (!usable(out, count, 8)) return kInvalidPointer;
    __builtin_memmove(at(out), neighbor_list().ids, count * 8);
    return static_cast<int32_t>(count);
}

int64_t rvf_greedy_step(int64_t current, uint32_t layer) {
    if (config().profile == kCoreProfile) return kTileUnsupported;
    if (!list_delivered(current, layer)) return kTileInvalidMessage;
    NeighborList& list = neighbor_list();
    if (list.done != list.count || state().block_count) {
        int32_t status = merge_block();
        if (status < 0) return status;
    }
    return list.done < list.count ? kListUnfinished : next_node(list.node, layer);
}

int32_t rvf_verify_header(uint32_t header) {
    if (!usable(header, 64, 1)) return kInvalidPointer;
    if (load<uint32_t>(header) != 0x52564653) return kInvalidMagic;
    if (load<uint8_t>(header + 4) != 1) return kInvalidVersion;
    uint64_t algorithms = load<uint64_t>(header + 0x20); // hash, compression, six reserved bytes
    if (algorithms & ~uint64_t{0x0303}) return kInvalidArgument;
    return load<uint64_t>(header + 0x10) > 0x10000000 ? kSegmentTooLarge : kOk;
}

int32_t rvf_crc32c(uint32_t data, uint32_t len) {
    if (!usable(data, len, 1)) return kInvalidPointer;
    return static_cast<int32_t>(crc32c(0, data, len));
}

} // extern "C"

void serve_message() {
    uint32_t before = crc32c(0, 0, kRouting);
    uint32_t type = load<uint16_t>(kMessage);
    uint32_t length = load<uint16_t>(kMessage + 2);
    int32_t answer = kTileInvalidMessage;
    if (length - kChecksumBytes <= kMaxPayload - kChecksumBytes &&
        crc32c(0, kMessage, sizeof(MessageHeader) + length) == kChecksumResidue) {
        answer = serve(type, length - kChecksumBytes);
    }
    length = sizeof(ReplyHeader) + sizeof(NeighborList);
    __builtin_memcpy(at(kReplyBody), at(kNeighborCache), sizeof(NeighborList));
    if (answer == kTopKResult) {
        length = sizeof(ReplyHeader) + 12 * static_cast<uint32_t>(rvf_topk_read(kReplyBody));
    }
    if (answer < 0) {
        store(kReplyBody, type | static_cast<uint32_t>(-answer) << 16);
        answer = kError;
    }
    store(kMessage, static_cast<uint32_t>(answer) | (length + kChecksumBytes) << 16);
    store(kMessagePayload, before);
    store(kMessagePayload + 4, crc32c(0, 0, kRouting));
    store(kMessagePayload + 8, state().operands);
    store(kMessagePayload + length, crc32c(0, kMessage, sizeof(MessageHeader) + length));
}

} // namespace rvf::tile
