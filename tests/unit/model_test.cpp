// Random sequences of operations on a store, with its file, against a plain map.
//
// A sequence is named by its seed, which a failure tells. RVF_SEED in the environment runs it
// alone, RVF_SEEDS that many from there on.
#include <gtest/gtest.h>

#include "control/heap.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::Commit;
using test::make_commit;
using test::Model;
using test::Random;
using test::Record;
using test::State;

constexpr size_t kNoLimit = ~size_t{0};

/// A filter program: field 0 to 7 is that u64.
Buffer filter_for(uint16_t field, uint64_t value) {
    Buffer program = {0};
    test::put(program, field);
    test::put(program, test::kU64);
    test::put(program, uint32_t{8});
    test::put(program, value);
    return program;
}

bool has_entry(const Buffer& entries, uint16_t field, uint64_t value) {
    for (size_t at = 0; at < entries.size();) {
        uint32_t size = test::get<uint32_t>(entries, at + 3);
        bool is_it = test::get<uint16_t>(entries, at) == field && entries[at + 2] == test::kU64;
        if (is_it) return test::get<uint64_t>(entries, at + 7) == value;
        at += 7 + size;
    }
    return false;
}

/// One store, what it must hold, and its file. A child has its parent in it too.
class Sequence {
public:
    explicit Sequence(uint64_t seed) : random_(seed) {
        dimension_ = 1 + random_.below(6);
        metric_ = static_cast<int32_t>(random_.below(3));
        most_ids_ = random_.below(3) ? 12 : 300;
        store_ = rvf_store_create(static_cast<int32_t>(dimension_), metric_);
        give_file_id();
    }
    ~Sequence() {
        rvf_memory_limit(kNoLimit);
        rvf_store_close(store_);
        if (parent_ > 0) rvf_store_close(parent_);
    }
    Sequence(const Sequence&) = delete;
    Sequence& operator=(const Sequence&) = delete;

    void run() {
        for (uint32_t steps = 10 + random_.below(110); steps > 0 && !failed(); --steps) step();
        check();
    }

private:
    bool failed() const { return testing::Test::HasFailure(); }

    void give_file_id() {
        for (uint8_t& byte : file_id_) byte = static_cast<uint8_t>(1 + random_.below(255));
        EXPECT_EQ(rvf_store_set_file_id(store_, address(file_id_)), 0);
    }

    uint64_t some_id() {
        uint64_t id = random_.below(most_ids_);
        return random_.below(20) ? id : ~id; // ids are any u64
    }

    void step() {
        bool limited = random_.below(8) == 0;
        if (limited) {
            rvf_memory_limit(static_cast<size_t>(memory_size()) + random_.below(3000));
        }
        int32_t answer = change(limited);
        rvf_memory_limit(kNoLimit);
        if (answer == kOutOfMemory) EXPECT_TRUE(limited);
        if (answer == kOutOfMemory || random_.below(10) == 0) check();
    }

    /// One operation on the store and, when it does not fail, on the model.
    int32_t change(bool limited) {
        uint32_t what = random_.below(100);
        if (what < 35) return ingest();
        if (what < 45) return remove();
        if (what < 50) return remove_where();
        if (what < 58) return describe();
        if (what < 62) return embed();
        if (what < 85) return commit(0);
        if (what < 88) return commit(kCompact);
        if (limited) return 0;
        if (what < 92) return reopen();
        if (what < 94) return check_export();
        if (what < 95) return freeze();
        if (what < 97) return branch();
        return parent_goes_on();
    }

    /// Whether an answer is one of success; in a frozen store changes must not be.
    bool succeeded(int32_t answer) {
        if (answer == kOutOfMemory) return false;
        EXPECT_EQ(answer == kSnapshotFrozen, model_.frozen) << answer;
        EXPECT_TRUE(answer >= 0 || answer == kSnapshotFrozen) << answer;
        return answer >= 0;
    }

