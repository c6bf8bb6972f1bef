// Files that are cut, damaged by a bit, or written by a host that crashed: what opens is the state
// of a commit that was made, or nothing, and never another.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::Buffer;
using test::Commit;
using test::get;
using test::kHeaderBytes;
using test::make_commit;
using test::Model;
using test::model_of;
using test::open_with;
using test::Random;
using test::same;
using test::State;
using test::StoreHandle;
using test::upsert;

// --- A cut at every byte ---

/// A file, and its state from each of its sizes on.
struct History {
    Buffer file;
    std::vector<std::pair<size_t, Model>> states;
    std::vector<Buffer> parents = {};

    void save(int32_t store) {
        ASSERT_EQ(test::save(store, file), 1);
        states.emplace_back(file.size(), model_of(store));
    }
    /// The state of the last commit that is in `size` bytes whole; nullptr before the first.
    const Model* at(size_t size) const {
        const Model* last = nullptr;
        for (const auto& [end, model] : states) {
            if (end <= size) last = &model;
        }
        return last;
    }
};

/// Cuts the file at every byte.
void expect_every_cut_opens_the_last_commit(const History& history) {
    for (size_t size = 0; size <= history.file.size(); ++size) {
        Buffer cut(history.file.begin(), history.file.begin() + static_cast<long>(size));
        StoreHandle store(open_with(cut, history.parents));
        const Model* expected = history.at(size);
        if (!expected) {
            ASSERT_EQ(store, kManifestNotFound) << size;
            continue;
        }
        ASSERT_GT(store, 0) << size;
        ASSERT_TRUE(same(model_of(store), *expected)) << size;
        bool whole = expected != history.at(size - 1);
        ASSERT_EQ(rvf_store_warnings(store), whole ? 0 : kTornTail) << size;
    }
}

void set_file_id(int32_t store, uint8_t byte) {
    Buffer id(16, byte);
    ASSERT_EQ(rvf_store_set_file_id(store, address(id.data())), 0);
}

Buffer kernel_payload(size_t image_size) {
    Buffer payload(128);
    test::set(payload, 0, uint32_t{0x52564B4E});
    payload[4] = 1;
    test::set(payload, 0x18, uint64_t{image_size});
    Buffer image(image_size, 0x5A);
    Buffer hash = test::simple_hash(image.data(), image.size());
    std::copy(hash.begin(), hash.end(), payload.begin() + 0x30);
    append(payload, image);
    return payload;
}

