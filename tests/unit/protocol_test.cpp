// The doorbell: golden conversations (tests/protocol/golden), and messages that must change
// nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kernel/kernel.h"
#include "kernel/protocol.h"
#include "tests/unit/rvf_file.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Buffer;
using test::Random;
using test::Tile;

/// A message of the hub, and the tile's reply.
struct Turn {
    Buffer sent, reply;
};

Buffer from_hex(const std::string& digits) {
    Buffer bytes;
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

/// tests/protocol/golden.mjs says how the file is written.
std::vector<Turn> read_golden(const std::filesystem::path& path) {
    std::vector<Turn> turns;
    Buffer* bytes = nullptr;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        if (line[0] == '>') turns.emplace_back();
        if (line[0] == '>') bytes = &turns.back().sent;
        if (line[0] == '<') bytes = &turns.back().reply;
        Buffer more = from_hex(line.substr(2));
        bytes->insert(bytes->end(), more.begin(), more.end());
    }
    return turns;
}

/// Leaves a message, rings, and answers the reply.
Buffer ring(Tile& tile, const Buffer& message) {
    tile.write(kMessage, message);
    serve_message();
    uint16_t length = tile.read<uint16_t>(kMessage + 2, 1)[0];
    return tile.read<uint8_t>(kMessage, sizeof(MessageHeader) + length);
}

uint32_t crc32c_of(const Buffer& bytes) {
    return test::crc_of(bytes.data(), bytes.size(), 0x82F63B78);
}

template <typename T>
void append(Buffer& bytes, T value) {
    const auto* begin = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof(T));
}

/// A message with the checksum that belongs to it.
Buffer message(uint16_t type, const Buffer& content) {
    Buffer bytes;
    append(bytes, type);
    append(bytes, static_cast<uint16_t>(content.size() + kChecksumBytes));
    append(bytes, uint32_t{4711});
    bytes.insert(bytes.end(), content.begin(), content.end());
    append(bytes, crc32c_of(bytes));
    return bytes;
}

Buffer load_part(uint16_t type, const LoadHeader& header, const Buffer& rest = {}) {
    Buffer content;
    append(content, header);
    content.insert(content.end(), rest.begin(), rest.end());
    return message(type, content);
}

template <typename T>
T reply_field(const Buffer& reply, size_t offset) {
    T value;
    std::memcpy(&value, reply.data() + sizeof(MessageHeader) + offset, sizeof(T));
    return value;
}

class Golden : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, ConversationIsAnsweredByteForByte) {
    Tile tile;
    std::vector<Turn> turns = read_golden(GetParam());
    ASSERT_GT(turns.size(), 5u);
    for (size_t i = 0; i < turns.size(); ++i) {
        ASSERT_EQ(ring(tile, turns[i].sent), turns[i].reply) << "turn " << i;
        ASSERT_TRUE(tile.red_zone_is_zero());
    }
}

std::vector<std::filesystem::path> golden_files() {
    std::filesystem::directory_iterator folder(RVF_GOLDEN);
    std::vector<std::filesystem::path> files(begin(folder), end(folder));
    std::sort(files.begin(), files.end());
    return files;
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(golden_files()),
                         [](const auto& test) { return test.param.stem().string(); });

TEST(Protocol, ConstantsAreThoseOfTheLayouts) {
    EXPECT_EQ(kMaxPayload, 2040u);
    EXPECT_EQ(sizeof(LoadHeader), 16u);
    EXPECT_EQ(sizeof(ReplyHeader), 12u);
    EXPECT_EQ(crc32c_of(message(kReset, {})), kChecksumResidue);
}

/// Where a message that is refused may change something: its own buffer and the workspace.
bool only_buffers_differ(const Tile& tile, const Buffer& before) {
    return tile.equals(before, 0, kWorkspace) && tile.equals(before, kNeighborCache, kDataEnd) &&
           tile.equals(before, kScratch, kScratchEnd);
}

/// A tile in the middle of a search, with tables and a block that was just declared.
void prepare(Tile& tile) {
    Random random(40);
    Buffer bytes(0x3000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(60));
    tile.write(kBlock, bytes);
    ASSERT_EQ(rvf_load_query(kBlock, 16), 0);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 8, 16), 8);
    tile.write(kNeighborCache, std::vector<uint64_t>{7, 3ull << 32, 1, 2, 3});
    ASSERT_EQ(rvf_load_block(kBlock, 2, kF16), 0);
}

struct Refused : testing::Test {
    Tile tile;
    Buffer before;

