// A host that crashes at any write or flush, whose disk loses, tears or reorders what was not
// flushed: what opens is the last commit that was acknowledged or the one in flight, and work goes
// on.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::append;
using test::Buffer;
using test::Commit;
using test::make_commit;
using test::Model;
using test::model_of;
using test::Random;
using test::same;
using test::State;
using test::StoreHandle;
using test::upsert;

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