TEST(Cut, AtEveryByteOfAFileOfAllKindsOfCommitsOpensTheLastOne) {
    History history;
    StoreHandle store(2, kCosine);
    set_file_id(store, 0xAB);
    history.save(store);
    test::ingest(store, {1, 2, 3}, {1, 0, 0, 1, 1, 1});
    history.save(store);
    upsert(store, 4, {3, 4}, test::text_entry(1, "four"));
    upsert(store, 2, {5, 5}, test::u64_entry(2, 22));
    history.save(store);
    test::set_metadata(store, 1, test::text_entry(1, "one"));
    test::set_about(store, test::text_entry(0, "names"));
    history.save(store);
    test::remove_ids(store, {3, 4});
    history.save(store);
    test::embed(store, test::kKernelImage, kernel_payload(40));
    test::embed(store, 0xF3, {1, 2, 3});
    history.save(store);
    test::ingest(store, {3}, {9, 9}); // live again
    history.save(store);
    test::remove_ids(store, {1});
    test::embed(store, 0xF3, {});
    test::set_metadata(store, 2, {});
    history.save(store);
    for (uint64_t id = 10; id < 16; ++id) { // layers merge
        upsert(store, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
        history.save(store);
    }
    ASSERT_EQ(rvf_store_freeze(store), 0);
    history.save(store);
    ASSERT_GE(history.states.size(), 15u);
    expect_every_cut_opens_the_last_commit(history);
}

TEST(Cut, AtEveryByteOfABranchOpensItsLastCommit) {
    StoreHandle parent(2, kL2);
    set_file_id(parent, 0xAB);
    for (uint64_t id = 0; id < 6; ++id) {
        upsert(parent, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
    }
    History history;
    history.parents.emplace_back();
    ASSERT_EQ(test::save(parent, history.parents[0]), 1);
    Buffer id(16, 0xCD);
    const Buffer& file = history.parents[0];
    StoreHandle branch(rvf_store_branch(parent, address(id.data()), address(file.data()),
                                        file.size(), address("p.rvf"), 5));
    ASSERT_GT(branch, 0);
    history.save(branch);
    test::remove_ids(branch, {1, 2});
    history.save(branch);
    upsert(branch, 2, {7, 7}, {});
    upsert(branch, 30, {8, 8}, test::text_entry(1, "own"));
    history.save(branch);
    test::set_metadata(branch, 4, test::text_entry(1, "mine"));
    history.save(branch);
    test::remove_ids(branch, {30, 0});
    history.save(branch);
    expect_every_cut_opens_the_last_commit(history);
}

TEST(Cut, AtEveryByteOfASignedFileOpensTheLastCommit) {
    History history;
    StoreHandle store(2, kL2);
    for (uint64_t id = 0; id < 4; ++id) {
        test::ingest(store, {id}, {1, static_cast<float>(id)});
        if (id == 2) test::embed(store, 0xF3, {1, 2, 3});
        ASSERT_EQ(test::save(store, history.file, {.signature = 0}), 1);
        // The last footer is behind the manifest; without it the commit is whole all the same.
        history.states.emplace_back(history.file.size() - 72, model_of(store));
    }
    for (size_t size = 0; size <= history.file.size(); ++size) {
        StoreHandle cut(
            open_with({history.file.begin(), history.file.begin() + static_cast<long>(size)}, {}));
        const Model* expected = history.at(size);
        if (!expected) {
            ASSERT_EQ(cut, kManifestNotFound) << size;
            continue;
        }
        ASSERT_GT(cut, 0) << size;
        ASSERT_TRUE(same(model_of(cut), *expected)) << size;
    }
}

// --- Every bit ---

/// What nothing covers, and what is only found out when somebody looks.
struct Coverage {
    std::map<size_t, const char*> uncovered; ///< bytes, and what they are
    std::map<size_t, size_t> on_use;         ///< bytes, and the segment whose hash covers them
    std::set<size_t> types;                  ///< type bytes of segments that no directory lists
};

/// By docs/format.md: opening checks the hashes of the last manifest, of what it lists with
/// vectors, metadata and records of a branch, and the headers of all that it lists against it.
Coverage coverage_of(const Buffer& file, size_t footer) {
    Coverage coverage;
    std::vector<test::Found> segments = test::walk(file, footer);
    std::set<size_t> listed;
    test::ManifestFields manifest(segments.back().payload);
    for (const test::Entry& entry : manifest.directory) listed.insert(entry.offset);
    auto add = [&](size_t from, size_t count, const char* why) {
        for (size_t i = 0; i < count; ++i) coverage.uncovered.emplace(from + i, why);
    };
    for (const test::Found& segment : segments) {
        bool is_last = &segment == &segments.back();
        size_t at = segment.offset, size = segment.payload.size();
        add(at + 0x06, 2, "flags");
        add(at + 0x18, 8, "timestamp");
        add(at + 0x20, 1, "hash algorithm");
        add(at + 0x21, 1, "compression");
        add(at + 0x22, 6, "reserved");
        add(at + 0x38, 4, "uncompressed length");
        add(at + 0x3C, 4, "padding length");
        if (is_last) add(at + 0x08, 8, "id of the last manifest, which nothing lists");
        if (footer)
            add(at + kHeaderBytes + size + 4, footer - 8, "a signature, the host's to check");
        if (is_last) continue;
        if (!listed.contains(at)) {
            add(at, kHeaderBytes + size + footer, "superseded: no directory lists it");
            coverage.types.insert(at + 0x05);
            continue;
        }
        bool is_read = segment.type == test::kVec || segment.type == test::kMeta ||
                       segment.type == test::kCowMap || segment.type == test::kMembership ||
                       segment.type == test::kRefcount;
        if (is_read && segment.type != test::kVec && segment.type != test::kMeta) {
            add(at + 0x04, 1, "version of a segment other than MANIFEST, VEC and META");
        }
        if (is_read) continue;
        add(at + 0x04, 1, "version of a segment other than MANIFEST, VEC and META");
        for (size_t i = 0; i < 16; ++i) coverage.on_use[at + 0x28 + i] = at;
        for (size_t i = 0; i < size; ++i) coverage.on_use[at + kHeaderBytes + i] = at;
    }
    return coverage;
}

struct Flips {
    int refused = 0, warned = 0, on_use = 0, harmless = 0;
    std::set<std::string> why; ///< the kinds of bytes that were harmless
};

/// Flips every bit, one at a time. What opens without a warning is as it was, and the bit is one
/// that nothing covers; or the segment, when it is asked for, says that it is damaged.
void flip_every_bit(const Buffer& file, const std::vector<Buffer>& parents, size_t footer,
                    Flips& flips) {
    Coverage coverage = coverage_of(file, footer);
    StoreHandle sound(open_with(file, parents));
    ASSERT_GT(sound, 0);
    ASSERT_EQ(rvf_store_warnings(sound), 0);
    const Model expected = model_of(sound);
    for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
        size_t byte = bit / 8;
        Buffer damaged = file;
        damaged[byte] ^= static_cast<uint8_t>(1u << bit % 8);
        StoreHandle store(open_with(damaged, parents));
        if (store < 0) {
            ++flips.refused;
            continue;
        }
        if (rvf_store_warnings(store)) {
            ++flips.warned;
            continue;
        }
        Model model = model_of(store);
        auto segment = coverage.on_use.find(byte);
        if (segment != coverage.on_use.end()) {
            ++flips.on_use;
            auto at = test::exact_copy(
                {damaged.begin() + static_cast<long>(segment->second), damaged.end()});
            ASSERT_EQ(rvf_verify_checksum(address(at.get()), damaged.size() - segment->second),
                      kInvalidChecksum)
                << byte;
            if (model.kept != expected.kept) {
                std::vector<test::KeptInfo> kept = test::kept_of(store);
                auto bad = [](const test::KeptInfo& info) { return info.status != 0; };
                ASSERT_EQ(std::count_if(kept.begin(), kept.end(), bad), 1) << byte;
                model.kept = expected.kept;
            }
        } else {
            ++flips.harmless;
            ASSERT_TRUE(coverage.uncovered.contains(byte)) << byte << " bit " << bit % 8;
            flips.why.insert(coverage.uncovered.at(byte));
        }
        if (coverage.types.contains(byte) && model.kept.size() > expected.kept.size()) {
            // A superseded segment is now one of a type that is carried on.
            ASSERT_EQ(model.kept.size(), expected.kept.size() + 1) << byte;
            std::erase_if(model.kept, [&](const test::Kept& kept) {
                return std::find(expected.kept.begin(), expected.kept.end(), kept) ==
                       expected.kept.end();
            });
        }
        ASSERT_TRUE(same(model, expected)) << byte << " bit " << bit % 8;
    }
}

void expect_named(const Flips& flips, const std::set<std::string>& more) {
    std::set<std::string> names = {"flags",
                                   "timestamp",
                                   "reserved",
                                   "hash algorithm",
                                   "compression",
                                   "uncompressed length",
                                   "padding length",
                                   "id of the last manifest, which nothing lists",
                                   "superseded: no directory lists it",
                                   "version of a segment other than MANIFEST, VEC and META"};
    names.insert(more.begin(), more.end());
    EXPECT_EQ(flips.why, names);
    EXPECT_GT(flips.refused, 0);
    EXPECT_GT(flips.warned, 0);
    EXPECT_GT(flips.on_use, 0);
}

/// A file with every kind of segment that this module writes or carries.
Buffer file_of_every_kind(int32_t signature) {
    Buffer file;
    StoreHandle store(2, kInnerProduct);
    set_file_id(store, 0xAB);
    upsert(store, 1, {1, 2}, test::text_entry(1, "a"));
    test::ingest(store, {2, 3}, {3, 4, 5, 6});
    test::embed(store, test::kKernelImage, kernel_payload(9));
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    test::remove_ids(store, {2});
    test::set_about(store, test::text_entry(0, "b"));
    test::embed(store, 0xF3, {1, 2, 3});
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    test::remove_ids(store, {3});
    EXPECT_EQ(rvf_store_freeze(store), 0);
    EXPECT_EQ(test::save(store, file, {.signature = signature}), 1);
    return file;
}

TEST(Flip, OfEveryBitIsRefusedOrToldOrHarmless) {
    Flips flips;
    flip_every_bit(file_of_every_kind(-1), {}, 0, flips);
    expect_named(flips, {});
}

TEST(Flip, OfEveryBitOfASignedFileIsRefusedOrToldOrHarmless) {
    Flips flips;
    flip_every_bit(file_of_every_kind(0), {}, 72, flips);
    expect_named(flips, {"a signature, the host's to check"});
}

TEST(Flip, OfEveryBitOfABranchIsRefusedOrToldOrHarmless) {
    StoreHandle parent(2, kL2);
    set_file_id(parent, 0xAB);
    test::ingest(parent, {1, 2, 3}, {1, 2, 3, 4, 5, 6});
    Buffer parent_file, file;
    ASSERT_EQ(test::save(parent, parent_file), 1);
    Buffer id(16, 0xCD);
    StoreHandle branch(rvf_store_branch(parent, address(id.data()), address(parent_file.data()),
                                        parent_file.size(), address("p.rvf"), 5));
    test::remove_ids(branch, {2});
    upsert(branch, 1, {7, 7}, test::text_entry(1, "a"));
    ASSERT_EQ(test::save(branch, file), 1);
    test::remove_ids(branch, {1});
    ASSERT_EQ(test::save(branch, file), 1);
    Flips flips;
    flip_every_bit(file, {parent_file}, 0, flips);
    expect_named(flips, {});
}

// --- A host that crashes ---

constexpr size_t kBlock = 512;

/// How a crash treats what was not flushed.
enum class Fate { kLost, kTorn, kReordered };

/// A file on a disk with a cache. The file's size is as of the last write; its bytes may not be.
class Disk {
public:
    explicit Disk(Buffer file) : durable_(file), file_(std::move(file)), from_(file_.size()) {}

    void truncate(size_t size) {
        file_.resize(size);
        from_ = std::min(from_, size);
    }
    void append(const Buffer& bytes) { test::append(file_, bytes); }
    void flush() {
        durable_ = file_;
        from_ = file_.size();
    }
    bool is_flushed() const { return durable_ == file_; }
    const Buffer& file() const { return file_; }

    Buffer after_crash(Fate fate, Random& random) const {
        if (fate == Fate::kLost) return durable_;
        Buffer left = file_;
        size_t unflushed = file_.size() - from_;
        if (fate == Fate::kTorn) {
            left.resize(from_ + random.bits() % (unflushed + 1));
            return left;
        }
        for (size_t at = from_; at < left.size(); at = at / kBlock * kBlock + kBlock) {
            if (random.below(2)) continue;
            size_t end = std::min(left.size(), at / kBlock * kBlock + kBlock);
            std::fill(left.begin() + static_cast<long>(at), left.begin() + static_cast<long>(end),
                      0);
        }
        return left;
    }

private:
    Buffer durable_;
    Buffer file_;
    size_t from_; ///< bytes from here on are not flushed
};

/// A host with one store, whose every write may be its last.
class CrashingHost {
public:
    explicit CrashingHost(uint64_t seed) : random_(seed) {
        store_ = rvf_store_create(2, kL2);
        commit();
    }
    ~CrashingHost() { rvf_store_close(store_); }
    CrashingHost(const CrashingHost&) = delete;
    CrashingHost& operator=(const CrashingHost&) = delete;

    void run(int commits) {
        for (int i = 0; i < commits && !testing::Test::HasFailure(); ++i) {
            for (uint32_t changes = 1 + random_.below(4); changes > 0; --changes) change();
            commit();
        }
    }

    int crashes = 0;

private:
    void change() {
        uint64_t id = random_.below(20);
        uint32_t what = random_.below(10);
        if (what < 5) upsert(store_, id, random_.vector(2, -1, 1), test::random_entries(random_));
        if (what == 5) {
            std::vector<uint64_t> ids(60); // more than a block of the disk
            for (size_t i = 0; i < ids.size(); ++i) ids[i] = 100 * id + i;
            test::ingest(store_, ids, random_.vector(120, -1, 1));
        }
        if (what == 6) test::remove_ids(store_, {id, id + 1, id + 2});
        if (what == 7) test::set_metadata(store_, id, test::random_entries(random_));
        if (what == 8) test::set_about(store_, test::random_entries(random_));
        // Its own file as a payload: manifests that are not where they were written.
        if (what == 9 && disk_.file().size() < 2000) test::embed(store_, 0xF1, disk_.file());
    }

    /// Whether what a crash would leave now opens with one of the two states; then maybe crashes.
    bool survives(const Model& before, const Model& after) {
        for (Fate fate : {Fate::kLost, Fate::kTorn, Fate::kReordered}) {
            Buffer left = disk_.after_crash(fate, random_);
            StoreHandle store(test::open_file(left));
            if (store < 0) {
                EXPECT_EQ(store, kManifestNotFound);
                EXPECT_TRUE(before_first_);
                if (!before_first_) return false;
                continue;
            }
            Model model = model_of(store);
            EXPECT_TRUE(model == before || model == after)
                << same(model, before).message() << " / " << same(model, after).message();
            if (disk_.is_flushed() && committed_) EXPECT_TRUE(same(model, after));
        }
        if (random_.below(12) || before_first_) return true;
        crash();
        return false;
    }

    void crash() {
        ++crashes;
        disk_ = Disk(disk_.after_crash(static_cast<Fate>(random_.below(3)), random_));
        rvf_store_close(store_);
        store_ = test::open_file(disk_.file());
        ASSERT_GT(store_, 0);
        saved_ = model_of(store_);
    }

    /// As control.h asks of a host.
    void commit() {
        if (!State(store_).changed) return;
        Commit commit = make_commit(store_, {.flags = random_.below(15) ? 0u : kCompact});
        ASSERT_EQ(commit.answer, 1);
        const Model after = model_of(store_);
        committed_ = false;
        if (commit.replaces) { // written beside, then renamed, which is one step
            if (!survives(saved_, after)) return;
            Buffer file;
            test::write_commit(file, commit);
            disk_ = Disk(file);
        } else {
            disk_.truncate(static_cast<size_t>(commit.offset));
            if (!survives(saved_, after)) return;
            disk_.append(commit.data);
            if (!survives(saved_, after)) return;
            disk_.flush();
            if (!survives(saved_, after)) return;
            disk_.append(commit.manifest);
            if (!survives(saved_, after)) return;
            disk_.flush();
        }
        committed_ = true;
        if (!survives(saved_, after)) return;
        EXPECT_EQ(rvf_store_acknowledge(store_), 0);
        saved_ = after;
        before_first_ = false;
    }

    Random random_;
    int32_t store_;
    Disk disk_{Buffer{}};
    Model saved_;
    bool before_first_ = true;
    bool committed_ = false; ///< all of the commit in flight is written
};

TEST(Crash, AtEveryWriteAndFlushLeavesTheLastCommitOrTheOneInFlight) {
    int crashes = 0;
    for (uint64_t seed : test::seeds(40)) {
        CrashingHost host(seed);
        host.run(25);
        crashes += host.crashes;
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
    EXPECT_TRUE(crashes > 150 || std::getenv("RVF_SEED")) << crashes;
}

} // namespace
} // namespace rvf
