// Any bytes as a program of a host that drives a tile: it writes operands into tile memory and
// calls the 14 exports with whatever arguments. A refused call must change nothing, an accepted one
// only what the manual allows, and what is not on a tile must be neither read nor written.
#include "tests/fuzz/require.h"
#include "tests/unit/tile_contract.h"

namespace rvf::test {
namespace {

using namespace tile;

/// The next numbers of the program; zeros when it is over.
class Program {
public:
    Program(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    bool over() const { return size_ == 0; }

    template <typename T>
    T next() {
        T value = 0;
        size_t bytes = sizeof(T) < size_ ? sizeof(T) : size_;
        if (bytes) std::memcpy(&value, data_, bytes);
        data_ += bytes;
        size_ -= bytes;
        return value;
    }

    /// Where operands may lie, mostly; sometimes anything.
    Address next_address() {
        constexpr Address kBases[] = {kRouting, kMessage,  kNeighborCache, kBlock,
                                      kTables,  kHotCache, kQuery,         kDataEnd};
        uint8_t kind = next<uint8_t>();
        if (kind >= 0xF0) return next<uint32_t>();
        uint32_t offset = kind & 0x80 ? next<uint16_t>() : next<uint8_t>();
        Address base = kBases[kind % 8];
        return kind & 0x40 ? base - offset : base + offset;
    }

    /// Small, mostly; sometimes anything.
    uint32_t next_count() {
        uint8_t count = next<uint8_t>();
        if (count < 0xC0) return count;
        return count < 0xF0 ? next<uint16_t>() : next<uint32_t>();
    }

private:
    const uint8_t* data_;
    size_t size_;
};

/// Whether a host may write here.
bool is_hosts(Address address, uint64_t size) {
    constexpr Range kHosts[] = {{kRouting, kWorkspace}, {kMessage, kDataEnd}, {kScratch, kQuery}};
    for (Range range : kHosts) {
        if (address >= range.begin && address + size <= range.end) return true;
    }
    return false;
}

void write(Tile& tile, Address address, const Buffer& bytes) {
    if (is_hosts(address, bytes.size())) tile.write(address, bytes);
}

void write_bytes(Tile& tile, Program& program) {
    Address address = program.next_address();
    Buffer bytes(program.next<uint8_t>() % 65);
    for (uint8_t& byte : bytes) byte = program.next<uint8_t>();
    write(tile, address, bytes);
}

/// Many bytes for few: numbers of one kind, so that they mean something.
void write_pattern(Tile& tile, Program& program) {
    Address address = program.next_address();
    Buffer bytes(program.next<uint16_t>() & ~3u);
    uint8_t kind = program.next<uint8_t>();
    Random random(kind);
    for (size_t i = 0; i < bytes.size(); i += 4) {
        auto word = static_cast<uint32_t>(random.bits());
        if (kind % 4 == 0) word = bits_of(random.between(-4, 4));
        if (kind % 4 == 1) word = nearest_half(random.between(-4, 4)) * 0x10001u;
        if (kind % 4 == 2) word &= 0x07070707; // codes
        std::memcpy(&bytes[i], &word, 4);
    }
    write(tile, address, bytes);
}

/// Ids from 2^63 on look like statuses; the manual keeps hosts from using them for navigation.
void keep_navigable(Tile& tile, Address ids, uint32_t count) {
    if (!is_hosts(ids, uint64_t{8} * count)) return;
    for (uint32_t i = 0; i < count; ++i) {
        Address top = ids + 8 * i + 7;
        tile.write(top, Buffer{static_cast<uint8_t>(tile.byte(top) & 0x7F)});
    }
}

void deliver_list(Tile& tile, Program& program) {
    auto node = static_cast<uint64_t>(program.next<int8_t>());
    uint32_t layer = program.next<uint8_t>() % 3;
    auto count = static_cast<uint16_t>(program.next_count());
    tile.write(kNeighborCache, std::vector{node});
    tile.write(kNeighborCache + 8, std::vector{layer});
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{count, program.next<uint8_t>()});
    std::vector<uint64_t> ids(count < 510 ? count : 510);
    uint64_t id = program.next<uint8_t>();
    for (uint64_t& slot : ids) slot = id++;
    tile.write(kNeighborCache + 16, ids);
}

/// Mostly a configuration that init takes.
void write_config(Tile& tile, Program& program) {
    Buffer bytes(sizeof(TileConfig));
    bytes[0] = 1 + program.next<uint8_t>() % 3;
    bytes[1] = program.next<uint8_t>() % 5;
    bytes[2] = 1 + program.next<uint8_t>() % 17;
    bytes[4] = program.next<uint8_t>();
    bytes[3 + program.next<uint8_t>() % 61] |= program.next<uint8_t>() & 1;
    tile.write(kRouting, bytes);
}

Call next_call(Program& program, Export name) {
    Call call{.name = name};
    switch (name) {
        case Export::kInit:
        case Export::kTopkRead:
        case Export::kVerifyHeader:
            call.a = program.next_address();
            break;
        case Export::kLoadQuery:
        case Export::kLoadSqParams:
        case Export::kCrc32c:
            call.a = program.next_address();
            call.b = program.next_count();
            break;
        case Export::kLoadBlock:
        case Export::kLoadPqCodebook:
            call.a = program.next_address();
            call.b = program.next_count();
            call.c = program.next_count();
            break;
        case Export::kDistances:
            call.a = program.next<uint8_t>() % 6;
            call.b = program.next_address();
            break;
        case Export::kTopkMerge:
            call.a = program.next_address();
            call.b = program.next_address();
            call.c = program.next_count();
            call.d = program.next_count();
            break;
        case Export::kDequantI8:
            call.a = program.next_address();
            call.b = program.next_address();
            call.c = program.next_count();
            break;
        case Export::kPqDistances:
            call.a = program.next_address();
            call.b = program.next_count();
            call.c = program.next_address();
            break;
        case Export::kLoadNeighbors:
            call.node = program.next<int8_t>();
            call.a = program.next<uint8_t>() % 3;
            call.b = program.next_address();
            break;
        case Export::kGreedyStep:
            call.node = program.next<int8_t>();
            call.a = program.next<uint8_t>() % 3;
            break;
    }
    return call;
}

void call_export(Tile& tile, Program& program, Export name) {
    Call call = next_call(program, name);
    if (name == Export::kTopkMerge) keep_navigable(tile, call.b, call.c);
    if (name == Export::kGreedyStep) keep_navigable(tile, kNeighborCache + 16, 510);
    static Buffer before;
    tile.save(before);
    int64_t answer = run(call);
    REQUIRE(kept_contract(tile, before, call, answer));
}

} // namespace
} // namespace rvf::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rvf::test;
    static Tile tile;
    static const Buffer never_started = tile.save();
    tile.restore(never_started);
    Program program(data, size);
    // A long program finds no more than its parts do, and costs as much as many of them.
    for (int step = 0; step < 64 && !program.over(); ++step) {
        uint32_t operation = program.next<uint8_t>() % (kExportCount + 4);
        if (operation < kExportCount) {
            call_export(tile, program, static_cast<Export>(operation));
        } else if (operation == kExportCount) {
            write_bytes(tile, program);
        } else if (operation == kExportCount + 1) {
            write_pattern(tile, program);
        } else if (operation == kExportCount + 2) {
            deliver_list(tile, program);
        } else {
            write_config(tile, program);
        }
    }
    REQUIRE(tile.red_zone_is_zero());
    return 0;
}
