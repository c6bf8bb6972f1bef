// Metadata by calls and out of files. An input is a program; a plain map does the same and says
// what is accepted. What is comes back byte for byte, also after a commit, a compaction, an export
// and opening; what is not changes nothing.
#include "control/heap.h"
#include "tests/fuzz/entries.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/shown.h"

namespace rvf::test {
namespace {

constexpr uint64_t kIds = 8; ///< the rows that a program knows
constexpr int32_t kDimension = 2;
const std::vector<float> kVectors = {1, 2, 3, 4, 5, 6};

enum Operation : uint8_t {
    kUpsert,      ///< id u8, entries
    kUpsertBatch, ///< 1 to 3 ids u8, and what is given as their metadata as it is
    kSetOfRow,    ///< id u8, entries
    kSetOfStore,  ///< entries
    kDelete,      ///< id u8
    kCommit,
    kCompaction,
    kExport,
    kLostCommit,
    kFile, ///< one or two META payloads of a file, which is opened instead of the store
    kOperations,
};

// --- The plain map ---

struct Model {
    std::map<uint64_t, Buffer> rows = {};
    Buffer about = {};
    std::vector<Buffer> foreign = {}; ///< payloads that are not ours
};

bool are_sound(const Buffer& entries) { return fields_of(entries).has_value(); }

/// What a META payload of ours does to the model, or why it is refused.
int32_t apply_meta(const Buffer& payload, Model& model) {
    Reader reader(payload);
    bool is_ours = payload.size() >= 8 && reader.number<uint32_t>() == 0x444D5652;
    if (!is_ours) {
        model.foreign.push_back(payload);
        return kOk;
    }
    if (reader.number<uint16_t>() != 1) return kInvalidVersion;
    bool is_about = reader.number<uint16_t>() & 1;
    for (; reader.more(); is_about = false) {
        auto id = reader.number<uint64_t>();
        Buffer entries = reader.take(reader.number<uint32_t>());
        if (!reader.ok || !are_sound(entries)) return kTruncatedSegment;
        if (is_about) {
            model.about = entries;
        } else if (model.rows.count(id)) {
            model.rows[id] = entries;
        }
    }
    return kOk;
}

// --- The store beside it ---

class Program {
public:
    Program(const uint8_t* data, size_t size)
        : reader_(data, size), store_(rvf_store_create(kDimension, kL2)) {}
    ~Program() { rvf_store_close(store_); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void run() {
        for (int steps = 0; reader_.more() && steps < 40; ++steps) {
            step(static_cast<Operation>(reader_.number<uint8_t>() % kOperations));
            require_same_as_model();
        }
        commit(0);
        commit(kCompact);
        take_export();
        require_same_as_model();
    }

private:
    uint64_t id() { return reader_.number<uint8_t>() % kIds; }
    Buffer bytes() { return reader_.take_some(reader_.number<uint8_t>()); }

    void step(Operation operation) {
        switch (operation) {
            case kUpsert: {
                uint64_t row = id();
                Buffer entries = bytes(), meta;
                put(meta, static_cast<uint32_t>(entries.size()));
                append(meta, entries);
                return upsert({row}, meta);
            }
            case kUpsertBatch: {
                std::vector<uint64_t> ids;
                for (uint32_t i = reader_.number<uint8_t>() % 3 + 1; i > 0; --i)
                    ids.push_back(id());
                return upsert(ids, bytes());
            }
            case kSetOfRow: {
                uint64_t row = id();
                return set(&row);
            }
            case kSetOfStore:
                return set(nullptr);
            case kDelete: {
                uint64_t row = id();
                REQUIRE(remove_ids(store_, {row}) == static_cast<int32_t>(model_.rows.erase(row)));
                return;
            }
            case kCommit:
                return commit(0);
            case kCompaction:
                return commit(kCompact);
            case kExport:
                return take_export();
            case kLostCommit:
                return lose_commit();
            default:
                return open_file_with_meta();
        }
    }

    /// `meta` as it is: sound when it holds just as many records as there are ids, or is empty.
    void upsert(const std::vector<uint64_t>& ids, const Buffer& meta) {
        std::vector<Buffer> records;
        Reader reader(meta);
        bool sound = true;
        for (size_t i = 0; i < ids.size() && !meta.empty(); ++i) {
            records.push_back(reader.take(reader.number<uint32_t>()));
            sound = sound && reader.ok && are_sound(records.back());
        }
        sound = sound && reader.left() == 0;
        auto copy = exact_copy(meta);
        auto count = static_cast<int32_t>(ids.size());
        REQUIRE(rvf_store_upsert(store_, address(kVectors.data()), address(ids.data()), count,
                                 address(copy.get()),
                                 meta.size()) == (sound ? count : kInvalidArgument));
        for (size_t i = 0; i < ids.size() && sound; ++i) {
            model_.rows[ids[i]] = meta.empty() ? Buffer{} : records[i];
        }
    }

    void set(const uint64_t* row) {
        Buffer entries = bytes();
        auto copy = exact_copy(entries);
        int32_t done =
            rvf_store_set_metadata(store_, address(row), address(copy.get()), entries.size());
        if (!are_sound(entries)) {
            REQUIRE(done == kInvalidArgument);
        } else if (row && !model_.rows.count(*row)) {
            REQUIRE(done == 0);
        } else {
            REQUIRE(done == 1);
            (row ? model_.rows[*row] : model_.about) = entries;
        }
    }

    void commit(uint32_t flags) {
        int32_t made = host_.commit(store_, flags);
        REQUIRE(made == 1 || (made == 0 && flags == 0));
        reopen(host_.bytes);
    }

    void take_export() {
        Buffer file = export_file(store_);
        reopen(file);
        host_.bytes = file;
    }

    void reopen(const Buffer& file) {
        int32_t again = open_file(file);
        REQUIRE(again > 0);
        require_same(shown_by(store_), shown_by(again));
        rvf_store_close(store_);
        store_ = again;
    }

    void lose_commit() {
        FileHost lost = host_;
        if (lost.write(store_, reader_.number<uint8_t>() & 1) != 1) return;
        REQUIRE(rvf_store_discard(store_) == 0);
    }

    /// Vectors of even ids, and META segments as they come.
    void open_file_with_meta() {
        FileBuilder file;
        Model model;
        uint32_t segments = reader_.number<uint8_t>() % 2 + 1;
        for (uint64_t row = 0; row < kIds; row += 2) {
            file.add_vectors({row}, {1, 2});
            model.rows[row] = {};
        }
        int32_t status = kOk;
        for (; segments > 0; --segments) {
            Buffer payload = bytes();
            file.add(kMeta, payload);
            if (status == kOk) status = apply_meta(payload, model);
        }
        file.commit();
        int32_t opened = open_file(file.bytes);
        if (status != kOk) {
            REQUIRE(opened == status);
            return;
        }
        REQUIRE(opened > 0);
        REQUIRE(rvf_store_warnings(opened) == 0);
        rvf_store_close(store_);
        store_ = opened;
        host_.bytes = file.bytes;
        model_ = model;
    }

    void require_same_as_model() {
        REQUIRE(rvf_store_count(store_) == static_cast<int32_t>(model_.rows.size()));
        for (uint64_t row = 0; row < kIds; ++row) {
            auto found = model_.rows.find(row);
            REQUIRE(metadata_of(store_, &row) ==
                    (found == model_.rows.end() ? Buffer{} : found->second));
        }
        REQUIRE(metadata_of(store_, nullptr) == model_.about);
        Shown shown;
        show_kept(store_, shown);
        REQUIRE(shown.kept.size() == model_.foreign.size());
        for (size_t i = 0; i < shown.kept.size(); ++i) {
            REQUIRE(Buffer(shown.kept[i].begin() + kHeaderBytes, shown.kept[i].end()) ==
                    model_.foreign[i]);
        }
    }

    Reader reader_;
    int32_t store_;
    FileHost host_;
    Model model_;
};

// --- Programs that are accepted, mostly ---

void put_bytes(Buffer& program, const Buffer& bytes) {
    size_t size = std::min<size_t>(bytes.size(), 255);
    put(program, static_cast<uint8_t>(size));
    program.insert(program.end(), bytes.begin(), bytes.begin() + static_cast<long>(size));
}

Buffer random_step(Random& random) {
    Buffer step;
    auto operation = static_cast<uint8_t>(random.below(kOperations));
    put(step, operation);
    if (operation == kUpsertBatch || operation == kFile) {
        uint32_t count = random.below(operation == kFile ? 2 : 3);
        Buffer meta;
        put(step, static_cast<uint8_t>(count));
        for (uint32_t i = 0; i <= count && operation == kUpsertBatch; ++i) {
            Buffer entries = random_entries(random);
            put(step, static_cast<uint8_t>(random.below(kIds)));
            put(meta, static_cast<uint32_t>(entries.size()));
            append(meta, entries);
        }
        if (operation == kUpsertBatch) put_bytes(step, meta);
        for (uint32_t i = 0; i <= count && operation == kFile; ++i) {
            put_bytes(step, random_meta(random));
        }
        return step;
    }
    if (operation != kSetOfStore && operation < kCommit) {
        put(step, static_cast<uint8_t>(random.below(kIds)));
    }
    if (operation < kDelete) put_bytes(step, random_entries(random));
    return step;
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    using namespace rvf::test;
    Random random(seed);
    if (random.below(2)) return LLVMFuzzerMutate(data, size, max_size);
    Buffer step = random_step(random);
    if (step.size() > max_size - size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(step.begin(), step.end(), data + size);
    return size + step.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint64_t held = rvf::memory_size();
    rvf::test::Program(data, size).run();
    REQUIRE(rvf::memory_size() == held);
    return 0;
}
