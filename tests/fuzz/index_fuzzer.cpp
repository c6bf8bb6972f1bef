// The index of a store: INDEX and QUANT payloads of a file, loaded and searched, then operations in
// any order. Whatever is loaded or done, exact searches answer as the plain scan does, bit for bit;
// walks find as many, of live rows only and at their true distances; a graph that is built to its
// end is sound; and a searcher that gets the same file in pieces agrees.
#include "control/heap.h"
#include "control/index.h"
#include "control/outside_rows.h"
#include "control/search_index.h"
#include "tests/fuzz/index_input.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/require.h"
#include "tests/unit/file_host.h"
#include "tests/unit/sound_graph.h"

namespace rvf::test {
namespace {

constexpr uint32_t kPartial = 1u << 31;
constexpr int32_t kCutShort = 1 << 30;
constexpr int32_t kAll = 1000; ///< more hits than there are rows
constexpr uint8_t kQuant = 0x06;

enum Operation : uint8_t {
    kIngest, ///< id u8, seed u8
    kDelete, ///< id u8
    kCreate, ///< flags and m u8, efConstruction u8
    kBuild,  ///< rows u8
    kSave,
    kReopen, ///< u8: after a compaction, without loading, taking the file over
    kLose,   ///< a commit that is discarded
    kDrop,
    kShort, ///< u8 KiB of memory for the operation that follows
    kOperations,
};

/// Admits ids below `limit`.
Buffer below(uint64_t limit) {
    Buffer program = {2};
    put(program, uint16_t{0xFFFE});
    put(program, uint8_t{0});
    put(program, uint32_t{8});
    put(program, limit);
    return program;
}

std::vector<Answer> answers_in(const uint8_t* hits, size_t count) {
    std::vector<Answer> answers(count);
    for (size_t i = 0; i < count; ++i) {
        std::memcpy(&answers[i].id, hits + i * kHitBytes, 8);
        std::memcpy(&answers[i].distance, hits + i * kHitBytes + 8, 4);
    }
    return answers;
}

/// Some of `all`, in the same order.
void require_some_of(const std::vector<Answer>& some, const std::vector<Answer>& all) {
    size_t at = 0;
    for (const Answer& one : some) {
        while (at < all.size() && !(all[at] == one)) ++at;
        REQUIRE(at++ < all.size());
    }
}

struct Asked {
    std::vector<float> point;
    int32_t metric;
    Buffer filter;
};

double squares_of(const std::vector<float>& point) {
    double sum = 0;
    for (double value : point) sum += value * value;
    return sum;
}

/// Whether ranges are so wide that squares of them overflow.
bool has_huge(const Buffer& quant) {
    for (size_t at = 0; at + 4 <= quant.size(); at += 4) {
        if (!(std::fabs(get<float>(quant, at)) < 1e15f)) return true;
    }
    return false;
}

class IndexLife {
public:
    explicit IndexLife(const IndexInput& input)
        : reader_(input.operations),
          dimension_(input.dimension),
          has_rare_(input.has_rare()),
          file_(file_of_rows(input)) {
        if (!input.quant.empty()) file_.add(kQuant, input.quant);
        if (!input.index.empty()) file_.add(kIndex, input.index);
        file_.commit();
        host_.bytes = file_.bytes;
        store_ = open_file(host_.bytes);
        REQUIRE(store_ > 0);
        load();
        require_searches();
        require_searcher(input);
    }
    ~IndexLife() { rvf_store_close(store_); }
    IndexLife(const IndexLife&) = delete;
    IndexLife& operator=(const IndexLife&) = delete;

    void run() {
        for (int steps = 0; reader_.more() && steps < 30; ++steps) {
            auto byte = reader_.number<uint8_t>();
            step(static_cast<Operation>(byte % 128 % kOperations));
            rvf_memory_limit(~uint64_t{0});
            if (byte < 128) require_searches(); // they bring the index up to date
        }
        build_to_the_end();
        require_searches();
    }

private:
    /// More often one of the first rows than not, so that they change again and again.
    uint64_t id() {
        auto byte = reader_.number<uint8_t>();
        return byte < 160 ? byte % 16 * kIdStep : byte;
    }

    void step(Operation operation) {
        switch (operation) {
            case kIngest: {
                uint64_t row = id();
                Random random(reader_.number<uint8_t>() % 8); // often just where a query is
                ingest(store_, {row}, some_vector(random, dimension_, has_rare_));
                return;
            }
            case kDelete:
                remove_ids(store_, {id()});
                return;
            case kCreate: {
                auto flags = reader_.number<uint8_t>();
                uint32_t ef = reader_.number<uint8_t>() + 1u;
                rvf_index_create(store_, 1 + flags % 3u, 2 + flags / 3u % 16, ef, flags);
                return;
            }
            case kBuild:
                rvf_index_build(store_, reader_.number<uint8_t>());
                return;
            case kSave:
                rvf_index_save(store_);
                return;
            case kReopen:
                return reopen(reader_.number<uint8_t>());
            case kLose: {
                FileHost lost = host_;
                if (lost.write(store_) == 1) REQUIRE(rvf_store_discard(store_) == 0);
                return;
            }
            case kDrop:
                rvf_index_drop(store_);
                return;
            default: {
                uint64_t more = reader_.number<uint8_t>() * uint64_t{1024};
                auto next = static_cast<Operation>(reader_.number<uint8_t>() % kShort);
                rvf_memory_limit(static_cast<size_t>(memory_size() + more));
                if (next != kReopen && next != kLose) step(next);
            }
        }
    }