    int32_t ingest() {
        size_t count = 1 + random_.below(random_.below(4) ? 3 : 40);
        std::vector<uint64_t> ids(count);
        for (uint64_t& id : ids) id = some_id();
        std::vector<float> vectors = random_.vector(count * dimension_, -8, 8);
        bool with_metadata = random_.below(2);
        Buffer records;
        std::vector<Buffer> entries(count);
        for (Buffer& entry : entries) {
            if (with_metadata) entry = test::random_entries(random_);
            if (with_metadata && random_.below(2)) entry = test::u64_entry(3, random_.below(4));
            test::put(records, static_cast<uint32_t>(entry.size()));
            test::append(records, entry);
        }
        auto rows = static_cast<int32_t>(count);
        int32_t answer =
            with_metadata
                ? rvf_store_upsert(store_, address(vectors.data()), address(ids.data()), rows,
                                   address(records.data()), records.size())
                : rvf_store_ingest(store_, address(vectors.data()), address(ids.data()), rows);
        if (!succeeded(answer)) return answer;
        EXPECT_EQ(answer, rows);
        for (size_t i = 0; i < count; ++i) {
            auto first = vectors.begin() + static_cast<long>(i * dimension_);
            model_.rows[ids[i]] = {{first, first + static_cast<long>(dimension_)}, entries[i]};
        }
        return answer;
    }

    int32_t remove() {
        std::vector<uint64_t> ids(1 + random_.below(6));
        for (uint64_t& id : ids) id = some_id();
        int32_t answer = test::remove_ids(store_, ids);
        if (!succeeded(answer)) return answer;
        int32_t removed = 0;
        for (uint64_t id : ids) removed += static_cast<int32_t>(model_.rows.erase(id));
        EXPECT_EQ(answer, removed);
        return answer;
    }

    int32_t remove_where() {
        uint64_t value = random_.below(4);
        Buffer program = filter_for(3, value);
        int32_t answer = rvf_store_delete_where(store_, address(program.data()), program.size());
        if (!succeeded(answer)) return answer;
        size_t removed = std::erase_if(
            model_.rows, [&](const auto& row) { return has_entry(row.second.metadata, 3, value); });
        EXPECT_EQ(answer, static_cast<int32_t>(removed));
        return answer;
    }

    int32_t describe() {
        Buffer entries = test::random_entries(random_);
        if (random_.below(4) == 0) {
            int32_t answer = test::set_about(store_, entries);
            if (succeeded(answer)) model_.about = entries;
            return answer;
        }
        uint64_t id = some_id();
        int32_t answer = test::set_metadata(store_, id, entries);
        if (!succeeded(answer)) return answer;
        EXPECT_EQ(answer, model_.rows.contains(id));
        if (answer == 1) model_.rows[id].metadata = entries;
        return answer;
    }

    int32_t embed() {
        auto type = static_cast<uint8_t>(0xF0 + random_.below(8));
        Buffer payload(random_.below(200), static_cast<uint8_t>(random_.below(256)));
        int32_t answer = test::embed(store_, type, payload);
        if (succeeded(answer)) model_.kept.emplace_back(type, payload);
        return answer;
    }

    /// Commits; the host writes it, or fails to, and the store may change before it knows.
    int32_t commit(uint32_t flags) {
        bool changed = State(store_).changed;
        int32_t signature = random_.below(6) ? -1 : 0;
        Commit commit = make_commit(store_, {.flags = flags, .signature = signature});
        if (commit.answer < 0) {
            EXPECT_EQ(commit.answer, kOutOfMemory);
            return commit.answer;
        }
        EXPECT_EQ(commit.answer, changed || flags);
        if (commit.answer == 0) return 0;
        const Model committed = model_;
        rvf_memory_limit(kNoLimit);
        for (uint32_t more = random_.below(4) ? 0 : 4; more > 0; --more) {
            uint32_t what = random_.below(4);
            if (what == 0) ingest();
            if (what == 1) remove();
            if (what == 2) describe();
            if (what == 3) remove_where();
        }
        if (random_.below(5) == 0) {
            EXPECT_EQ(rvf_store_discard(store_), 0);
            if (random_.below(2)) check();
            return 1;
        }
        test::write_commit(file_, commit);
        EXPECT_EQ(rvf_store_acknowledge(store_), 0);
        EXPECT_EQ(State(store_).file_size, file_.size());
        in_file_ = committed;
        return 1;
    }

    /// Takes the store from its file; what was not committed is gone.
    int32_t reopen() {
        if (file_.empty()) return 0;
        int32_t opened = test::open_with(file_, parents_);
        EXPECT_GT(opened, 0) << opened;
        if (opened <= 0) return 0;
        EXPECT_EQ(rvf_store_warnings(opened), 0);
        rvf_store_close(store_);
        store_ = opened;
        model_ = in_file_;
        check();
        return 0;
    }

    int32_t check_export() {
        Buffer image = test::export_file(store_);
        test::StoreHandle copy(test::open_file(image));
        EXPECT_GT(copy, 0);
        EXPECT_EQ(rvf_store_warnings(copy), 0);
        Model model = test::model_of(copy);
        model.frozen = model_.frozen; // an image carries the REFCOUNT as any other segment
        EXPECT_TRUE(same(model, model_));
        return 0;
    }

