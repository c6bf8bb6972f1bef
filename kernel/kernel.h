// rvf_kernel.wasm: the tile microkernel. This header is its manual.
//
// A tile has 8 KB of data memory and 64 KB of SIMD scratch, no allocator, no imports and no state
// outside that memory. The host writes operands into the memory, calls one of 14 exports and reads
// the result back. Pattern: load (configuration, query, block, parameters) -> compute -> read.
//
// Source: upstream's specification of a tile (docs/decisions.md, "The tile"); memory map:
// kernel/memory_map.h.
//
// Addresses. Every pointer is an address in tile memory. Operands and results may lie wherever the
// kernel keeps nothing of its own: 0x00200 - 0x003FF, 0x00800 - 0x01FFF and 0x10000 - 0x1EFFF, and
// not in the table area (0x18000 - 0x1BFFF) while it holds tables. Everything else answers
// kInvalidPointer. A result may overlap its operand, but then it is made from what is there by
// then. Up to 14 bytes behind an operand may be read; no distance depends on them. No address needs
// alignment. Little-endian throughout.
//
// Failure. A negative answer is a Status (kernel/status.h); the tile is then exactly as before the
// call. Numbers are checked before memory is touched, so no argument can make an export trap.
//
// Numerics. Distances are f32 sums in a fixed order: the same input gives the same bits in every
// build, wasm or native. Processors differ in the NaN they make, so a result is only ever the one
// NaN 0x7FC00000. A sum of d products is off by at most max(d / 16 + 6, 16) * 2^-24 of the sum of
// their absolute values, an L2 distance by two units more.
#pragma once

#include <stdint.h>

#include "kernel/memory_map.h"
#include "kernel/status.h"

