// All that a store shows, so that two can be compared.
#pragma once

#include "control/kept.h"
#include "control/signature.h"
#include "tests/fuzz/require.h"
#include "tests/unit/file_host.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {

struct ShownRow {
    Buffer vector;
    Buffer metadata;

    bool operator==(const ShownRow&) const = default;
};

struct Shown {
    uint32_t dimension = 0;
    int32_t metric = 0;
    std::map<uint64_t, ShownRow> rows = {};
    Buffer about = {};
    Buffer identity = {};
    bool frozen = false;
    bool is_branch = false;
    std::vector<Buffer> kept = {}; ///< all kept segments but those below
    Buffer witnesses = {};         ///< of the runtime, one after the other
    std::vector<Buffer> indexes = {};
    std::vector<Buffer> branch = {}; ///< COW_MAP; a MEMBERSHIP shows in the rows
};

inline Buffer metadata_of(int32_t store, const uint64_t* id) {
    int32_t size = rvf_store_metadata(store, address(id), 0, 0);
    REQUIRE(size >= 0);
    Buffer entries(static_cast<size_t>(size));
    auto room = exact_copy(entries);
    REQUIRE(rvf_store_metadata(store, address(id), address(room.get()), entries.size()) == size);
    if (size) std::memcpy(entries.data(), room.get(), entries.size());
    return entries;
}

inline std::vector<uint64_t> ids_of(int32_t store) {
    std::vector<uint64_t> ids(static_cast<size_t>(rvf_store_count(store)));
    REQUIRE(rvf_store_ids(store, address(ids.data()), ids.size() * 8) == rvf_store_count(store));
    return ids;
}

/// Header, payload and footer of every kept segment, sorted into kinds.
inline void show_kept(int32_t store, Shown& shown) {
    const Store& inside = *store_of(store);
    for (uint32_t i = 0; i < count_of<Kept>(inside.kept_list); ++i) {
        const Kept& kept = items_of<Kept>(inside.kept_list)[i];
        const uint8_t* bytes = kept_bytes(inside, kept);
        Buffer segment(bytes, bytes + kept.size);
        if (segment[5] == kCowMap) {
            shown.branch.push_back(segment);
        } else if (segment[5] == kIndex) {
            shown.indexes.push_back(segment);
        } else if (segment[5] != kMembership) {
            shown.kept.push_back(segment);
        }
    }
    shown.witnesses.assign(inside.witnesses.data, inside.witnesses.data + inside.witnesses.size);
}

inline Shown shown_by(int32_t store) {
    Shown shown;
    uint32_t status[5], state[kStateBytes / 4];
    REQUIRE(rvf_store_status(store, address(status)) == 0);
    REQUIRE(rvf_store_state(store, address(state)) == 0);
    shown.dimension = status[1];
    shown.metric = static_cast<int32_t>(status[2]);
    shown.frozen = state[3];
    shown.is_branch = state[4];
    for (uint64_t id : ids_of(store)) {
        ShownRow& row = shown.rows[id];
        row.vector.resize(size_t{4} * shown.dimension);
        REQUIRE(rvf_store_vector(store, address(&id), address(row.vector.data())) == 1);
        row.metadata = metadata_of(store, &id);
    }
    REQUIRE(shown.rows.size() == status[0]);
    shown.about = metadata_of(store, nullptr);
    shown.identity.resize(kLineageBytes);
    REQUIRE(rvf_store_lineage(store, address(shown.identity.data())) == 0);
    bool has_identity = std::any_of(shown.identity.begin(), shown.identity.begin() + 16,
                                    [](uint8_t byte) { return byte != 0; });
    if (!has_identity) shown.identity.clear(); // the file does not say it then
    show_kept(store, shown);
    return shown;
}

/// The same but for what an export does: it is no branch any more.
inline Shown without_parent(Shown shown) {
    shown.is_branch = false;
    shown.branch.clear();
    return shown;
}

/// Segment by segment: signing gives those that were added a footer. Their first 64 bytes say by
/// a flag that they have one.
inline bool same_segment(Buffer before, const Buffer& after) {
    if (before == after) return true;
    if (after.size() < before.size()) return false;
    before[6] = static_cast<uint8_t>(before[6] | 4);
    return std::equal(before.begin(), before.end(), after.begin());
}

/// Whether all of `some` are in `all`, in that order.
inline bool are_among(const std::vector<Buffer>& some, const std::vector<Buffer>& all) {
    size_t found = 0;
    for (const Buffer& segment : all) {
        found += found < some.size() && same_segment(some[found], segment);
    }
    return found == some.size();
}

inline void require_same_segments(const std::vector<Buffer>& before,
                                  const std::vector<Buffer>& after) {
    REQUIRE(before.size() == after.size());
    for (size_t i = 0; i < before.size(); ++i) REQUIRE(same_segment(before[i], after[i]));
}

/// Nothing is lost and nothing is changed; but witnesses may have been added, and an INDEX, which
/// is of certain rows, may be gone.
inline void require_same(const Shown& before, const Shown& after) {
    REQUIRE(before.dimension == after.dimension);
    REQUIRE(before.metric == after.metric);
    REQUIRE(before.rows.size() == after.rows.size());
    REQUIRE(before.rows == after.rows);
    REQUIRE(before.about == after.about);
    REQUIRE(before.identity == after.identity);
    REQUIRE(before.frozen == after.frozen);
    REQUIRE(before.is_branch == after.is_branch);
    require_same_segments(before.kept, after.kept);
    require_same_segments(before.branch, after.branch);
    REQUIRE(are_among(after.indexes, before.indexes));
    REQUIRE(before.witnesses.size() <= after.witnesses.size());
    REQUIRE(std::equal(before.witnesses.begin(), before.witnesses.end(), after.witnesses.begin()));
}

} // namespace rvf::test
