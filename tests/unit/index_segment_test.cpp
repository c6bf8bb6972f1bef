// INDEX segments: those that upstream wrote, read and written again; our own; and damaged ones.
#include <fstream>
#include <functional>

#include "control/index_segment.h"
#include "tests/unit/graph_store.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::Buffer;
using test::built;
using test::expect_sound;
using test::get;
using test::GraphPointer;
using test::Random;
using test::StorePointer;

// --- Reading and writing without the code under test ---

using NodeLists = std::vector<std::vector<uint64_t>>; ///< of one node, by layer

struct Decoded {
    uint64_t entry;
    uint32_t top_layer;
    std::vector<NodeLists> nodes;
    std::vector<uint64_t> ids;
};

uint64_t number(const Buffer& bytes, size_t& at) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        value |= uint64_t{bytes[at] & 127u} << shift;
        if (bytes[at++] < 128) return value;
    }
}

void put_number(Buffer& bytes, uint64_t value) {
    for (; value >= 128; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 128));
    bytes.push_back(static_cast<uint8_t>(value));
}

size_t up_to_64(size_t size) { return (size + 63) / 64 * 64; }

Decoded decode(const Buffer& payload) {
    Decoded index;
    index.nodes.resize(get<uint64_t>(payload, 8));
    size_t at = up_to_64(72 + 4 * get<uint32_t>(payload, 68));
    for (size_t node = 0; node < index.nodes.size(); ++node) {
        index.nodes[node].resize(number(payload, at));
        for (auto& list : index.nodes[node]) {
            list.resize(number(payload, at));
            uint64_t last = 0;
            for (uint64_t& neighbor : list) {
                neighbor = last + number(payload, at);
                if (node % 64) last = neighbor;
            }
        }
    }
    size_t trailer = up_to_64(at);
    index.top_layer = get<uint32_t>(payload, trailer + 4);
    index.entry = get<uint64_t>(payload, trailer + 8);
    index.ids.resize(get<uint64_t>(payload, trailer + 16));
    at = trailer + 24;
    uint64_t id = 0;
    for (uint64_t& each : index.ids) each = id += number(payload, at);
    return index;
}

/// The payloads of all INDEX segments of an upstream file.
std::vector<Buffer> index_payloads(const char* name) {
    std::ifstream stream(std::string(RVF_FIXTURES "/") + name, std::ios::binary);
    Buffer file((std::istreambuf_iterator<char>(stream)), {});
    std::vector<Buffer> payloads;
    for (size_t at = 0; at + 64 <= file.size();) {
        size_t begin = at + 64, length = get<uint64_t>(file, at + 16);
        if (file[at + 5] == test::kIndex) {
            payloads.emplace_back(file.begin() + static_cast<long>(begin),
                                  file.begin() + static_cast<long>(begin + length));
        }
        at = begin + length;
    }
    return payloads;
}

/// One-dimensional rows with these ids, in a mixed order.
StorePointer store_with(std::vector<uint64_t> ids) {
    Random random(1);
    for (size_t i = ids.size(); i > 1; --i) {
        std::swap(ids[i - 1], ids[random.below(static_cast<uint32_t>(i))]);
    }
    StorePointer store = test::empty_store(1, kL2);
    for (uint64_t id : ids) test::put_row(*store, id, {static_cast<float>(id % 1000)});
    return store;
}

// --- The code under test ---

IndexFault read(const Buffer& payload, const Store& store, GraphPointer& graph) {
    auto bytes = test::exact_copy(payload);
    Graph* made = nullptr;
    IndexFault fault = load_index({bytes.get(), payload.size()}, store, 1, made);
    EXPECT_EQ(made != nullptr, fault == IndexFault::kNone);
    graph.reset(made);
    return fault;
}

GraphPointer read(const Buffer& payload, const Store& store) {
    GraphPointer graph;
    EXPECT_EQ(read(payload, store, graph), IndexFault::kNone);
    return graph;
}

Buffer written(const Graph& graph, const Store& store) {
    IndexWriter writer{graph, store};
    EXPECT_EQ(begin_index(writer), kOk);
    Buffer payload(index_bytes(writer));
    auto bytes = test::exact_copy(payload);
    write_index(writer, bytes.get());
    end_index(writer);
    return Buffer(bytes.get(), bytes.get() + payload.size());
}