    void reopen(uint8_t how) {
        int32_t made = host_.commit(store_, how & 1 ? kCompact : 0);
        REQUIRE(made == 1 || (made == 0 && !(how & 1)));
        std::vector<Answer> before = scan(some_query(1), kAll);
        rvf_store_close(store_);
        if (how & 2) {
            uintptr_t at = rvf_alloc(host_.bytes.size());
            std::memcpy(reinterpret_cast<void*>(at), host_.bytes.data(), host_.bytes.size());
            store_ = rvf_store_open_with(at, host_.bytes.size(), 0, 0, -1, kTakeFile);
        } else {
            store_ = open_file(host_.bytes);
        }
        REQUIRE(store_ > 0);
        REQUIRE(scan(some_query(1), kAll) == before);
        if (how & 4) load();
    }

    void load() {
        int32_t loaded = rvf_index_load(store_, 7);
        REQUIRE(loaded >= 0);
        REQUIRE(static_cast<uint32_t>(loaded) <= (kGraph | kCodes));
    }

    void build_to_the_end() {
        const Store& store = *store_of(store_);
        if (!store.index) return;
        REQUIRE(rvf_index_build(store_, ~0u) == 0);
        if (!store.index->graph) return;
        std::string fault = fault_of(*store.index->graph, store);
        if (!fault.empty()) std::fprintf(stderr, "%s\n", fault.c_str());
        REQUIRE(fault.empty());
    }

    // --- Searches ---

    Asked some_query(uint64_t seed) const {
        Random random(seed);
        const std::vector<uint64_t> limits = {0, 5, 30, 100};
        Asked asked{
            some_vector(random, dimension_, has_rare_), static_cast<int32_t>(random.below(3)), {}};
        if (random.below(2)) asked.filter = below(random.pick(limits));
        return asked;
    }

    /// An empty filter needs an address too.
    static uintptr_t program(const Asked& asked) {
        return asked.filter.empty() ? address(asked.point.data()) : address(asked.filter.data());
    }

    std::vector<Answer> scan(const Asked& asked, int32_t k) const {
        auto room = exact_copy(Buffer(hit_room(k)));
        int32_t found = rvf_store_search(store_, address(asked.point.data()), k, asked.metric,
                                         program(asked), asked.filter.size(), address(room.get()));
        REQUIRE(found >= 0);
        return answers_in(room.get(), static_cast<size_t>(found));
    }

    size_t hit_room(int32_t k) const {
        return static_cast<size_t>(std::min(k, rvf_store_count(store_))) * kHitBytes;
    }

    std::vector<Answer> search(const Asked& asked, int32_t k, int32_t metric, uint32_t ef,
                               uint32_t work, bool& partial) const {
        auto room = exact_copy(Buffer(hit_room(k)));
        uint32_t found = 0;
        int32_t all = rvf_index_search(store_, address(asked.point.data()), 1, k, metric, ef, work,
                                       program(asked), asked.filter.size(), address(room.get()),
                                       address(&found));
        REQUIRE(all == static_cast<int32_t>(found & ~kPartial));
        partial = found & kPartial;
        return answers_in(room.get(), found & ~kPartial);
    }

    void require_searches() const {
        const Store& store = *store_of(store_);
        for (uint64_t seed = 1; seed <= 4; ++seed) {
            Asked asked = some_query(seed);
            bool partial = false;
            for (int32_t k : {1, 4, kAll}) {
                REQUIRE(search(asked, k, asked.metric, 0, 0, partial) == scan(asked, k));
                REQUIRE(!partial);
            }
            if (!store.index || !store.index->graph) continue;
            asked.metric = store.metric;
            std::vector<Answer> all = scan(asked, kAll);
            for (int32_t k : {1, 4, kAll}) {
                std::vector<Answer> some = search(asked, k, -1, 1 + 9u * (seed % 2), 0, partial);
                REQUIRE(!partial);
                REQUIRE(some.size() == std::min(all.size(), static_cast<size_t>(k)));
                require_some_of(some, all);
                require_some_of(search(asked, k, -1, 4, 5, partial), all);
            }
        }
    }

    // --- The same file in pieces ---

