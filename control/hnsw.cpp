#include "control/hnsw.h"

#include "control/heap.h"
#include "control/hits.h"
#include "control/hnsw_links.h"
#include "control/hnsw_repair.h"
#include "control/hnsw_walk.h"
#include "control/marks.h"
#include "control/search.h"

namespace rvf {
namespace {

/// Copies of a row that are candidates for its neighbours.
constexpr uint32_t kMostEqual = 4;

// --- Insertion ---

/// Marks the candidates to which there is a pinned link, and adds those that the search did not
/// come by. Answers how many there are.
uint32_t add_pinned(const Space& space, const Point& point, const uint32_t* links, uint32_t most,
                    Beam& beam) {
    uint32_t pinned = 0;
    for (uint32_t i = 0; i < list_size(links, most); ++i) {
        if (!(links[i] >> 31)) continue;
        uint32_t row = links[i] & ~kPinned;
        uint32_t at = 0;
        while (at < beam.count && row_of(beam.entries[at]) != row) ++at;
        if (at == beam.count) {
            insert_sorted(beam.entries, beam.count++, compare(space, point, row) | kStays);
        } else {
            beam.entries[at] |= kStays;
        }
        ++pinned;
    }
    return pinned;
}

/// The codes that walks compare: none where they are no smaller than rows, if rows can be read.
const Codes* codes_for_walks(const Store& store, const Codes* codes) {
    bool are_smaller = codes && codes->row_bytes < store.row_bytes;
    return are_smaller || store.is_outside ? codes : nullptr;
}

/// A space whose walks compare codes, and the room for the weights of one point.
struct CodedSpace {
    Space space;
    int16_t* weights = nullptr;
    uint32_t bytes = 0;

    CodedSpace(const Store& store, const Codes* codes) : space(space_of(store)) {
        codes = codes_for_walks(store, codes);
        if (!codes) return;
        bytes = weight_bytes(*codes);
        weights = reinterpret_cast<int16_t*>(allocate(bytes));
        if (weights) space.codes = codes;
    }
    ~CodedSpace() { release(reinterpret_cast<uint8_t*>(weights), bytes); }