/// A store of `count` rows whose ids are not in their order, and its graph.
struct Indexed {
    StorePointer store = test::empty_store(4, kL2);
    GraphPointer graph;

    explicit Indexed(size_t count, uint32_t m = 16) {
        Random random(count);
        for (size_t i = 0; i < count; ++i) {
            uint64_t id = random.bits() >> random.below(50);
            test::put_row(*store, id, random.vector(4, -1, 1));
        }
        graph = built(*store, m);
    }
};

// --- Upstream's ---

const char* const kIndexed[] = {"made_index_l2.rvf", "made_index_cosine_sparse_ids.rvf",
                                "made_index_then_deletes.rvf"};

TEST(IndexSegment, WritesTheBytesOfUpstreamAgain) {
    int segments = 0;
    for (const char* name : kIndexed) {
        for (const Buffer& payload : index_payloads(name)) {
            StorePointer store = store_with(decode(payload).ids);
            ASSERT_EQ(written(*read(payload, *store), *store), payload) << name;
            ++segments;
        }
    }
    ASSERT_EQ(segments, 4);
}

TEST(IndexSegment, ReadsTheListsOfUpstream) {
    for (const char* name : kIndexed) {
        Buffer payload = index_payloads(name).back();
        Decoded index = decode(payload);
        StorePointer store = store_with(index.ids);
        GraphPointer graph = read(payload, *store);
        auto row = [&](uint64_t node) { return find_row(*store, index.ids[node]); };
        ASSERT_EQ(graph->m, 16u);
        ASSERT_EQ(graph->ef_construction, 200u);
        ASSERT_EQ(graph->entry, row(index.entry));
        ASSERT_EQ(graph->layer_count, index.top_layer + 1);
        ASSERT_EQ(graph->node_count, index.nodes.size());
        for (size_t node = 0; node < index.nodes.size(); ++node) {
            ASSERT_EQ(layers_of(*graph, row(node)), index.nodes[node].size());
            for (uint32_t layer = 0; layer < index.nodes[node].size(); ++layer) {
                std::set<uint32_t> expected;
                for (uint64_t neighbor : index.nodes[node][layer]) expected.insert(row(neighbor));
                std::vector<uint32_t> list = test::neighbors(*graph, row(node), layer);
                ASSERT_EQ(std::set<uint32_t>(list.begin(), list.end()), expected);
            }
        }
    }
}

// --- Our own ---

TEST(IndexSegment, ReadsWhatItWrote) {
    for (size_t count : {1u, 2u, 63u, 64u, 65u, 1000u}) {
        for (uint32_t m : {2u, 16u, 64u}) {
            Indexed made(count, m);
            Buffer payload = written(*made.graph, *made.store);
            GraphPointer graph = read(payload, *made.store);
            ASSERT_EQ(written(*graph, *made.store), payload);
            ASSERT_EQ(graph->entry, made.graph->entry);
            expect_sound(*graph, *made.store);
        }
    }
}

// The lists of the file are those of the graph, by the decoder above.
TEST(IndexSegment, WritesTheListsOfTheGraph) {
    Indexed made(300);
    Decoded index = decode(written(*made.graph, *made.store));
    ASSERT_TRUE(std::is_sorted(index.ids.begin(), index.ids.end()));
    ASSERT_EQ(index.nodes.size(), live_count(*made.store));
    for (size_t node = 0; node < index.nodes.size(); ++node) {
        uint32_t row = find_row(*made.store, index.ids[node]);
        ASSERT_EQ(index.nodes[node].size(), layers_of(*made.graph, row));
        for (uint32_t layer = 0; layer < index.nodes[node].size(); ++layer) {
            const auto& list = index.nodes[node][layer];
            ASSERT_TRUE(std::is_sorted(list.begin(), list.end()));
            std::set<uint32_t> rows;
            for (uint64_t each : list) rows.insert(find_row(*made.store, index.ids[each]));
            std::vector<uint32_t> expected = test::neighbors(*made.graph, row, layer);
            ASSERT_EQ(rows, std::set<uint32_t>(expected.begin(), expected.end()));
        }
    }
}