    int32_t freeze() {
        if (random_.below(4)) return 0; // not too often: it ends the sequence
        int32_t answer = rvf_store_freeze(store_);
        if (succeeded(answer)) model_.frozen = true;
        return answer;
    }

    bool save_all() {
        if (State(store_).changed) test::save(store_, file_);
        in_file_ = model_;
        return !failed();
    }

    /// Goes on with a branch of the store.
    int32_t branch() {
        if (parents_.size() >= 2 || !save_all()) return 0;
        for (uint8_t& byte : file_id_) byte = static_cast<uint8_t>(1 + random_.below(255));
        int32_t child = rvf_store_branch(store_, address(file_id_), address(file_.data()),
                                         file_.size(), address("parent.rvf"), 10);
        EXPECT_GT(child, 0) << child;
        if (child <= 0) return 0;
        if (parent_ > 0) rvf_store_close(parent_);
        parent_ = store_;
        parents_.insert(parents_.begin(), file_);
        parent_is_frozen_ = model_.frozen;
        store_ = child;
        file_.clear();
        model_.kept.clear();
        model_.frozen = false;
        in_file_ = model_;
        save_all();
        return 0;
    }

    /// The nearest parent commits something that its branch must not see.
    int32_t parent_goes_on() {
        if (parent_ <= 0 || parent_is_frozen_) return 0;
        for (uint64_t id : {some_id(), some_id()}) {
            test::upsert(parent_, id, random_.vector(dimension_, 50, 60), test::u64_entry(3, 1));
        }
        test::remove_ids(parent_, {some_id()});
        test::save(parent_, parents_[0]);
        return 0;
    }

    void check() {
        EXPECT_TRUE(same(test::model_of(store_), model_));
        EXPECT_EQ(rvf_store_count(store_), static_cast<int32_t>(model_.rows.size()));
        check_answers();
        if (file_.empty() || random_.below(3)) return;
        test::StoreHandle copy(test::open_with(file_, parents_));
        EXPECT_GT(copy, 0) << copy;
        EXPECT_TRUE(same(test::model_of(copy), in_file_)) << "in the file";
    }

    double distance(const std::vector<float>& a, const std::vector<float>& b) const {
        double dot = 0, squares = 0, a_norm = 0, b_norm = 0;
        for (size_t i = 0; i < dimension_; ++i) {
            double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
            dot += x * y;
            squares += (x - y) * (x - y);
            a_norm += x * x;
            b_norm += y * y;
        }
        if (metric_ == kL2) return squares;
        return metric_ == kInnerProduct ? -dot : 1 - dot / std::sqrt(a_norm * b_norm);
    }

    /// The answers are the nearest, by distances in double; f32 may swap those that are near equal.
    void check_answers() {
        std::vector<float> query = random_.vector(dimension_, -8, 8);
        auto k = static_cast<int32_t>(1 + random_.below(12));
        std::vector<test::Answer> answers = test::query(store_, query, k);
        std::vector<double> expected;
        for (const auto& [id, row] : model_.rows) expected.push_back(distance(query, row.vector));
        std::sort(expected.begin(), expected.end());
        expected.resize(std::min(expected.size(), static_cast<size_t>(k)));
        ASSERT_EQ(answers.size(), expected.size());
        std::map<uint64_t, int> seen;
        for (size_t i = 0; i < answers.size(); ++i) {
            auto row = model_.rows.find(answers[i].id);
            ASSERT_TRUE(row != model_.rows.end()) << answers[i].id;
            EXPECT_EQ(seen[answers[i].id]++, 0);
            EXPECT_NEAR(static_cast<double>(answers[i].distance), expected[i], 1e-3);
            EXPECT_NEAR(distance(query, row->second.vector), expected[i], 1e-3);
        }
    }

    Random random_;
    size_t dimension_;
    int32_t metric_;
    uint32_t most_ids_;
    uint8_t file_id_[16];
    int32_t store_;
    Model model_;
    Model in_file_;
    Buffer file_;
    int32_t parent_ = 0;
    bool parent_is_frozen_ = false;
    std::vector<Buffer> parents_; ///< nearest first
};

TEST(Model, AThousandSequencesOfOperationsLeaveWhatAMapHolds) {
    for (uint64_t seed : test::seeds(1000)) {
        Sequence(seed).run();
        ASSERT_FALSE(HasFailure()) << "RVF_SEED=" << seed;
    }
}

} // namespace
} // namespace rvf
