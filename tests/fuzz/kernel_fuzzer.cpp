// Any bytes as a program of a host that drives a tile: it writes operands into tile memory, calls
// the 14 exports with whatever arguments and sends messages. A refused call must change nothing, an
// accepted one only what the manual allows; every message must have a sound reply, and a malformed
// one must change nothing. What is not on a tile must be neither read nor written.
#include "kernel/protocol.h"
#include "kernel/state.h"
#include "tests/fuzz/require.h"
#include "tests/unit/rvf_file.h"
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

/// Numbers of one kind, many for few bytes of the program, so that they mean something.
Buffer pattern(size_t size, uint8_t kind) {
    Buffer bytes(size & ~size_t{3});
    Random random(kind);
    for (size_t i = 0; i < bytes.size(); i += 4) {
        auto word = static_cast<uint32_t>(random.bits());
        if (kind % 4 == 0) word = bits_of(random.between(-4, 4));
        if (kind % 4 == 1) word = nearest_half(random.between(-4, 4)) * 0x10001u;
        if (kind % 4 == 2) word &= 0x07070707; // codes
        std::memcpy(&bytes[i], &word, 4);
    }
    return bytes;
}

void write_bytes(Tile& tile, Program& program) {
    Address address = program.next_address();
    Buffer bytes(program.next<uint8_t>() % 65);
    for (uint8_t& byte : bytes) byte = program.next<uint8_t>();
    write(tile, address, bytes);
}

void write_pattern(Tile& tile, Program& program) {
    Address address = program.next_address();
    uint16_t size = program.next<uint16_t>();
    write(tile, address, pattern(size, program.next<uint8_t>()));
}

/// Ids from 2^63 on look like statuses; the manual keeps hosts from using them for navigation.
void keep_navigable(Tile& tile, Address ids, uint32_t count) {
    if (!is_hosts(ids, uint64_t{8} * count)) return;
    for (uint32_t i = 0; i < count; ++i) {
        Address top = ids + 8 * i + 7;
        tile.write(top, Buffer{static_cast<uint8_t>(tile.byte(top) & 0x7F)});
    }
}

/// Whether something in a navigation could be an id that looks like a status (kernel.h).
bool looks_like_a_status(const Tile& tile) {
    uint32_t held = tile.read<TileState>(kState, 1)[0].result_count;
    for (const Candidate& candidate : tile.read<Candidate>(kResults, held)) {
        if (candidate.id >> 63) return true;
    }
    return false;
}

template <typename T>
void append(Buffer& bytes, T value) {
    const auto* begin = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof(T));
}

/// The bytes of a NeighborList.
Buffer next_list(Program& program) {
    Buffer bytes;
    append(bytes, static_cast<uint64_t>(program.next<int8_t>()));
    append(bytes, uint32_t{program.next<uint8_t>()} % 3);
    auto count = static_cast<uint16_t>(program.next_count());
    append(bytes, count);
    append(bytes, uint16_t{program.next<uint8_t>()});
    uint64_t id = program.next<uint8_t>();
    for (uint32_t i = 0; i < count && i < 510; ++i) append(bytes, id++);
    return bytes;
}

void deliver_list(Tile& tile, Program& program) { tile.write(kNeighborCache, next_list(program)); }

/// Mostly a configuration that init takes.
Buffer next_config(Program& program) {
    Buffer bytes(sizeof(TileConfig));
    bytes[0] = 1 + program.next<uint8_t>() % 3;
    bytes[1] = program.next<uint8_t>() % 5;
    bytes[2] = 1 + program.next<uint8_t>() % 17;
    bytes[4] = program.next<uint8_t>();
    bytes[3 + program.next<uint8_t>() % 61] |= program.next<uint8_t>() & 1;
    return bytes;
}

void write_config(Tile& tile, Program& program) { tile.write(kRouting, next_config(program)); }

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
    if (name == Export::kGreedyStep) {
        if (looks_like_a_status(tile)) return;
        keep_navigable(tile, kNeighborCache + 16, 510);
    }
    static Buffer before;
    tile.save(before);
    int64_t answer = run(call);
    REQUIRE(kept_contract(tile, before, call, answer));
}

// --- Messages ---

uint32_t crc32c_of(const uint8_t* bytes, size_t size) { return crc_of(bytes, size, 0x82F63B78); }

uint32_t state_checksum(const Tile& tile) {
    Buffer state = tile.read<uint8_t>(0, kRouting);
    return crc32c_of(state.data(), state.size());
}

/// Gives a message the length and checksum that belong to it.
void seal(Buffer& message) {
    auto length = static_cast<uint16_t>(message.size() - sizeof(MessageHeader) + kChecksumBytes);
    std::memcpy(&message[2], &length, 2);
    append(message, crc32c_of(message.data(), message.size()));
}

