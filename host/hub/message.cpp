#include "host/hub/message.h"

#include <algorithm>
#include <cstring>

#include "host/hub/crc32c.h"

namespace rvf::hub {

namespace {

constexpr size_t kHeader = sizeof(tile::MessageHeader);
constexpr size_t kListHeader = sizeof(ListHeader);

Bytes with_content(tile::MessageType type, size_t content) {
    Bytes message(kHeader + content + tile::kChecksumBytes);
    tile::MessageHeader header{type, static_cast<uint16_t>(content + tile::kChecksumBytes), 0};
    std::memcpy(message.data(), &header, kHeader);
    return message;
}

/// One part: load header, list bytes, data.
Bytes part_message(const Load& load, size_t from, size_t to, size_t list_from, const Bytes& list) {
    Bytes message = with_content(load.type, sizeof(tile::LoadHeader) + list.size() + (to - from));
    tile::LoadHeader header{};
    header.to = load.base + static_cast<uint32_t>(from);
    header.base = load.base;
    header.count = load.count;
    header.list_to = static_cast<uint16_t>(tile::kNeighborCache + list_from);
    header.list_bytes = static_cast<uint16_t>(list.size());
    header.kind = load.kind;
    header.last = to == load.bytes ? load.last : 0;
    uint8_t* at = message.data() + kHeader;
    std::memcpy(at, &header, sizeof(header));
    at += sizeof(header);
    std::copy(list.begin(), list.end(), at);
    at += list.size();
    if (to > from) std::memcpy(at, load.data + from, to - from);
    return message;
}

/// The list as it lies in tile memory.
Bytes list_image(const Load& load) {
    if (load.list_header == nullptr) return {};
    Bytes image(kListHeader + 8 * size_t{load.list_header->count});
    std::memcpy(image.data(), load.list_header, kListHeader);
    if (load.list_header->count > 0) {
        std::memcpy(image.data() + kListHeader, load.ids, image.size() - kListHeader);
    }
    return image;
}

} // namespace

Bytes bare_message(tile::MessageType type) { return with_content(type, 0); }

std::vector<Bytes> load_messages(const Load& load) {
    constexpr size_t kRoom = kMaxContent - sizeof(tile::LoadHeader);
    Bytes list = list_image(load);
    std::vector<Bytes> messages;
    size_t sent = 0;
    size_t listed = 0;
    do {
        // As much data as fits beside the ids of the rows that it completes.
        size_t bytes = std::min(load.bytes - sent, kRoom);
        size_t upto = list.size();
        while (load.row_bytes > 0) {
            upto = kListHeader + 8 * ((sent + bytes) / load.row_bytes);
            if (bytes + (upto - listed) <= kRoom) break;
            size_t surplus = bytes + (upto - listed) - kRoom;
            bytes -= std::max(size_t{1}, surplus * load.row_bytes / (load.row_bytes + 8));
        }
        Bytes ids(list.begin() + static_cast<ptrdiff_t>(listed),
                  list.begin() + static_cast<ptrdiff_t>(upto));
        messages.push_back(part_message(load, sent, sent + bytes, listed, ids));
        sent += bytes;
        listed = upto;
    } while (sent < load.bytes);
    return messages;
}

void stamp(Bytes& message, uint32_t id) {
    std::memcpy(message.data() + offsetof(tile::MessageHeader, id), &id, sizeof(id));
    size_t covered = message.size() - tile::kChecksumBytes;
    uint32_t crc = crc32c(0, message.data(), covered);
    std::memcpy(message.data() + covered, &crc, sizeof(crc));
}

uint16_t type_of(const Bytes& message) {
    uint16_t type;
    std::memcpy(&type, message.data(), sizeof(type));
    return type;
}

uint32_t id_of(const Bytes& message) {
    uint32_t id;
    std::memcpy(&id, message.data() + offsetof(tile::MessageHeader, id), sizeof(id));
    return id;
}

bool read_reply(const Bytes& bytes, Reply& reply) {
    tile::MessageHeader header;
    constexpr size_t kLeast = kHeader + sizeof(tile::ReplyHeader) + tile::kChecksumBytes;
    if (bytes.size() < kLeast) return false;
    std::memcpy(&header, bytes.data(), kHeader);
    if (kHeader + header.length != bytes.size()) return false;
    if (crc32c(0, bytes.data(), bytes.size()) != tile::kChecksumResidue) return false;
    if (header.type < tile::kTopKResult || header.type > tile::kError) return false;
    reply.type = static_cast<tile::MessageType>(header.type);
    reply.id = header.id;
    std::memcpy(&reply.header, bytes.data() + kHeader, sizeof(reply.header));
    reply.body = bytes.data() + kHeader + sizeof(reply.header);
    reply.body_bytes = bytes.size() - kLeast;
    bool pairs = reply.type == tile::kTopKResult;
    return pairs ? reply.body_bytes % 12 == 0 : reply.body_bytes == kListHeader;
}

ListHeader list_of(const Reply& reply) {
    ListHeader list;
    std::memcpy(&list, reply.body, kListHeader);
    return list;
}

std::vector<Pair> pairs_of(const Reply& reply) {
    std::vector<Pair> pairs(reply.body_bytes / 12);
    for (size_t i = 0; i < pairs.size(); ++i) {
        std::memcpy(&pairs[i].id, reply.body + 12 * i, 8);
        std::memcpy(&pairs[i].distance, reply.body + 12 * i + 8, 4);
    }
    return pairs;
}

tile::ErrorBody error_of(const Reply& reply) {
    tile::ErrorBody error;
    std::memcpy(&error, reply.body, sizeof(error));
    return error;
}

} // namespace rvf::hub