TEST(IndexSegment, GoesOnFromWhatItRead) {
    Indexed made(500);
    GraphPointer graph = read(written(*made.graph, *made.store), *made.store);
    Random random(9);
    for (uint64_t id = 0; id < 500; ++id) {
        test::put_row(*made.store, ~id, random.vector(4, -1, 1));
    }
    ASSERT_EQ(hnsw_build(*graph, *made.store, ~0u), kOk);
    ASSERT_EQ(graph->done, made.store->row_count);
    expect_sound(*graph, *made.store);
}

// Upstream leaves deleted ids in its index, and writes rows that its index does not know.
TEST(IndexSegment, MendsTheGraphAroundIdsThatAreGone) {
    for (uint32_t kept : {2u, 10u}) {
        Indexed made(1000);
        Buffer payload = written(*made.graph, *made.store);
        StorePointer store = test::empty_store(4, kL2);
        std::vector<std::vector<float>> vectors;
        for (uint32_t row = 0; row < made.store->row_count; ++row) {
            if (row % kept) continue;
            Row source = row_at(*made.store, row);
            std::vector<float> vector(4);
            std::memcpy(vector.data(), source.vector, 16);
            test::put_row(*store, load<uint64_t>(source.id), vector);
            vectors.push_back(vector);
        }
        GraphPointer graph = read(payload, *store);
        ASSERT_EQ(graph->node_count, store->row_count);
        expect_sound(*graph, *store);
        for (uint32_t row = 0; row < store->row_count; ++row) {
            auto answers = test::search_graph(*graph, *store, vectors[row], 1, 50);
            ASSERT_EQ(answers[0].distance, 0.0f);
        }
    }
}

TEST(IndexSegment, LeavesDeadRowsOut) {
    Indexed made(400);
    for (uint32_t row = 0; row < 400; row += 2) {
        delete_id(*made.store, load<uint64_t>(row_at(*made.store, row).id));
    }
    Decoded index = decode(written(*made.graph, *made.store));
    ASSERT_EQ(index.ids.size(), 200u);
    ASSERT_EQ(index.nodes[index.entry].size(), index.top_layer + 1);
    GraphPointer graph = read(written(*made.graph, *made.store), *made.store);
    ASSERT_EQ(hnsw_build(*graph, *made.store, ~0u), kOk);
    expect_sound(*graph, *made.store);
}

// They would cost time and memory for nothing; building anew is quicker.
TEST(IndexSegment, IsNotReadWhenMostOfItsIdsAreGone) {
    Indexed made(600);
    Buffer payload = written(*made.graph, *made.store);
    std::vector<uint64_t> ids = decode(payload).ids;
    for (size_t rows : {37u, 36u}) { // a sixteenth, about, and less
        StorePointer few = test::empty_store(4, kL2);
        for (size_t i = 0; i < rows; ++i) test::put_row(*few, ids[i], {1, 2, 3, 4});
        GraphPointer graph;
        EXPECT_EQ(read(payload, *few, graph) == IndexFault::kNone, rows == 37) << rows;
    }
}

TEST(IndexSegment, NeedsALinkedLiveRowToWrite) {
    StorePointer store = store_with({1, 2});
    GraphPointer graph = test::empty_graph();
    IndexWriter writer{*graph, *store};
    ASSERT_EQ(begin_index(writer), kInvalidArgument);
}

// --- Damage ---

/// An index built by hand: 70 nodes in a ring, ids 10, 20, ...; node 5 is the entry, on two layers
/// with node 6.
struct Ring {
    std::vector<NodeLists> nodes = std::vector<NodeLists>(70);
    std::vector<uint64_t> ids;
    uint16_t m = 16, m0 = 32;
    uint32_t ef = 200, interval = 64;
    uint64_t entry = 5;
    uint32_t top_layer = 1;

