// A store and its file through the steps of a host: changes, commits that reach the file or do not,
// compactions, exports, reopenings. After each commit the file must show what the store showed.
#pragma once

#include "control/manifest.h"
#include "tests/fuzz/shown.h"

namespace rvf::test {

/// How a file is opened again.
struct Opener {
    std::vector<Buffer> parents = {}; ///< the nearest first
    uint32_t flags = 0;

    int32_t operator()(const Buffer& file) const {
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
};

/// Whether a file is sound segments, one behind the other, and its directory lists some of them as
/// what they are. In others, what counts of the unlisted ones depends on what is listed.
inline bool is_orderly(const Buffer& file) {
    std::map<uint64_t, uint8_t> types;
    Buffer info(kInspectBytes);
    size_t end = 0;
    while (rvf_segment_at(address(file.data()), file.size(), end, address(info.data())) == 1) {
        if (get<uint64_t>(info, 8) != end || get<uint32_t>(info, 28) > 1) return false;
        types[end] = info[24];
        end += kHeaderBytes + get<uint64_t>(info, 16) + get<uint32_t>(info, 32);
    }
    Manifest manifest;
    uint32_t warnings = 0;
    if (end != file.size()) return false;
    if (find_manifest({file.data(), end}, manifest, warnings) != kOk) return true;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        auto found = types.find(entry.offset);
        if (found == types.end() || found->second != entry.type) return false;
        types.erase(found);
    }
    return (warnings & (kSkippedManifest | kDamagedManifest)) == 0;
}

class Life {
public:
    /// `store` was opened from `file` as `opener` says, or is new and the file empty.
    Life(int32_t store, const Buffer& file, const Opener& opener, uint64_t seed)
        : store_(store), opener_(opener), random_(seed) {
        host_.bytes = file;
        adopts_ = !is_orderly(file) || static_cast<uint32_t>(rvf_store_warnings(store)) & kLosses;
    }

    int32_t store() const { return store_; }

    void step() {
        switch (random_.below(8)) {
            case 0:
                put_rows();
                break;
            case 1:
                delete_rows();
                break;
            case 2:
                set_metadata();
                break;
            case 3:
                embed();
                break;
            case 4:
                commit(0);
                break;
            case 5:
                commit(kCompact);
                break;
            case 6:
                fail_a_commit();
                break;
            default:
                require_same_export();
        }
    }

    /// Brings the file up to date, opens it, and once more after a compaction.
    void end() {
        commit(0);
        commit(kCompact);
        require_same_export();
    }

private:
    uint64_t some_id() {
        std::vector<uint64_t> ids = ids_of(store_);
        if (!ids.empty() && random_.below(2)) return random_.pick(ids);
        return random_.below(4) ? random_.below(12) : random_.bits();
    }

    Buffer some_entries() {
        Buffer entries;
        for (uint32_t field = random_.below(3); field < 3; ++field) {
            put(entries, static_cast<uint16_t>(field == 2 ? 0xFFFF : field));
            put(entries, uint8_t{3});
            put(entries, random_.below(20));
            entries.resize(entries.size() + get<uint32_t>(entries, entries.size() - 4), 'x');
        }
        return random_.below(4) ? entries : Buffer{};
    }

    /// Of a frozen store every change is refused.
    void require_done(int32_t status, int32_t done) {
        if (status == kOutOfMemory) return;
        REQUIRE(status == (is_frozen() ? kSnapshotFrozen : done));
    }

    bool is_frozen() const { return store_of(store_)->frozen; }

    void put_rows() {
        auto count = static_cast<int32_t>(1 + random_.below(3));
        auto dimension = static_cast<size_t>(rvf_store_dimension(store_));
        std::vector<uint64_t> ids;
        Buffer meta;
        for (int32_t i = 0; i < count; ++i) {
            Buffer entries = some_entries();
            ids.push_back(some_id());
            put(meta, static_cast<uint32_t>(entries.size()));
            append(meta, entries);
        }
        if (random_.below(2)) meta.clear();
        std::vector<float> vectors =
            random_.vector(static_cast<size_t>(count) * dimension, -2.0f, 2.0f);
        uintptr_t records = meta.empty() ? address(vectors.data()) : address(meta.data());
        require_done(rvf_store_upsert(store_, address(vectors.data()), address(ids.data()), count,
                                      records, meta.size()),
                     count);
    }

    void delete_rows() {
        std::vector<uint64_t> ids = {some_id(), some_id()};
        int32_t deleted = remove_ids(store_, ids);
        REQUIRE(deleted >= 0 || deleted == kOutOfMemory || is_frozen());
    }

    void set_metadata() {
        uint64_t id = some_id();
        Buffer entries = some_entries();
        bool of_store = random_.below(3) == 0;
        uint64_t zero = 0;
        bool is_live = of_store || find_row(*store_of(store_), id) != kNoRow;
        require_done(
            rvf_store_set_metadata(store_, of_store ? 0 : address(&id),
                                   entries.empty() ? address(&zero) : address(entries.data()),
                                   entries.size()),
            is_live);
    }

