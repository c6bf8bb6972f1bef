// What the hub puts on the wire.
#include <cstring>

#include "host/hub/crc32c.h"
#include "host/hub/message.h"
#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

tile::LoadHeader header_of(const Bytes& message) {
    tile::LoadHeader header;
    std::memcpy(&header, message.data() + 8, sizeof(header));
    return header;
}

TEST(Crc32c, OfTheDigitsIsThePublishedOne) {
    EXPECT_EQ(crc32c(0, "123456789", 9), 0xE3069283u);
    EXPECT_EQ(crc32c(crc32c(0, "12345", 5), "6789", 4), 0xE3069283u);
}

TEST(Stamp, LeavesTheResidueWhateverTheMessage) {
    for (tile::MessageType type : {tile::kCompute, tile::kReadTopK, tile::kReset}) {
        Bytes message = bare_message(type);
        stamp(message, 0xCAFE);
        EXPECT_EQ(crc32c(0, message.data(), message.size()), tile::kChecksumResidue);
        EXPECT_EQ(id_of(message), 0xCAFEu);
    }
}

/// What the parts of a block bring, put together as a tile does it.
struct Collected {
    Bytes data;
    Bytes list;
};

Collected collect(const std::vector<Bytes>& messages, uint32_t base) {
    Collected collected;
    for (size_t i = 0; i < messages.size(); ++i) {
        const Bytes& message = messages[i];
        tile::LoadHeader header = header_of(message);
        EXPECT_LE(message.size(), 2048u);
        EXPECT_EQ(header.base, base);
        EXPECT_EQ(header.to, base + collected.data.size());
        EXPECT_EQ(header.last, i + 1 == messages.size() ? 1 : 0);
        if (header.list_bytes > 0) EXPECT_EQ(header.list_to, 0x1000 + collected.list.size());
        auto list = message.begin() + 24;
        auto data = list + header.list_bytes;
        collected.list.insert(collected.list.end(), list, data);
        collected.data.insert(collected.data.end(), data, message.end() - 4);
    }
    return collected;
}

class BlockMessages : public testing::TestWithParam<uint32_t> {};

TEST_P(BlockMessages, BringEveryRowAndEveryIdOnceAndInOrder) {
    uint32_t row_bytes = GetParam();
    uint16_t count = static_cast<uint16_t>(std::min(510u, 61440 / row_bytes));
    Bytes rows(size_t{count} * row_bytes);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint8_t>(i * 31 >> 3);
    std::vector<uint64_t> ids(count);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = ~uint64_t{i};
    ListHeader list{~uint64_t{0}, 0, count, 0};
    Load load;
    load.base = 0x10000;
    load.count = count;
    load.data = rows.data();
    load.bytes = rows.size();
    load.list_header = &list;
    load.ids = ids.data();
    load.row_bytes = row_bytes;

    Collected collected = collect(load_messages(load), 0x10000);

    EXPECT_EQ(collected.data, rows);
    ASSERT_EQ(collected.list.size(), 16 + 8 * ids.size());
    EXPECT_EQ(std::memcmp(collected.list.data(), &list, 16), 0);
    EXPECT_EQ(std::memcmp(collected.list.data() + 16, ids.data(), 8 * ids.size()), 0);
}

INSTANTIATE_TEST_SUITE_P(RowBytes, BlockMessages,
                         testing::Values(1, 2, 3, 7, 64, 384, 768, 1019, 2012, 2020, 2048, 4096));

TEST(ReadReply, RefusesEveryChangedBit) {
    Bytes reply = {0x84, 0, 32, 0, 9, 0, 0, 0};
    reply.resize(40);
    stamp(reply, 9);
    Reply read;
    ASSERT_TRUE(read_reply(reply, read));
    for (size_t bit = 0; bit < 8 * reply.size(); ++bit) {
        Bytes changed = reply;
        changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ 1u << bit % 8);
        EXPECT_FALSE(read_reply(changed, read)) << bit;
    }
}

TEST(ReadReply, RefusesEveryLength) {
    Bytes reply = {0x84, 0, 32, 0, 9, 0, 0, 0};
    reply.resize(40);
    stamp(reply, 9);
    Reply read;
    for (size_t length = 0; length < reply.size(); ++length) {
        EXPECT_FALSE(
            read_reply(Bytes(reply.begin(), reply.begin() + static_cast<ptrdiff_t>(length)), read));
    }
}

} // namespace
} // namespace rvf::hub