    void require_searcher(const IndexInput& input) const {
        FileBuilder shell;
        shell.dimension = input.dimension;
        shell.metric = input.metric;
        if (!input.quant.empty()) shell.add(kQuant, input.quant);
        shell.commit();
        StoreHandle searcher(open_file(shell.bytes));
        if (rvf_rows_begin(searcher, input.rows, 0) != 0) return;
        bool has_huge_ranges = has_huge(input.quant);
        const Buffer& bytes = file_.bytes;
        size_t payload = kHeaderBytes, size = get<uint64_t>(bytes, 16);
        size_t record = 8 + 4 * dimension_, half = 6 + input.rows / 2u * record;
        auto hash = address(bytes.data() + 0x28);
        REQUIRE(rvf_rows_take(searcher, address(&bytes[payload]), half, 6, 0) == input.rows / 2);
        auto rest = exact_copy(Buffer(&bytes[payload] + half, &bytes[payload] + size));
        REQUIRE(rvf_rows_take(searcher, address(rest.get()), size - half, 0, hash) ==
                (input.rows + 1) / 2);
        Buffer index = segment(kIndex, 9, input.index);
        REQUIRE(rvf_rows_link(searcher, address(index.data()), index.size(), 7) >= 0);
        remove_ids(searcher, file_.deleted);
        REQUIRE(rvf_store_count(searcher) == rvf_store_count(store_));
        for (uint64_t seed = 1; seed <= 4; ++seed)
            require_found(searcher, some_query(seed), has_huge_ranges);
    }

    void require_found(int32_t searcher, Asked asked, bool has_huge_ranges) const {
        asked.metric = -1;
        std::vector<Answer> all = scan(asked, kAll);
        for (int32_t ef : {1, 10, kAll}) {
            uint32_t room[2 * 64];
            int32_t found = rvf_rows_find(searcher, address(asked.point.data()), ef, 0,
                                          program(asked), asked.filter.size(), address(room));
            if (found == kNotFinite) { // codes cannot say how far that is
                REQUIRE(squares_of(asked.point) > 1e37 || has_huge_ranges);
                return;
            }
            REQUIRE(found >= 0 && !(found & kCutShort));
            std::vector<uint32_t> rows;
            std::vector<float> vectors(static_cast<size_t>(found) * dimension_);
            for (size_t i = 0; i < static_cast<size_t>(found); ++i) {
                rows.push_back(room[2 * i]);
                REQUIRE(room[2 * i + 1] < 64);
                size_t at = kHeaderBytes + 6 + room[2 * i + 1] * (8 + 4 * dimension_) + 8;
                std::memcpy(&vectors[i * dimension_], &file_.bytes[at], 4 * dimension_);
            }
            Buffer hits(64 * kHitBytes);
            int32_t near =
                rvf_rows_compare(searcher, address(asked.point.data()), address(rows.data()),
                                 address(vectors.data()), found, 64, address(hits.data()));
            REQUIRE(near >= 0);
            std::vector<Answer> answers = answers_in(hits.data(), static_cast<size_t>(near));
            require_some_of(answers, all);
            if (ef == kAll) REQUIRE(answers == all);
        }
    }

    Reader reader_;
    size_t dimension_;
    bool has_rare_;
    FileBuilder file_;
    FileHost host_ = {};
    int32_t store_ = 0;
};

/// An operation with its numbers; those that matter together come often.
void append_operation(Buffer& operations, Random& random) {
    const std::vector<uint8_t> kinds = {kIngest, kIngest, kIngest, kIngest, kDelete, kCreate,
                                        kBuild,  kBuild,  kSave,   kReopen, kLose,   kShort};
    uint8_t kind = random.pick(kinds);
    auto byte = [&] { operations.push_back(static_cast<uint8_t>(random.below(256))); };
    operations.push_back(static_cast<uint8_t>(kind + 128 * random.below(2)));
    if (kind == kShort) {
        byte();
        operations.push_back(random.pick(kinds) % kShort);
        kind = operations.back();
    }
    if (kind == kIngest || kind == kCreate) byte();
    if (kind == kIngest || kind == kDelete || kind == kCreate || kind == kReopen) byte();
    if (kind == kBuild) operations.push_back(random.below(2) ? 255 : random.below(20) & 255);
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    using namespace rvf::test;
    Random random(seed);
    IndexInput input = split_index_input(data, size);
    if (random.below(3) == 0 || input.operations.size() > 200) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (random.below(2)) input.operations.clear();
    if (input.rows < 20 && random.below(2)) {
        input.rows = static_cast<uint8_t>(20 + random.below(44));
        input.seed = static_cast<uint8_t>(random.below(256));
    }
    for (uint32_t i = random.below(30); i > 0; --i) append_operation(input.operations, random);
    Buffer bytes = join(input);
    if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rvf;
    using namespace rvf::test;
    uint64_t held = memory_size();
    {
        IndexInput input = split_index_input(data, size);
        IndexLife life(input);
        life.run();
    }
    REQUIRE(memory_size() == held);
    return 0;
}