/// A message as a hub makes it, with whatever numbers.
Buffer next_message(Program& program) {
    Buffer message;
    append(message, static_cast<uint16_t>(1 + program.next<uint8_t>() % 8));
    append(message, uint16_t{0});
    append(message, uint32_t{4711});
    uint8_t shape = program.next<uint8_t>();
    if (message[0] <= kLoadParams) {
        Buffer list = shape & 1 ? next_list(program) : Buffer();
        if (list.size() > 1000) list.resize(1000);
        LoadHeader part = {};
        part.to = program.next_address();
        part.base = shape & 2 ? program.next_address() : part.to;
        part.count = static_cast<uint16_t>(program.next_count());
        part.list_to = shape & 4 ? program.next<uint16_t>() : uint16_t{kNeighborCache};
        part.list_bytes = shape & 8 ? program.next<uint16_t>() : static_cast<uint16_t>(list.size());
        part.kind = program.next<uint8_t>() % 5;
        part.last = shape & 16 ? program.next<uint8_t>() : 1;
        append(message, part);
        message.insert(message.end(), list.begin(), list.end());
        uint16_t size = program.next<uint16_t>() % 1000;
        Buffer rest = shape & 32 ? next_config(program) : pattern(size, program.next<uint8_t>());
        message.insert(message.end(), rest.begin(), rest.end());
    }
    seal(message);
    return message;
}

/// A message as it stands in the program, its checksum made right or not.
Buffer next_raw_message(Program& program) {
    bool sealed = program.next<uint8_t>() & 1;
    Buffer message(program.next<uint16_t>() % (kNeighborCache - kMessage + 1));
    for (uint8_t& byte : message) byte = program.next<uint8_t>();
    if (sealed && message.size() >= sizeof(MessageHeader) + kChecksumBytes) {
        message.resize(message.size() - kChecksumBytes);
        seal(message);
    }
    return message;
}

struct Part {
    bool well_formed, placed;
    Range copied, list;
};

/// What PROTOCOL.md says of the message in the buffer, before it is served.
Part examine(const Tile& tile) {
    uint16_t type = tile.read<uint16_t>(kMessage, 1)[0];
    uint32_t length = tile.read<uint16_t>(kMessage + 2, 1)[0];
    Part part = {};
    if (length < kChecksumBytes || length > kMaxPayload) return part;
    Buffer whole = tile.read<uint8_t>(kMessage, sizeof(MessageHeader) + length);
    part.well_formed = type >= kLoadQuery && type <= kReset &&
                       crc32c_of(whole.data(), whole.size()) == kChecksumResidue;
    part.placed = true;
    if (type > kLoadParams) return part;
    auto header = tile.read<LoadHeader>(kMessagePayload, 1)[0];
    bool tables = tile.read<TileState>(kState, 1)[0].tables;
    auto usable_part = [&](Address at, uint64_t bytes) {
        bool hits = tables && at < kHotCache && kTables < at + bytes;
        return (at == 0 && bytes == 0) || (is_hosts(at, bytes) && !hits);
    };
    int64_t rest = int64_t{length} - kChecksumBytes - int64_t{sizeof(LoadHeader)};
    rest -= header.list_bytes;
    part.placed = rest >= 0 && usable_part(header.list_to, header.list_bytes) &&
                  usable_part(header.to, static_cast<uint64_t>(rest));
    if (!part.placed) return part;
    part.copied = {header.to, header.to + static_cast<uint32_t>(rest)};
    part.list = {header.list_to, uint32_t{header.list_to} + header.list_bytes};
    return part;
}

void ring(Tile& tile, const Buffer& message) {
    tile.write(kMessage, message);
    static Buffer before;
    tile.save(before);
    Part part = examine(tile);
    uint32_t state = state_checksum(tile);
    serve_message();
    if (looks_like_a_status(tile)) return;
    auto header = tile.read<MessageHeader>(kMessage, 1)[0];
    REQUIRE(header.type >= kTopKResult && header.type <= kError);
    constexpr uint32_t kLeast = sizeof(ReplyHeader) + kChecksumBytes;
    REQUIRE(header.length >= kLeast && header.length <= kLeast + 12 * kMaxTopK);
    Buffer reply = tile.read<uint8_t>(kMessage, sizeof(MessageHeader) + header.length);
    REQUIRE(crc32c_of(reply.data(), reply.size()) == kChecksumResidue);
    auto sums = tile.read<ReplyHeader>(kMessagePayload, 1)[0];
    REQUIRE(sums.state_before == state && sums.state_after == state_checksum(tile));
    if (!part.well_formed || !part.placed) {
        auto error = tile.read<ErrorBody>(kMessagePayload + sizeof(ReplyHeader), 1)[0];
        REQUIRE(header.type == kError);
        REQUIRE(error.code == (part.well_formed ? -kTileOutOfMemory : -kTileInvalidMessage));
        REQUIRE(sums.state_after == state);
        REQUIRE(tile.equals(before, 0, kWorkspace));
        REQUIRE(tile.equals(before, kNeighborCache, kDataEnd));
        REQUIRE(tile.equals(before, kScratch, kScratchEnd));
        return;
    }
    // Beside what was copied, a message changes the tile's own memory and the header of the list.
    std::vector<Range> changed = {{0, kRouting},        {kWorkspace, kNeighborCache + 16},
                                  {kTables, kHotCache}, {kQuery, kScratchEnd},
                                  {kDataEnd, kScratch}, {kScratchEnd, kScratchEnd},
                                  part.copied,          part.list};
    std::sort(changed.begin(), changed.end(), [](Range a, Range b) { return a.begin < b.begin; });
    Address compared = 0;
    for (Range range : changed) {
        REQUIRE(tile.equals(before, compared, range.begin));
        compared = std::max(compared, range.end);
    }
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
        uint32_t operation = program.next<uint8_t>();
        if (operation >= 0xF8) {
            ring(tile, next_raw_message(program));
            continue;
        }
        if (operation >= 0xE8) {
            ring(tile, next_message(program));
            continue;
        }
        operation %= kExportCount + 4;
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