    void SetUp() override {
        prepare(tile);
        before = tile.save();
    }
    void expect_refused(const Buffer& bytes, Status status) {
        Buffer reply = ring(tile, bytes);
        EXPECT_TRUE(only_buffers_differ(tile, before));
        EXPECT_TRUE(tile.red_zone_is_zero());
        EXPECT_EQ(reply_field<uint16_t>(reply, 12), bytes[0] | bytes[1] << 8);
        EXPECT_EQ(reply_field<uint16_t>(reply, 14), -status);
        EXPECT_EQ(reply_field<uint32_t>(reply, 0), reply_field<uint32_t>(reply, 4));
        EXPECT_EQ(crc32c_of(reply), kChecksumResidue);
    }
};

TEST_F(Refused, EveryImpossibleLength) {
    for (uint32_t length = 0; length < 0x10000; length += length == 3 ? 2038 : 1) {
        Buffer bytes = message(kReset, {});
        bytes[2] = static_cast<uint8_t>(length);
        bytes[3] = static_cast<uint8_t>(length >> 8);
        expect_refused(bytes, kTileInvalidMessage);
        if (length > 2100) length += 500;
    }
}

TEST_F(Refused, EveryFlippedBit) {
    Buffer good = load_part(kLoadQuery, {kBlock, kBlock, 4, 0, 0, 0, 1}, Buffer(8, 0x3C));
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        expect_refused(bytes, kTileInvalidMessage);
    }
}

TEST_F(Refused, EveryUnknownType) {
    for (uint32_t type = 0; type < 0x10000; type += type > 0x200 ? 251 : 1) {
        if (type >= kLoadQuery && type <= kReset) continue;
        expect_refused(message(static_cast<uint16_t>(type), {}), kTileInvalidMessage);
    }
}

TEST_F(Refused, PartsWhereNothingMayLie) {
    for (uint16_t type : {kLoadQuery, kLoadBlock, kLoadNeighbors, kLoadParams}) {
        for (uint8_t last : {uint8_t{0}, uint8_t{1}}) {
            for (Address to : {0u, 0x1F9u, 0x3F9u, 0x400u, 0x7FFu, 0x1FF9u, 0x2000u, 0xFFFFu,
                               0x17FF9u, 0x18000u, 0x1BFFFu, 0x1EFF9u, 0x1F000u, 0x20000u, ~0u}) {
                LoadHeader header = {to, kBlock, 4, 0, 0, 0, last};
                expect_refused(load_part(type, header, Buffer(8)), kTileOutOfMemory);
            }
            for (uint16_t list_to :
                 std::vector<uint16_t>{1, 0x1F9, 0x400, 0x7FF, 0x1FF9, 0x2000, 0xFFFF}) {
                LoadHeader header = {kBlock, kBlock, 4, list_to, 8, 0, last};
                expect_refused(load_part(type, header, Buffer(16)), kTileOutOfMemory);
            }
            for (uint16_t list_bytes : std::vector<uint16_t>{17, 2020, 0xFFFF}) {
                LoadHeader header = {kBlock, kBlock, 4, kNeighborCache, list_bytes, 0, last};
                expect_refused(load_part(type, header, Buffer(16)), kTileOutOfMemory);
            }
            expect_refused(message(type, Buffer(15)), kTileOutOfMemory);
        }
    }
}

// The part is where it was sent to, the block is forgotten, and nothing else has changed.
TEST_F(Refused, ByAnExportIsCopiedAndForgetsTheBlock) {
    LoadHeader header = {kHotCache, 0x400, 4, kRouting, 8, 0, 1};
    Buffer rest(16, 0x77);
    Buffer reply = ring(tile, load_part(kLoadQuery, header, rest));
    EXPECT_EQ(reply_field<uint16_t>(reply, 14), -kInvalidPointer);
    EXPECT_EQ(tile.read<uint8_t>(kHotCache, 8), Buffer(8, 0x77));
    EXPECT_EQ(tile.read<uint8_t>(kRouting, 8), Buffer(8, 0x77));
    Buffer expected = before;
    constexpr Address kBlockCount = kState + 12;
    const size_t scratch = kDataEnd; // follows data memory in a saved tile
    std::fill_n(expected.begin() + kBlockCount, 4, uint8_t{0});
    std::fill_n(expected.begin() + kRouting, 8, uint8_t{0x77});
    std::fill_n(expected.begin() + scratch + (kHotCache - kScratch), 8, uint8_t{0x77});
    EXPECT_TRUE(only_buffers_differ(tile, expected));
}

} // namespace
} // namespace rvf::tile
