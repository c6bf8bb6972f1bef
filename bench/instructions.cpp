// Work to be counted by callgrind, for bench/instructions.mjs: prepares a tile, then does one thing
// REPEATS times. usage: bench_instructions CASE REPEATS
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <string>
#include <vector>

#include "kernel/kernel.h"
#include "kernel/memory.h"
#include "kernel/protocol.h"

namespace {

using namespace rvf;
using namespace rvf::tile;

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kDimension = 384;
constexpr uint32_t kRows = 40;      ///< of a block whose distances are counted
constexpr uint32_t kNeighbors = 16; ///< of a list
constexpr uint32_t kMaxPart = kMaxPayload - sizeof(LoadHeader) - kChecksumBytes;

template <typename T>
void append(Bytes& bytes, T value) {
    const auto* begin = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof(T));
}

/// A message with its checksum.
Bytes message(MessageType type, const Bytes& content = {}) {
    Bytes bytes;
    append(bytes, static_cast<uint16_t>(type));
    append(bytes, static_cast<uint16_t>(content.size() + kChecksumBytes));
    append(bytes, uint32_t{1});
    bytes.insert(bytes.end(), content.begin(), content.end());
    uint32_t crc = ~0u;
    for (uint8_t byte : bytes)
        crc = crc >> 8 ^ crc_table_entry((crc ^ byte) & 0xFF, kCrc32cPolynomial);
    append(bytes, ~crc);
    return bytes;
}

/// One part: load header, the list (at its place) and `rest` bytes of ones.
Bytes part(MessageType type, LoadHeader header, const Bytes& list, const Bytes& rest) {
    header.list_to = kNeighborCache;
    header.list_bytes = static_cast<uint16_t>(list.size());
    Bytes content;
    append(content, header);
    content.insert(content.end(), list.begin(), list.end());
    content.insert(content.end(), rest.begin(), rest.end());
    return message(type, content);
}

Bytes list_bytes(int64_t node, uint32_t layer, uint32_t count) {
    Bytes bytes;
    append(bytes,
           NeighborList{static_cast<uint64_t>(node), layer, static_cast<uint16_t>(count), 0});
    for (uint64_t id = 0; id < count; ++id) append(bytes, id);
    return bytes;
}

Bytes halves(uint32_t count) {
    Bytes bytes;
    for (uint32_t i = 0; i < count; ++i) append(bytes, static_cast<uint16_t>(0x3800 + i));
    return bytes;
}

Bytes config_bytes() {
    Bytes bytes(sizeof(TileConfig));
    bytes[0] = kHotProfile;
    bytes[2] = kMaxTopK;
    return bytes;
}

const Bytes kQueryMessage = part(
    kLoadQuery, {kNeighborCache, kNeighborCache, kDimension, 0, 0, 0, 1}, {}, halves(kDimension));

/// A block of f16 rows that lie there already, with the ids of `count` vectors.
Bytes declare_block(Address at, uint16_t count) {
    return part(kLoadBlock, {at, at, count, 0, 0, kF16, 1}, list_bytes(-1, 0, count), {});
}

void ring(const Bytes& bytes) {
    std::memcpy(at(kMessage), bytes.data(), bytes.size());
    serve_message();
}

/// What is prepared, and what is then done again and again.
struct Case {
    const char* name;
    std::vector<Bytes> prepared, repeated;
};

std::vector<Case> message_cases() {
    const Bytes part_bytes(kMaxPart, 0x3C);
    const Bytes list = list_bytes(7, 0, kNeighbors);
    const Bytes empty_list = list_bytes(7, 0, 0);
    const Bytes pairs(8 * 250, 0);
    const Bytes block = declare_block(kBlock, kRows);
    const Bytes step = part(kLoadBlock, {kHotCache, kHotCache, 1, 0, 0, kF16, 1},
                            list_bytes(7, 0, kNeighbors), {});
    return {
        {"nothing", {}, {}},
        {"LOAD_QUERY", {}, {kQueryMessage}},
        {"LOAD_BLOCK part",
         {},
         {part(kLoadBlock, {kBlock, kBlock, 80, 0, 0, kF16, 0}, {}, part_bytes)}},
        {"LOAD_BLOCK last", {kQueryMessage}, {block}},
        {"LOAD_NEIGHBORS",
         {kQueryMessage},
         {part(kLoadNeighbors, {0, 0, 0, 0, 0, 0, 1}, list, {})}},
        {"LOAD_NEIGHBORS empty",
         {kQueryMessage},
         {part(kLoadNeighbors, {0, 0, 0, 0, 0, 0, 1}, empty_list, {})}},
        {"LOAD_PARAMS configuration",
         {},
         {part(kLoadParams, {kBlock, kBlock, 0, 0, 0, kConfigParams, 1}, {}, config_bytes())}},
        {"LOAD_PARAMS SQ",
         {},
         {part(kLoadParams, {kBlock, kBlock, 250, 0, 0, kSqParams, 1}, {}, pairs)}},
        {"COMPUTE", {kQueryMessage}, {block, message(kCompute)}},
        {"search step", {kQueryMessage}, {step}},
        {"READ_TOPK", {kQueryMessage, block, message(kCompute)}, {message(kReadTopK)}},
        {"RESET", {}, {message(kReset)}},
        {"refused", {}, {Bytes(12)}},
    };
}

/// Distances of a block: "distances DTYPE METRIC SCALED".
bool distances(uint32_t dtype, uint32_t metric, bool scaled, uint32_t repeats) {
    ring(kQueryMessage);
    for (uint32_t i = 0; scaled && i < 2 * kDimension; ++i)
        store(kBlock + 4 * i, i % 2 ? 1.0f : -1.0f);
    if (scaled && rvf_load_sq_params(kBlock, kDimension)) return false;
    // The bits of bench/distance.cpp.
    for (Address i = 0; i < kRows * kDimension * 4; i += 4) {
        store(kBlock + i, dtype == kF32 ? 0x3F000000 + i : 0x38003900 + i % 200);
    }
    uint32_t rows = dtype == kF32 ? kRows / 2 : kRows;
    if (rvf_load_block(kBlock, rows, dtype)) return false;
    for (uint32_t i = 0; i < repeats; ++i) rvf_distances(metric, kNeighborCache);
    return true;
}

} // namespace

int main(int count, char** arguments) {
    alignas(64) static uint8_t memory[kScratchEnd];
    tile_memory = memory;
    if (count == 6 && std::string(arguments[1]) == "distances") {
        auto number = [&](int i) { return static_cast<uint32_t>(atoi(arguments[i])); };
        return distances(number(2), number(3), number(4), number(5)) ? 0 : 1;
    }
    if (count != 3) {
        fprintf(stderr,
                "usage: bench_instructions CASE REPEATS | distances DTYPE METRIC SCALED REPEATS\n");
        return 2;
    }
    auto repeats = static_cast<uint32_t>(atoi(arguments[2]));
    for (const Case& one : message_cases()) {
        if (arguments[1] != std::string(one.name)) continue;
        for (const Bytes& bytes : one.prepared) ring(bytes);
        for (uint32_t i = 0; i < repeats; ++i) {
            for (const Bytes& bytes : one.repeated) ring(bytes);
        }
        MessageHeader reply = load<MessageHeader>(kMessage);
        printf("%u\n", reply.type);
        return 0;
    }
    fprintf(stderr, "There is no case \"%s\".\n", arguments[1]);
    return 2;
}
