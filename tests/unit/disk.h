// What a host does with commits: a file that is cut and appended to, and a disk that may lose what
// was not flushed.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/low_address.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {

constexpr uint64_t kSomeTime = 1'700'000'000'000'000'000;

/// The answer of rvf_store_commit.
struct Commit {
    int32_t answer = 0;
    uint64_t offset = 0;
    Buffer data;     ///< what comes before the manifest
    Buffer manifest; ///< and what follows
    bool replaces = false;

    size_t size() const { return data.size() + manifest.size(); }
};

struct CommitOptions {
    uint32_t flags = 0;
    int32_t signature = -1;
    uint64_t time_ns = kSomeTime;
};

inline Commit make_commit(int32_t store, const CommitOptions& options = {}) {
    Buffer info(kCommitInfoBytes);
    Commit commit;
    commit.answer = rvf_store_commit(store, options.time_ns, options.signature, options.flags,
                                     address(info.data()));
    if (commit.answer != 1) return commit;
    size_t size = get<uint32_t>(info, 12);
    const uint8_t* bytes = block_at(get<uint32_t>(info, 8), size);
    if (!bytes) {
        ADD_FAILURE() << "no block where the commit says";
        return commit;
    }
    commit.offset = get<uint64_t>(info, 0);
    commit.replaces = get<uint32_t>(info, 20);
    const uint8_t* manifest = bytes + get<uint32_t>(info, 16);
    commit.data.assign(bytes, manifest);
    commit.manifest.assign(manifest, bytes + size);
    return commit;
}

/// The file with the commit in it.
inline void write_commit(Buffer& file, const Commit& commit) {
    file.resize(commit.replaces ? 0 : static_cast<size_t>(commit.offset));
    append(file, commit.data);
    append(file, commit.manifest);
}

/// Commits, writes and acknowledges; answers what rvf_store_commit did.
inline int32_t save(int32_t store, Buffer& file, const CommitOptions& options = {}) {
    Commit commit = make_commit(store, options);
    if (commit.answer != 1) return commit.answer;
    write_commit(file, commit);
    EXPECT_EQ(rvf_store_acknowledge(store), 0);
    return 1;
}

/// Of rvf_store_state.
struct State {
    uint64_t file_size;
    uint32_t epoch, frozen, is_branch, changed, pending, layers, deleted, profile;

    explicit State(int32_t store) {
        uint8_t words[kStateBytes];
        EXPECT_EQ(rvf_store_state(store, address(words)), 0);
        std::memcpy(&file_size, words, 8);
        std::memcpy(&epoch, words + 8, 32);
    }
};

/// A segment of a file, found by going from one to the next.
struct Found {
    uint8_t type;
    uint64_t id;
    size_t offset; ///< of the header
    Buffer payload;
};

/// Segments of a file whose chain is whole; `footer` bytes follow each.
inline std::vector<Found> walk(const Buffer& file, size_t footer = 0) {
    std::vector<Found> segments;
    for (size_t at = 0; at + kHeaderBytes <= file.size();) {
        EXPECT_EQ(get<uint32_t>(file, at), kMagic) << at;
        if (get<uint32_t>(file, at) != kMagic) break;
        auto begin = file.begin() + static_cast<long>(at + kHeaderBytes);
        auto size = static_cast<size_t>(get<uint64_t>(file, at + 16));
        EXPECT_LE(size, file.size() - at - kHeaderBytes);
        if (size > file.size() - at - kHeaderBytes) break;
        segments.push_back({file[at + 5],
                            get<uint64_t>(file, at + 8),
                            at,
                            {begin, begin + static_cast<long>(size)}});
        at += kHeaderBytes + size + footer;
    }
    return segments;
}

inline std::vector<Found> of_type(const Buffer& file, uint8_t type) {
    std::vector<Found> found = walk(file);
    std::erase_if(found, [&](const Found& segment) { return segment.type != type; });
    return found;
}

/// What a manifest payload says.
struct ManifestFields {
    uint32_t epoch;
    uint16_t dimension;
    uint64_t total;
    uint8_t profile, metric;
    std::vector<Entry> directory;
    std::vector<uint64_t> deleted;
    Buffer identity;

    explicit ManifestFields(const Buffer& payload)
        : epoch(get<uint32_t>(payload, 0)),
          dimension(get<uint16_t>(payload, 4)),
          total(get<uint64_t>(payload, 6)),
          profile(payload[18]),
          metric(payload[19]) {
        size_t at = 22;
        for (uint32_t i = get<uint32_t>(payload, 14); i > 0; --i, at += 25) {
            directory.push_back({get<uint64_t>(payload, at), get<uint64_t>(payload, at + 8),
                                 get<uint64_t>(payload, at + 16), payload[at + 24]});
        }
        uint32_t count = get<uint32_t>(payload, at);
        at += 4;
        for (; count > 0; --count, at += 8) deleted.push_back(get<uint64_t>(payload, at));
        if (at == payload.size()) return;
        EXPECT_EQ(get<uint32_t>(payload, at), 0x46494449u);
        EXPECT_EQ(payload.size(), at + 4 + 68);
        identity.assign(payload.begin() + static_cast<long>(at) + 4, payload.end());
    }

    std::vector<uint8_t> types() const {
        std::vector<uint8_t> types;
        for (const Entry& entry : directory) types.push_back(entry.type);
        return types;
    }
};

inline ManifestFields last_manifest(const Buffer& file) {
    return ManifestFields(of_type(file, kManifest).back().payload);
}

} // namespace rvf::test
