// A store as a plain map: what tests compare a real one with.
#pragma once

#include "tests/unit/disk.h"

namespace rvf::test {

constexpr uint8_t kU64 = 0, kI64 = 1, kF64 = 2, kString = 3, kBool = 4, kBytes = 5;
constexpr uint8_t kRefcount = 0x21;

/// Writes a metadata entry.
inline void put_entry(Buffer& entries, uint16_t field, uint8_t type, const Buffer& value) {
    put(entries, field);
    put(entries, type);
    put(entries, static_cast<uint32_t>(value.size()));
    append(entries, value);
}

template <typename T>
Buffer bytes_of(T value) {
    Buffer bytes;
    put(bytes, value);
    return bytes;
}

inline Buffer bytes_of(const char* text) {
    return {reinterpret_cast<const uint8_t*>(text),
            reinterpret_cast<const uint8_t*>(text) + std::strlen(text)};
}

inline Buffer u64_entry(uint16_t field, uint64_t value) {
    Buffer entries;
    put_entry(entries, field, kU64, bytes_of(value));
    return entries;
}

inline Buffer text_entry(uint16_t field, const char* text) {
    Buffer entries;
    put_entry(entries, field, kString, bytes_of(text));
    return entries;
}

struct Record {
    std::vector<float> vector;
    Buffer metadata;
    bool operator==(const Record&) const = default;
};

using Kept = std::pair<uint8_t, Buffer>; ///< type and payload

/// All that a store shows.
struct Model {
    std::map<uint64_t, Record> rows = {};
    Buffer about = {};
    std::vector<Kept> kept = {}; ///< what hosts embedded, in file order
    bool frozen = false;
    bool operator==(const Model&) const = default;
};

inline Buffer metadata_of(int32_t store, const uint64_t* id) {
    int32_t size = rvf_store_metadata(store, address(id), 0, 0);
    EXPECT_GE(size, 0);
    Buffer entries(size > 0 ? static_cast<size_t>(size) : 0);
    if (size > 0) rvf_store_metadata(store, address(id), address(entries.data()), entries.size());
    return entries;
}

/// What rvf_store_segment says, with the payload.
struct KeptInfo {
    uint64_t id;
    uint64_t offset;
    uint8_t type;
    int32_t status;
    Buffer payload;
};

inline std::vector<KeptInfo> kept_of(int32_t store) {
    std::vector<KeptInfo> list;
    Buffer info(kKeptInfoBytes);
    for (int32_t i = 0; rvf_store_segment(store, i, address(info.data())) == 1; ++i) {
        auto type = static_cast<uint8_t>(get<uint32_t>(info, 16));
        auto id = get<uint64_t>(info, 0);
        uint32_t size = get<uint32_t>(info, 24);
        auto is_header = [&](const uint8_t*, size_t, const uint8_t* header) {
            uint32_t magic;
            uint64_t own_id;
            std::memcpy(&magic, header, 4);
            std::memcpy(&own_id, header + 8, 8);
            return magic == kMagic && header[5] == type && own_id == id;
        };
        auto low = static_cast<uint32_t>(get<uint32_t>(info, 20) - kHeaderBytes);
        const uint8_t* header = whole_address(low, kHeaderBytes + size, is_header);
        if (!header) {
            ADD_FAILURE() << "no segment where the store says";
            return list;
        }
        const uint8_t* payload = header + kHeaderBytes;
        list.push_back(
            {id, get<uint64_t>(info, 8), type, get<int32_t>(info, 28), {payload, payload + size}});
    }
    return list;
}

inline std::vector<uint64_t> ids_of(int32_t store) {
    int32_t count = rvf_store_count(store);
    EXPECT_GE(count, 0);
    std::vector<uint64_t> ids(count > 0 ? static_cast<size_t>(count) : 0);
    EXPECT_EQ(rvf_store_ids(store, address(ids.data()), ids.size() * 8), count);
    return ids;
}

/// Reads a store by its exports.
inline Model model_of(int32_t store) {
    Model model;
    auto dimension = static_cast<size_t>(rvf_store_dimension(store));
    for (uint64_t id : ids_of(store)) {
        EXPECT_FALSE(model.rows.contains(id)) << id;
        Record& record = model.rows[id];
        record.vector.resize(dimension);
        EXPECT_EQ(rvf_store_vector(store, address(&id), address(record.vector.data())), 1);
        record.metadata = metadata_of(store, &id);
    }
    model.about = metadata_of(store, nullptr);
    for (const KeptInfo& kept : kept_of(store)) {
        bool is_ours = kept.type == kWitness || kept.type == kCowMap || kept.type == kMembership ||
                       kept.type == kRefcount;
        if (!is_ours) model.kept.emplace_back(kept.type, kept.payload);
    }
    model.frozen = State(store).frozen;
    return model;
}

/// Says what differs, and not all that does not.
inline testing::AssertionResult same(const Model& actual, const Model& expected) {
    auto failure = testing::AssertionFailure();
    if (actual.frozen != expected.frozen) failure << "frozen: " << actual.frozen << "; ";
    if (actual.about != expected.about) failure << "about the store; ";
    if (actual.kept != expected.kept) {
        failure << "kept: " << actual.kept.size() << " of " << expected.kept.size() << "; ";
    }
    for (const auto& [id, record] : expected.rows) {
        auto found = actual.rows.find(id);
        if (found == actual.rows.end()) {
            failure << "no " << id << "; ";
        } else if (found->second.vector != record.vector) {
            failure << "vector of " << id << "; ";
        } else if (found->second.metadata != record.metadata) {
            failure << "metadata of " << id << "; ";
        }
    }
    for (const auto& [id, record] : actual.rows) {
        if (!expected.rows.contains(id)) failure << id << " is there; ";
    }
    return actual == expected ? testing::AssertionSuccess() : failure;
}

/// The seeds of a random test, 0 to `count`. A failure tells one: RVF_SEED in the environment runs
/// it alone, RVF_SEEDS that many from there on.
inline std::vector<uint64_t> seeds(uint64_t count) {
    const char* from = std::getenv("RVF_SEED");
    const char* more = std::getenv("RVF_SEEDS");
    uint64_t first = from ? std::strtoull(from, nullptr, 10) : 0;
    if (more) count = std::strtoull(more, nullptr, 10);
    std::vector<uint64_t> list(from && !more ? 1 : count);
    for (size_t i = 0; i < list.size(); ++i) list[i] = first + i;
    return list;
}

/// Entries of random fields and types, ascending; sometimes none.
inline Buffer random_entries(Random& random) {
    Buffer entries;
    for (uint32_t field = random.below(4); field < 8; field += 1 + random.below(4)) {
        auto type = static_cast<uint8_t>(random.below(6));
        Buffer value(type <= kF64 ? 8 : random.below(12));
        if (type == kBool) value = {static_cast<uint8_t>(random.below(2))};
        for (uint8_t& byte : value) {
            if (type != kBool) byte = static_cast<uint8_t>(random.below(256));
        }
        put_entry(entries, static_cast<uint16_t>(field), type, value);
    }
    return entries;
}

inline int32_t upsert(int32_t store, uint64_t id, const std::vector<float>& vector,
                      const Buffer& entries) {
    Buffer records;
    put(records, static_cast<uint32_t>(entries.size()));
    append(records, entries);
    return rvf_store_upsert(store, address(vector.data()), address(&id), 1, address(records.data()),
                            records.size());
}

inline int32_t set_metadata(int32_t store, uint64_t id, const Buffer& entries) {
    static const uint8_t nothing = 0;
    return rvf_store_set_metadata(
        store, address(&id), address(entries.empty() ? &nothing : entries.data()), entries.size());
}

inline int32_t set_about(int32_t store, const Buffer& entries) {
    static const uint8_t nothing = 0;
    return rvf_store_set_metadata(store, 0, address(entries.empty() ? &nothing : entries.data()),
                                  entries.size());
}

inline int32_t embed(int32_t store, uint8_t type, const Buffer& payload) {
    static const uint8_t nothing = 0;
    return rvf_store_embed(store, type, address(payload.empty() ? &nothing : payload.data()),
                           payload.size());
}

/// Gives a store the file id of sixteen such bytes.
inline void set_file_id(int32_t store, uint8_t byte) {
    Buffer id(16, byte);
    EXPECT_EQ(rvf_store_set_file_id(store, address(id.data())), 0);
}

/// A KERNEL payload that is sound.
inline Buffer kernel_payload(size_t image_size) {
    Buffer payload(128);
    set(payload, 0, uint32_t{0x52564B4E});
    payload[4] = 1;
    set(payload, 0x18, uint64_t{image_size});
    Buffer image(image_size, 0x5A);
    Buffer hash = simple_hash(image.data(), image.size());
    std::copy(hash.begin(), hash.end(), payload.begin() + 0x30);
    append(payload, image);
    return payload;
}

/// Opens a file with its parents, nearest first.
inline int32_t open_with(const Buffer& file, const std::vector<Buffer>& parents,
                         uint32_t flags = 0) {
    auto copy = exact_copy(file);
    std::vector<std::unique_ptr<uint8_t[]>> copies;
    std::vector<FileBytes> list;
    for (const Buffer& parent : parents) {
        copies.push_back(exact_copy(parent));
        list.push_back({address(copies.back().get()), parent.size()});
    }
    return rvf_store_open_with(address(copy.get()), file.size(), address(list.data()),
                               static_cast<int32_t>(list.size()), -1, flags);
}

/// What a file that nothing is wrong with holds.
inline Model reopened(const Buffer& file) {
    StoreHandle store(open_file(file));
    EXPECT_GT(store, 0);
    EXPECT_EQ(rvf_store_warnings(store), 0);
    return model_of(store);
}

} // namespace rvf::test
