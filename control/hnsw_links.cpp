#include "control/hnsw_links.h"

namespace rvf {
namespace {

/// A row is reached through a neighbour that is nearer to it by this factor. 1 is the rule of the
/// paper; a little more keeps links that the search uses: 10 to 25 % less distances for the same
/// recall. Distances of the inner product are negative and know no factor.
constexpr float kPatience = 1.3f;

uint32_t pins(const Graph& graph, uint32_t row) {
    const uint32_t* links = links_of(graph, row, 0);
    uint32_t size = list_size(links, 2 * graph.m);
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; ++i) count += links[i] >> 31;
    return count;
}

} // namespace

uint32_t list_size(const uint32_t* links, uint32_t most) {
    uint32_t count = 0;
    while (count < most && links[count] != kNoRow) ++count;
    return count;
}

uint32_t choose(const Space& space, uint32_t row, const Candidate* candidates, uint32_t count,
                uint32_t most, uint32_t* chosen) {
    const float patience = space.metric == kInnerProduct ? 1 : kPatience;
    Point points[2 * kMaxLinks]; // of the chosen
    uint32_t size = 0;
    uint32_t staying = 0;
    for (uint32_t i = 0; i < count; ++i) staying += candidates[i] & kStays;
    for (uint32_t i = 0; i < count && size < most; ++i) {
        if (i + 1 < count) {
            uint32_t next = row_of(candidates[i + 1]);
            read_ahead(row_point(space, next).vector, space.store.row_bytes);
        }
        uint32_t other = row_of(candidates[i]);
        Point point = row_point(space, other);
        bool stays = candidates[i] & kStays;
        bool kept = stays || (size + staying < most && other != row);
        for (uint32_t j = 0; !stays && kept && j < size; ++j) {
            float detour = distance_between(space, point, points[j]);
            kept = detour * patience > distance_of(candidates[i]);
        }
        if (!kept) continue;
        staying -= stays;
        points[size] = point;
        chosen[size++] = other | (stays ? kPinned : 0);
    }
    return size;
}

void write_list(uint32_t* links, uint32_t most, const uint32_t* rows, uint32_t count) {
    for (uint32_t i = 0; i < most; ++i) links[i] = i < count ? rows[i] : kNoRow;
}

void insert_sorted(Candidate* entries, uint32_t count, Candidate entry) {
    for (; count > 0 && entries[count - 1] > entry; --count) entries[count] = entries[count - 1];
    entries[count] = entry;
}

void add_link(Graph& graph, const Space& space, uint32_t row, uint32_t layer, uint32_t link) {
    uint32_t* links = links_of(graph, row, layer);
    uint32_t most = most_links(graph, layer);
    uint32_t size = list_size(links, most);
    for (uint32_t i = 0; i < size; ++i) {
        if ((links[i] & ~kPinned) != (link & ~kPinned)) continue;
        links[i] |= link & kPinned;
        return;
    }
    if (size < most) {
        links[size] = link;
        return;
    }
    Candidate candidates[2 * kMaxLinks + 1];
    Point point = row_point(space, row);
    compare(space, point, links, size, candidates);
    for (uint32_t i = 0; i <= size; ++i) {
        Candidate one = i < size ? candidates[i] : compare(space, point, link);
        insert_sorted(candidates, i, one | (i < size ? links[i] : link) >> 31);
    }
    uint32_t chosen[2 * kMaxLinks];
    uint32_t count = choose(space, row, candidates, size + 1, most - most / 4, chosen);
    write_list(links, most, chosen, count);
}

bool takes_pin(const Graph& graph, uint32_t row) { return pins(graph, row) < graph.m; }

uint32_t choose_parent(const Graph& graph, const Candidate* candidates, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        if (takes_pin(graph, row_of(candidates[i]))) return row_of(candidates[i]);
    }
    uint32_t row = row_of(candidates[0]);
    uint32_t from = kNoRow;
    while (!takes_pin(graph, row)) {
        const uint32_t* links = links_of(graph, row, 0);
        while (!(*links >> 31) || (*links & ~kPinned) == from) ++links;
        from = row;
        row = *links & ~kPinned;
    }
    return row;
}

void pin(Graph& graph, const Space& space, uint32_t a, uint32_t b) {
    add_link(graph, space, a, 0, b | kPinned);
    add_link(graph, space, b, 0, a | kPinned);
}

} // namespace rvf