    void embed() {
        const std::vector<uint8_t> types = {0x03, 0x0B, 0x23, 0xF0, kMeta};
        Buffer payload(random_.below(40), static_cast<uint8_t>(random_.below(256)));
        int32_t id =
            rvf_store_embed(store_, random_.pick(types), address(payload.data()), payload.size());
        REQUIRE(id != kInvalidArgument || payload.empty());
        if (random_.below(16) == 0) rvf_store_freeze(store_);
    }

    void require_same_export() {
        Buffer file = export_file(store_);
        REQUIRE(!file.empty());
        StoreHandle copy(open_file(file));
        REQUIRE(copy > 0);
        constexpr uint32_t harmless = kNotFiniteRows | kDamagedRecord;
        REQUIRE((static_cast<uint32_t>(rvf_store_warnings(copy)) & ~harmless) == 0);
        require_same(without_parent(shown_by(store_)), shown_by(copy));
        REQUIRE(export_file(copy) == file);
    }

    int32_t some_signature() { return random_.below(4) ? -1 : kEd25519; }

    /// A branch that was salvaged without its parent shows what the parent has when it is there
    /// again.
    static void forget_parent(const Shown& expected, Shown& shown) {
        std::erase_if(shown.rows, [&](const auto& row) { return !expected.rows.count(row.first); });
        for (auto& [id, row] : shown.rows) {
            if (expected.rows.at(id).metadata.empty()) row.metadata.clear();
        }
        if (expected.about.empty()) shown.about.clear();
    }

    /// A branch whose own records were damaged is none any more when it is written. A file that is
    /// not orderly, or not whole, holds segments that are passed over; later commits may bring them
    /// back.
    void require_shows(Shown expected, int32_t again) const {
        Shown shown = shown_by(again);
        if (opener_.flags & kSalvage) {
            if (expected.is_branch) forget_parent(expected, shown);
            expected.is_branch &= shown.is_branch;
        }
        if (adopts_) {
            REQUIRE(are_among(expected.kept, shown.kept));
            expected.kept = shown.kept;
            expected.witnesses.clear();
            expected.frozen |= shown.frozen;
        }
        require_same(expected, shown);
    }

    void require_file_shows(const Shown& expected) {
        int32_t again = opener_(host_.bytes);
        if (again == kOutOfMemory) return;
        REQUIRE(again > 0);
        require_shows(expected, again);
        if (random_.below(2)) std::swap(store_, again);
        rvf_store_close(again);
    }

    /// What salvage left out is not in the directory that it wrote.
    void require_opens_without_salvage(const Shown& expected) {
        if (!(opener_.flags & kSalvage) || expected.is_branch) return;
        StoreHandle strict(Opener{opener_.parents}(host_.bytes));
        REQUIRE(strict > 0 || strict == kOutOfMemory);
        if (strict > 0) require_shows(expected, strict);
    }

    /// A write that is cut off leaves the state before.
    void require_torn_write_shows(const Shown& before, size_t begin) {
        Buffer torn = host_.bytes;
        torn.resize(begin + random_.below(static_cast<uint32_t>(torn.size() - begin)));
        StoreHandle again(opener_(torn));
        REQUIRE(again > 0 || again == kOutOfMemory);
        if (again > 0) require_shows(before, again);
    }

    void commit(uint32_t flags) {
        Shown now = shown_by(store_);
        int32_t made = host_.write(store_, flags, some_signature());
        if (made == kOutOfMemory) return;
        REQUIRE(made == 1 || (made == 0 && flags == 0));
        require_same(now, shown_by(store_));
        if (made == 0) return require_file_shows(now);
        if (store_of(store_)->pending.signature < 0 && !flags && has_committed_) {
            require_torn_write_shows(committed_, store_of(store_)->pending.offset);
        }
        if (random_.below(4) == 0) change_while_pending();
        REQUIRE(rvf_store_acknowledge(store_) == 0);
        if (flags & kCompact) adopts_ = false;
        committed_ = now;
        has_committed_ = true;
        require_opens_without_salvage(now);
        require_file_shows(now);
    }

    /// What changes now is the next commit's.
    void change_while_pending() {
        if (random_.below(2)) put_rows();
        if (random_.below(2)) delete_rows();
        if (random_.below(2)) set_metadata();
    }

    /// The next commit has everything that this one had.
    void fail_a_commit() {
        FileHost lost = host_;
        int32_t made = lost.write(store_, random_.below(2) ? kCompact : 0, some_signature());
        if (made != 1) return;
        if (random_.below(4) == 0) change_while_pending();
        Shown now = shown_by(store_);
        REQUIRE(rvf_store_discard(store_) == 0);
        require_same(now, shown_by(store_));
        commit(0);
    }

    int32_t store_;
    FileHost host_;
    Opener opener_;
    Random random_;
    Shown committed_;
    bool has_committed_ = false;
    bool adopts_;
};

} // namespace rvf::test