    Ring() {
        for (uint64_t node = 0; node < 70; ++node) {
            uint64_t a = (node + 69) % 70, b = (node + 1) % 70;
            nodes[node] = {{std::min(a, b), std::max(a, b)}};
            ids.push_back(10 * (node + 1));
        }
        nodes[5].push_back({6});
        nodes[6].push_back({5});
    }

    Buffer payload() const {
        Buffer bytes(64);
        bytes[1] = 2;
        test::set(bytes, 2, m);
        test::set(bytes, 4, ef);
        test::set(bytes, 8, uint64_t{nodes.size()});
        size_t restarts = (nodes.size() + interval - 1) / interval;
        test::put(bytes, interval);
        test::put(bytes, static_cast<uint32_t>(restarts));
        size_t table = bytes.size();
        bytes.resize(up_to_64(table + 4 * restarts));
        size_t begin = bytes.size();
        for (size_t node = 0; node < nodes.size(); ++node) {
            if (node % interval == 0) {
                test::set(bytes, table + 4 * (node / interval),
                          static_cast<uint32_t>(bytes.size() - begin));
            }
            put_number(bytes, nodes[node].size());
            for (const auto& list : nodes[node]) {
                put_number(bytes, list.size());
                uint64_t last = 0;
                for (uint64_t neighbor : list) {
                    put_number(bytes, neighbor - last);
                    if (node % interval) last = neighbor;
                }
            }
        }
        bytes.resize(up_to_64(bytes.size()));
        size_t trailer = bytes.size();
        test::put(bytes, uint16_t{1});
        test::put(bytes, m0);
        test::put(bytes, top_layer);
        test::put(bytes, entry);
        test::put(bytes, uint64_t{ids.size()});
        uint64_t last = 0;
        for (uint64_t id : ids) {
            put_number(bytes, id - last);
            last = id;
        }
        test::put(bytes, static_cast<uint32_t>(bytes.size() - trailer));
        test::put(bytes, uint32_t{0x58495652});
        return bytes;
    }
};

constexpr long kRingAdjacency = 128;

size_t trailer_of(const Buffer& payload) {
    return payload.size() - 8 - get<uint32_t>(payload, payload.size() - 8);
}

TEST(IndexSegment, ReadsARingMadeByHand) {
    Ring ring;
    StorePointer store = store_with(ring.ids);
    GraphPointer graph = read(ring.payload(), *store);
    ASSERT_EQ(graph->entry, find_row(*store, 60));
    ASSERT_EQ(test::reachable(*graph).size(), 70u);
    ASSERT_EQ(written(*graph, *store), ring.payload());
}

TEST(IndexSegment, TakesAnyRestartInterval) {
    for (uint32_t interval : {1u, 7u, 70u, 1000000u}) {
        Ring ring, expected;
        ring.interval = interval;
        StorePointer store = store_with(ring.ids);
        ASSERT_EQ(written(*read(ring.payload(), *store), *store), expected.payload());
    }
}

struct Damage {
    const char* what;
    IndexFault fault;
    std::function<void(Ring&)> to_ring;
    std::function<void(Buffer&)> to_bytes;
};

template <typename T>
std::function<void(Buffer&)> value(size_t at, T number) {
    return [=](Buffer& bytes) { test::set(bytes, at, number); };
}
template <typename T>
std::function<void(Buffer&)> in_trailer(size_t at, T number) {
    return [=](Buffer& bytes) { test::set(bytes, trailer_of(bytes) + at, number); };
}