namespace rvf::tile {

/// How the elements of a block are stored.
enum DType : uint32_t {
    kF16 = 0,     ///< IEEE half precision, 2 bytes; subnormals, infinities and NaN included
    kI8 = 1,      ///< one signed byte; scaled by the SQ parameters when they are loaded
    kF32 = 2,     ///< IEEE single precision, 4 bytes
    kPqCodes = 3, ///< one byte per PQ subspace; the tables must be complete
};

/// What rvf_distances computes; smaller is nearer.
enum Metric : uint32_t {
    kL2 = 0,           ///< sum of squared differences, no square root
    kInnerProduct = 1, ///< minus the dot product
    kCosine = 2,       ///< 1 - dot / (|q| |x|); 1.0 when either norm is zero
    kHamming = 3,      ///< differing bits between the raw bytes of query and vector
};

/// What a tile promises to take.
enum Profile : uint8_t {
    kCoreProfile = 1, ///< at most 384 dimensions of f16 or f32, 768 of i8
    kHotProfile = 2,  ///< at most 1,024 dimensions; PQ and graph navigation
};

/// The 64-byte block that rvf_init reads.
struct TileConfig {
    uint8_t profile;       ///< a Profile
    uint8_t metric;        ///< the Metric of PQ tables, of rvf_greedy_step and of COMPUTE
    uint8_t k;             ///< entries kept by rvf_greedy_step (the beam) and COMPUTE, 1 to 16
    uint8_t reserved0;     ///< zero
    uint16_t pq_subspaces; ///< all PQ subspaces when the codebook comes in parts; 0: in one part
    uint8_t host[58];      ///< the host's; kept and never read
};
static_assert(sizeof(TileConfig) == 64);

/// A neighbour list as the host delivers it at kNeighborCache (0x1000), for load_neighbors and
/// greedy_step. At most 510 ids. Ids at or above 2^63 cannot be navigated: the answers of
/// rvf_greedy_step are signed.
struct NeighborList {
    uint64_t node;  ///< whose neighbours these are; all ones: the entry points of a search
    uint32_t layer; ///< graph layer, 0 is the bottom
    uint16_t count; ///< how many ids follow
    uint16_t done;  ///< zero; rvf_greedy_step counts here how many it has compared
    uint64_t ids[]; ///< the neighbours
};

constexpr uint32_t kMaxTopK = 16;
constexpr uint32_t kMaxDimension = 1024;
constexpr uint32_t kMaxCentroids = 64;

extern "C" {

// --- Core query path ---

/// Starts the tile afresh with the TileConfig at `config` (0x00000, its home in the memory map, is
/// allowed too): forgets query, block, parameters and results. A tile that was never started works
/// as a Hot one with L2 and k = 16. Answers 0; kTileUnsupported for an unknown profile, kKTooLarge
/// for k outside 1..16, kMetricUnsupported for a metric above 3, kInvalidArgument when the reserved
/// byte is not zero.
int32_t rvf_init(uint32_t config);

/// Loads a query of `dim` f16 elements (1 to 1,024 or the profile's limit) and widens it to f32.
/// Empties the top-K and forgets block and PQ tables, which belonged to the last query; SQ
/// parameters of the same dimension stay. Answers 0, or kDimensionMismatch.
int32_t rvf_load_query(uint32_t query, uint32_t dim);

/// Declares `count` vectors of the query's dimension, row after row without padding, at `block`.
/// They are used in place. Scratch is their region: below 0x18000 while quantizer tables are loaded
/// (or in the hot cache, 0x1C000 - 0x1EFFF), else below 0x1F000. Answers 0; kTileInvalidMessage
/// without a query, or without PQ tables for PQ codes; kTileUnsupported for an unknown dtype,
/// kInvalidArgument for a count of 0, kTileOutOfMemory when they do not lie in one usable range,
/// kDimensionMismatch above the profile's limit for dtype.
int32_t rvf_load_block(uint32_t block, uint32_t count, uint32_t dtype);

/// Writes one f32 distance per vector of the block to `result` and answers their number. i8 with SQ
/// parameters compares the f32 query with the decoded values, without them with the plain integers.
/// Hamming compares the first bytes of the query in its own form: f16 bytes as they were loaded for
/// f16 and i8 blocks, widened f32 bytes for f32 blocks. PQ codes answer as rvf_pq_distances does,
/// whatever the metric. kMetricUnsupported for a metric above 3, kTileInvalidMessage without a
/// block.
int32_t rvf_distances(uint32_t metric, uint32_t result);

/// Merges `count` (f32 distance at `dist`, u64 id at `id`) pairs into the top-K of `k` entries (1
/// to 16, else kKTooLarge) that the tile keeps until the next query or init. Nearer first, ties by
/// the smaller id, NaN never. An id that is already held keeps its nearer distance, so merging a
/// block twice changes nothing. A smaller k than before drops the surplus. Answers 0.
int32_t rvf_topk_merge(uint32_t dist, uint32_t id, uint32_t count, uint32_t k);

/// Writes the top-K to `out` as 12-byte pairs (id u64, distance f32), nearest first; answers their
/// number. The tile keeps them.
int32_t rvf_topk_read(uint32_t out);

// --- Quantization ---

/// Loads `dim` pairs of f32 (minimum, maximum): value = min + (code + 128) / 255 * (max - min).
/// They replace PQ tables, and a block that reaches into the table area (above 0x18000). Answers 0;
/// kDimensionMismatch unless dim is the query's when there is one, kNotFinite when a pair or its
/// range is NaN or infinite.
int32_t rvf_load_sq_params(uint32_t params, uint32_t dim);

/// Decodes `count` i8 codes at `src` to f16 at `dst` with the SQ parameters, dimension after
/// dimension, rounding to nearest even. Answers `count`; kTileInvalidMessage without SQ parameters.
int32_t rvf_dequant_i8(uint32_t src, uint32_t dst, uint32_t count);

/// Computes the table of distances between the query and `M` subspaces of `K` f16 centroids (1 to
/// 64) at `codebook`, laid out [M][K][dimension / subspaces]. Metrics L2 and inner product. When
/// TileConfig.pq_subspaces is set, successive calls continue until all have been given, so that a
/// codebook larger than the block area can pass through it. Replaces SQ parameters. The codebook is
/// not needed afterwards. Answers how many subspaces are loaded now; kTileUnsupported on Core,
/// kMetricUnsupported for cosine and Hamming, kTileInvalidMessage without a query, kInvalidArgument
/// for M or K of 0, K above 64 or another K than before, kDimensionMismatch when the subspaces do
/// not divide the dimension or are more than are left, kTileOutOfMemory when the tables do not fit.
int32_t rvf_load_pq_codebook(uint32_t codebook, uint32_t M, uint32_t K);

/// Sums the table entries of `count` vectors of one-byte codes at `codes`, [count][subspaces], to
/// f32 at `result`; answers `count`. kTileInvalidMessage until all subspaces are loaded;
/// kInvalidArgument when any code is K or more, and nothing is written then.
int32_t rvf_pq_distances(uint32_t codes, uint32_t count, uint32_t result);

// --- HNSW navigation (pull mode) ---

/// Copies the ids of the NeighborList at 0x01000 to `out` (u64 each) and answers their number, when
/// that list is the one of `node` on `layer`; else kTileInvalidMessage.
int32_t rvf_load_neighbors(int64_t node, uint32_t layer, uint32_t out);

/// One step of a search at node `current` (-1: the entry points) on `layer`. The delivered
/// NeighborList must be that node's, and the block must hold the vectors of its ids, or of the next
/// part of them; it is used up. Computes their distances in the message buffer, merges them into
/// the top-K and answers where to go next:
///   an upper layer: the nearest node seen so far, when that is not `current`;
///   layer 0: the nearest entry of the top-K that has not been expanded yet (best-first; the beam);
///   -1: nowhere, the layer is done;
///   -2: the list has more ids; load their vectors and call again.
/// Negative answers below -2 are statuses: kTileUnsupported on Core, kTileInvalidMessage without
/// the list or without a block, kInvalidArgument for more vectors than ids.
int64_t rvf_greedy_step(int64_t current, uint32_t layer);

// --- Segment verification ---

/// Checks the 64-byte segment header at `header`: magic, version 1, hash and compression codes from
/// 0 to 3, zero reserved fields, payload of at most 256 MiB. Answers 0, kInvalidMagic,
/// kInvalidVersion, kInvalidArgument or kSegmentTooLarge. (The content hash covers the payload, not
/// the header.)
int32_t rvf_verify_header(uint32_t header);

/// CRC32C (Castagnoli) of `len` bytes; "123456789" gives 0xE3069283. Where operands may not lie it
/// answers kInvalidPointer, a value that one checksum in 2^32 shares.
int32_t rvf_crc32c(uint32_t data, uint32_t len);

} // extern "C"

/// The doorbell, exported as `_start`: serves the message at 0x00800 and leaves the reply there
/// (kernel/PROTOCOL.md). What it cannot serve it answers with an ERROR message.
#if defined(RVF_TILE_MODULE)
__attribute__((export_name("_start")))
#endif
void serve_message();

} // namespace rvf::tile