    /// Makes walks towards the point compare codes, if they can tell anything of it.
    void code(Point& point, CodeQuery& query) const {
        if (space.codes && prepare(*space.codes, space.metric, point.vector, weights, query)) {
            point.code = &query;
        }
    }
};

/// Gives a node of the graph its neighbours: searches from the top as if it were not there
/// (algorithm 1). Pinned links that it has stay.
void link_row(Graph& graph, const CodedSpace& coded, uint32_t row, uint32_t layers) {
    const Space& space = coded.space;
    CodeQuery query;
    Point point = row_point(space, row);
    coded.code(point, query);
    Beam beam{graph.beam, graph.ef_construction + 1, 1, kMostEqual};
    descend(graph, space, point, layers, beam);
    for (uint32_t layer = layers < graph.layer_count ? layers : graph.layer_count; layer-- > 0;) {
        walk_layer(graph, space, point, layer, graph.ef_construction, beam);

        for (uint32_t i = 0; i < beam.count; ++i) beam.entries[i] &= ~kExpanded;
        uint32_t* links = links_of(graph, row, layer);
        uint32_t most = most_links(graph, layer);
        uint32_t pinned = add_pinned(space, point, links, most, beam);
        uint32_t wanted = graph.m + pinned;
        uint32_t chosen[2 * kMaxLinks];
        uint32_t count = choose(space, row, beam.entries, beam.count, wanted, chosen);
        write_list(links, most, chosen, count);
        for (uint32_t i = 0; i < count; ++i) {
            if (!(chosen[i] >> 31)) add_link(graph, space, chosen[i], layer, row);
        }
        if (layer == 0 && pinned == 0 && graph.node_count > 1) {
            pin(graph, space, row, choose_parent(graph, beam.entries, beam.count));
        }
    }
}

bool reserve_for_build(Graph& graph, const Store& store) {
    return reserve_working_memory(graph, graph.ef_construction + 1 + graph.m, store.row_count);
}

bool add_row(Graph& graph, const CodedSpace& coded, uint32_t row) {
    uint32_t layers = drawn_layers(graph, row);
    if (!add_node(graph, row, layers)) return false;
    if (graph.entry != kNoRow) link_row(graph, coded, row, layers);
    if (graph.entry == kNoRow || layers > graph.layer_count) {
        graph.entry = row;
        graph.layer_count = layers;
    }
    return true;
}

// --- Search ---

/// What a walk costs for each row that its beam has to hold, in rows that a scan compares; and
/// asking for a row.
constexpr double kWalkCost = 16;
constexpr double kCodeWalkCost = 9;
constexpr double kAskCost = 1.0 / 12;
constexpr double kKnownCost = 0.7; ///< of a row when it is known which are admitted
constexpr uint32_t kAsked = 256;

/// The share of live rows that are admitted, from some of them if they are not counted; never 0.
double admitted_share(const Store& store, const Admission& admission) {
    if (admission.bits) return (admission.count + 0.5) / (live_count(store) + 0.5);
    double asked = 0.5, admitted = 0.5;
    for (uint32_t i = 0; i < kAsked; ++i) {
        // Multiples of the golden ratio: spread evenly, and in step with nothing.
        uint32_t place = i * 0x9E3779B9u;
        auto row = static_cast<uint32_t>(uint64_t{place} * store.row_count >> 32);
        if (is_dead(store, row)) continue;
        ++asked;
        admitted += admission.admits(row);
    }
    return admitted / asked;
}

/// Puts the rows of the beam into the answer by their true distances.
void rescore(const Space& space, const Point& query, const Beam& beam, Hits& hits) {
    const Store& store = space.store;
    for (uint32_t i = 0; i < beam.count && i < hits.limit; ++i) { // most of these are compared
        read_ahead(row_at(store, row_of(beam.entries[i])).vector, store.row_bytes);
    }
    for (uint32_t i = 0; i < beam.count; ++i) {
        Candidate one = beam.entries[i];
        uint32_t row = row_of(one);
        float far = distance_of(one);
        if (one & kBarred || far != far) continue;
        if (query.code && row < space.codes->done &&
            code_bound(*query.code, code_at(*space.codes, row)) > hits.worst()) {
            continue;
        }
        // The k-th true distance is near the k-th compared one, so that few more can enter.
        if (!query.code && space.metric == kL2 && far > hits.worst() * 1.0625f) break;
        Row at = row_at(store, row);
        if (query.code || space.metric == kL2) {
            far = exact_distance(space.metric, query.vector, query.length, at.vector, *at.norm,
                                 store.row_bytes);
        }
        if (far <= hits.worst()) hits.offer({load<uint64_t>(at.id), far});
    }
}

} // namespace

bool scan_is_faster(const Graph& graph, const Store& store, const Admission& admission, uint32_t ef,
                    bool by_codes) {
    if (!admission || !live_count(store)) return false;
    double share = admitted_share(store, admission);
    double walk = (by_codes ? kCodeWalkCost : kWalkCost) * ef / share * graph.m / 16;
    double scan = admission.bits ? share * kKnownCost : share + kAskCost;
    return scan * store.row_count < walk;
}

Status hnsw_build(Graph& graph, const Store& store, uint32_t max_rows, const Codes* codes) {
    CodedSpace coded(store, codes);
    if (!reserve_for_build(graph, store) || !mend_tree(graph, coded.space)) return kOutOfMemory;
    for (; max_rows > 0 && graph.done < store.row_count; ++graph.done) {
        if (is_dead(store, graph.done) || layers_of(graph, graph.done)) continue;
        if (!add_row(graph, coded, graph.done)) return kOutOfMemory;
        --max_rows;
    }
    return kOk;
}

Status hnsw_update(Graph& graph, const Store& store, uint32_t row, const Codes* codes) {
    CodedSpace coded(store, codes);
    if (!reserve_for_build(graph, store) || !mend_tree(graph, coded.space)) return kOutOfMemory;
    uint32_t layers = layers_of(graph, row);
    if (layers == 0) return add_row(graph, coded, row) ? kOk : kOutOfMemory;
    link_row(graph, coded, row, layers);
    return kOk;
}

namespace {

/// Walks towards the query and leaves about the `ef` nearest rows in the beam. False when there is
/// no room for them.
bool find_nearest(Graph& graph, const CodedSpace& coded, const Point& query, uint32_t k,
                  uint32_t ef, const SearchOptions& options, Beam& beam) {
    const Space& space = coded.space;
    const Store& store = space.store;
    const Admission& admission = options.admission;
    // Room for the barred rows that lie among `ef` admitted ones, with as much again; and for as
    // many copies as hold `k` admitted ones with some certainty.
    bool some_barred = store.dead_count || admission;
    double share = admission ? admitted_share(store, admission) : 1;
    double among = store.row_count / (share * live_count(store));
    auto room_for = [&](double rows) {
        return rows < store.row_count ? static_cast<uint32_t>(rows) : store.row_count;
    };
    uint32_t capacity = some_barred ? room_for(2 * ef * among + 64) : ef;
    uint32_t most_equal = k > ef / 8 + 4 ? k : ef / 8 + 4;
    if (some_barred) most_equal = room_for(1.5 * k * among + 8);
    if (!reserve_working_memory(graph, capacity + 1, store.row_count)) return false;

    beam = {graph.beam, capacity + 1, 1, most_equal};
    beam.work = options.work;
    if (graph.entry != kNoRow) descend(graph, space, query, 1, beam);
    if (store.dead_count) beam.live_in = &store;
    beam.admission = admission;
    if (graph.entry != kNoRow) walk_layer(graph, space, query, 0, ef, beam);
    beam.width = ef;
    offer_rows_from(graph.done, space, query, beam,
                    [&](uint32_t row) { return !is_dead(store, row) && !layers_of(graph, row); });
    return true;
}

} // namespace

Status hnsw_search(Graph& graph, const Store& store, uint32_t k, uint32_t ef, uint8_t* out,
                   uint32_t& found, const SearchOptions& options) {
    uint32_t live = live_count(store);
    if (ef < k) ef = k;
    if (ef > live) ef = live;
    found = 0;
    if (live == 0) return kOk;
    const Admission& admission = options.admission;
    if (scan_is_faster(graph, store, admission, ef, options.codes)) {
        found = search_exact(store, store.metric, k, out, admission);
        return kOk;
    }
    CodedSpace coded(store, options.codes);
    Point query = query_point(coded.space);
    CodeQuery code;
    coded.code(query, code);
    Beam beam;
    if (!find_nearest(graph, coded, query, k, ef, options, beam)) return kOutOfMemory;

    Hits hits{out, k < live ? k : live};
    rescore(coded.space, query, beam, hits);
    hits.sort();
    found = hits.count;
    if (beam.cut) {
        found |= kCut;
    } else if (found < hits.limit && beam.work < store.row_count) {
        found |= kCut;
    } else if (found < hits.limit) { // of rows that no walk comes to, or that are not a number
        found = search_exact(store, store.metric, k, out, admission);
    }
    return kOk;
}

Status hnsw_find(Graph& graph, const Store& store, uint32_t ef, uint32_t* rows, uint32_t& found,
                 const SearchOptions& options) {
    CodedSpace coded(store, options.codes);
    Point query = query_point(coded.space);
    CodeQuery code;
    coded.code(query, code);
    if (!coded.weights) return kOutOfMemory;
    if (!query.code) return kNotFinite;
    Beam beam;
    if (!find_nearest(graph, coded, query, ef, ef, options, beam)) return kOutOfMemory;
    found = 0;
    for (uint32_t i = 0; i < beam.count && found < ef; ++i) {
        if (!(beam.entries[i] & kBarred)) rows[found++] = row_of(beam.entries[i]);
    }
    if (beam.cut) found |= kCut;
    return kOk;
}

} // namespace rvf