TEST(IndexSegment, TellsWhatIsWrong) {
    auto no_ring = [](Ring&) {};
    auto no_bytes = [](Buffer&) {};
    const Damage damages[] = {
        {"RVIX", IndexFault::kNoTrailer, no_ring, [](Buffer& b) { b.back() = 0; }},
        {"trailer length 0", IndexFault::kNoTrailer, no_ring,
         [](Buffer& b) { test::set(b, b.size() - 8, 0u); }},
        {"trailer length 2^32 - 1", IndexFault::kNoTrailer, no_ring,
         [](Buffer& b) { test::set(b, b.size() - 8, ~0u); }},
        {"trailer version", IndexFault::kVersion, no_ring, in_trailer(0, uint16_t{2})},
        {"kind", IndexFault::kNotHnsw, no_ring, value(0, uint8_t{1})},
        {"part", IndexFault::kNotHnsw, no_ring, value(1, uint8_t{0})},
        {"M 0", IndexFault::kParameters, [](Ring& r) { r.m = r.m0 = 0; }, no_bytes},
        {"M 65", IndexFault::kParameters, [](Ring& r) { r.m = 65, r.m0 = 130; }, no_bytes},
        {"M0", IndexFault::kParameters, [](Ring& r) { r.m0 = 33; }, no_bytes},
        {"efConstruction 0", IndexFault::kParameters, [](Ring& r) { r.ef = 0; }, no_bytes},
        {"efConstruction", IndexFault::kParameters, [](Ring& r) { r.ef = ~0u; }, no_bytes},
        {"interval 0", IndexFault::kParameters, no_ring, value(64, 0u)},
        {"no nodes", IndexFault::kNodeCount, no_ring, value(8, uint64_t{0})},
        {"2^64 - 1 nodes", IndexFault::kNodeCount, no_ring, value(8, ~uint64_t{0})},
        {"one id more", IndexFault::kNodeCount, [](Ring& r) { r.ids.push_back(9999); }, no_bytes},
        {"restart count", IndexFault::kNodeCount, no_ring, value(68, 3u)},
        {"restart 0", IndexFault::kRestart, no_ring, value(72, 1u)},
        {"restart 1", IndexFault::kRestart, no_ring, value(76, ~0u)},
        {"header padding", IndexFault::kPadding, no_ring, value(63, uint8_t{1})},
        {"table padding", IndexFault::kPadding, no_ring, value(127, uint8_t{1})},
        {"padding of lists", IndexFault::kPadding, no_ring,
         [](Buffer& b) { b[trailer_of(b) - 1] = 1; }},
        {"64 bytes of padding more", IndexFault::kPadding, no_ring,
         [](Buffer& b) { b.insert(b.begin() + static_cast<long>(trailer_of(b)), 64, 0); }},
        {"a shift by one byte", IndexFault::kPadding, no_ring,
         [](Buffer& b) { b.insert(b.begin() + static_cast<long>(trailer_of(b)), 0); }},
        {"no layer", IndexFault::kLayers, [](Ring& r) { r.nodes[9].clear(); }, no_bytes},
        {"a layer above the entry's", IndexFault::kLayers, [](Ring& r) { r.nodes[9].resize(3); },
         no_bytes},
        {"16 layers above", IndexFault::kLayers, [](Ring& r) { r.top_layer = 16; }, no_bytes},
        {"2^32 layers", IndexFault::kLayers, [](Ring& r) { r.top_layer = ~0u; }, no_bytes},
        {"an entry below the top", IndexFault::kLayers, [](Ring& r) { r.entry = 7; }, no_bytes},
        {"no such entry", IndexFault::kLayers, [](Ring& r) { r.entry = 70; }, no_bytes},
        {"33 neighbours", IndexFault::kDegree,
         [](Ring& r) {
             r.nodes[0][0].clear();
             for (uint64_t i = 1; i <= 33; ++i) r.nodes[0][0].push_back(i);
         },
         no_bytes},
        {"17 neighbours above", IndexFault::kDegree,
         [](Ring& r) {
             r.nodes[5][1].clear();
             for (uint64_t i = 10; i < 27; ++i) r.nodes[5][1].push_back(i);
         },
         no_bytes},
        {"neighbour 70", IndexFault::kNeighbor, [](Ring& r) { r.nodes[9][0] = {70}; }, no_bytes},
        {"neighbour 70 of a restart node", IndexFault::kNeighbor,
         [](Ring& r) { r.nodes[64][0] = {70}; }, no_bytes},
        {"neighbour 2^64 - 1", IndexFault::kNeighbor,
         [](Ring& r) { r.nodes[9][0] = {8, ~uint64_t{0}}; }, no_bytes},
        {"the node itself", IndexFault::kNeighbor, [](Ring& r) { r.nodes[9][0] = {9}; }, no_bytes},
        {"a neighbour twice", IndexFault::kNeighbor, [](Ring& r) { r.nodes[9][0] = {8, 8}; },
         no_bytes},
        {"descending neighbours", IndexFault::kNeighbor, [](Ring& r) { r.nodes[64][0] = {8, 7}; },
         no_bytes},
        {"a neighbour not on its layer", IndexFault::kNeighbor,
         [](Ring& r) { r.nodes[5][1] = {7}; }, no_bytes},
        {"an id twice", IndexFault::kIds, [](Ring& r) { r.ids[9] = r.ids[8]; }, no_bytes},
        {"ids above 2^64", IndexFault::kIds, [](Ring& r) { r.ids[8] = ~uint64_t{0}; }, no_bytes},
        {"a byte after the ids", IndexFault::kIds, no_ring,
         [](Buffer& b) {
             test::set(b, b.size() - 8, get<uint32_t>(b, b.size() - 8) + 1);
             b.insert(b.end() - 8, 0);
         }},
        {"an id that does not end", IndexFault::kIds, no_ring,
         [](Buffer& b) { b[b.size() - 9] = 0x80; }},
        {"lists that do not end", IndexFault::kTruncated, no_ring,
         [](Buffer& b) {
             std::fill(b.begin() + kRingAdjacency + 10,
                       b.begin() + static_cast<long>(trailer_of(b)), uint8_t{0x80});
         }},
    };
    for (const Damage& damage : damages) {
        Ring ring;
        StorePointer store = store_with(ring.ids);
        damage.to_ring(ring);
        Buffer payload = ring.payload();
        damage.to_bytes(payload);
        GraphPointer graph;
        EXPECT_EQ(read(payload, *store, graph), damage.fault) << damage.what;
    }
}

TEST(IndexSegment, RefusesEveryBeginningAndEnd) {
    Ring ring;
    StorePointer store = store_with(ring.ids);
    Buffer payload = ring.payload();
    for (size_t size = 0; size < payload.size(); ++size) {
        auto cut = payload.begin() + static_cast<long>(size);
        GraphPointer graph;
        ASSERT_NE(read(Buffer(payload.begin(), cut), *store, graph), IndexFault::kNone) << size;
        if (size == 0) continue;
        ASSERT_NE(read(Buffer(cut, payload.end()), *store, graph), IndexFault::kNone) << size;
    }
}

// What passes all checks is a graph that can be searched, extended and mended.
TEST(IndexSegment, AnyChangedByteIsRefusedOrHarmless) {
    Ring ring;
    StorePointer store = store_with(ring.ids);
    Buffer payload = ring.payload();
    Random random(3);
    int taken = 0;
    for (size_t at = 0; at < payload.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            Buffer changed = payload;
            changed[at] = static_cast<uint8_t>(changed[at] ^ 1 << bit);
            GraphPointer graph;
            if (read(changed, *store, graph) != IndexFault::kNone) continue;
            ++taken;
            test::search_graph(*graph, *store, {random.between(0, 1000)}, 5, 20);
            ASSERT_EQ(hnsw_build(*graph, *store, ~0u), kOk);
            uint32_t row = find_row(*store, 10);
            ASSERT_EQ(hnsw_update(*graph, *store, row), kOk);
            expect_sound(*graph, *store);
        }
    }
    ASSERT_GT(taken, 100);
}

TEST(IndexSegment, LeavesNothingBehindWhenMemoryIsRefused) {
    Indexed made(600);
    Buffer payload = written(*made.graph, *made.store);
    uint32_t gone = 0;
    delete_id(*made.store, load<uint64_t>(row_at(*made.store, gone).id));
    uint64_t before = memory_size();
    int refused = 0;
    for (uint64_t more = 0;; more += 500, ++refused) {
        limit_memory(static_cast<size_t>(before + more));
        Graph* graph = nullptr;
        IndexFault fault = load_index({payload.data(), payload.size()}, *made.store, 1, graph);
        limit_memory(~size_t{0});
        if (graph) {
            free_graph(graph);
            break;
        }
        ASSERT_EQ(fault, IndexFault::kOutOfMemory);
        ASSERT_EQ(memory_size(), before);
    }
    ASSERT_GT(refused, 20);
}

} // namespace
} // namespace rvf
