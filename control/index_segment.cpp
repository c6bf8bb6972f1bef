#include "control/index_segment.h"

#include "control/heap.h"
#include "control/hnsw.h"

namespace rvf {
namespace {

constexpr uint32_t kHeaderBytes = 64;
constexpr uint32_t kRestartHeadBytes = 8; ///< interval u32, count u32
constexpr uint32_t kRestartInterval = 64; ///< as upstream writes it
constexpr uint32_t kTrailerFixedBytes = 24;
constexpr uint32_t kTailBytes = 8;
constexpr uint32_t kTailMagic = 0x58495652; ///< on disk "RVIX"
constexpr uint16_t kTrailerVersion = 1;
constexpr uint8_t kHnsw = 0;
constexpr uint8_t kAllLayers = 2;
constexpr uint32_t kAlignment = 64;
constexpr uint32_t kSpanNodes = 256;    ///< in_spans
constexpr uint32_t kMoreNodeBytes = 16; ///< that loading takes beside a node's links, about
constexpr uint32_t kLeastNodeBytes = 2; ///< one layer, no neighbours

uint64_t id_of(const Store& store, uint32_t row) { return load<uint64_t>(row_at(store, row).id); }

uint64_t aligned(uint64_t size) { return (size + kAlignment - 1) & ~uint64_t{kAlignment - 1}; }

uint64_t restart_count(uint64_t nodes, uint32_t interval) {
    return (nodes + interval - 1) / interval;
}

uint32_t* allocate_numbers(uint64_t count) {
    return reinterpret_cast<uint32_t*>(allocate(static_cast<size_t>(count) * sizeof(uint32_t)));
}

void release_numbers(uint32_t* numbers, uint64_t count) {
    release(reinterpret_cast<uint8_t*>(numbers), static_cast<size_t>(count) * sizeof(uint32_t));
}

bool all_zero(Bytes bytes) {
    uint8_t any = 0;
    for (size_t i = 0; i < bytes.size; ++i) any |= bytes.data[i];
    return any == 0;
}

// --- Reading ---

struct Reader {
    const uint8_t* at;
    const uint8_t* end;
};

/// Unsigned LEB128; false at the end of the bytes or above 64 bits.
bool read_long(Reader& reader, uint64_t& value) {
    value = 0;
    for (uint32_t shift = 0; reader.at < reader.end && shift < 64; shift += 7) {
        uint64_t byte = *reader.at++;
        if (shift == 63 && byte > 1) return false;
        value |= (byte & 127) << shift;
        if (byte < 128) return true;
    }
    return false;
}

/// The same, faster for one or two bytes, as which nearly all numbers are written. The reader stays
/// in registers.
[[gnu::always_inline]] inline bool read_number(Reader& reader, uint64_t& value) {
    if (reader.end - reader.at >= 2) {
        uint64_t first = reader.at[0], second = reader.at[1];
        bool is_short = first < 128;
        if (is_short || second < 128) {
            value = is_short ? first : (first & 127) | second << 7;
            reader.at += is_short ? 1 : 2;
            return true;
        }
    }
    Reader rest = reader;
    uint64_t number;
    bool is_read = read_long(rest, number);
    reader = rest;
    value = number;
    return is_read;
}

/// Nodes for each row, about: those of deleted ids cost time and memory until they are taken out.
constexpr uint32_t kMostNodes = 16;

/// The fixed parts of a payload, all of them checked.
struct Index {
    uint32_t m;
    uint32_t ef_construction;
    uint32_t node_count;
    uint32_t restart_interval;
    uint32_t entry;       ///< node
    uint64_t layer_count; ///< of the entry
    const uint8_t* restarts;
    Bytes adjacency; ///< padding included
    Bytes ids;
    const uint32_t* rows; ///< of the nodes; nullptr: their own numbers

    uint32_t row(uint64_t node) const { return rows ? rows[node] : static_cast<uint32_t>(node); }
};

IndexFault read_frame(Bytes payload, Index& index) {
    if (payload.size < kHeaderBytes + kRestartHeadBytes + kTrailerFixedBytes + kTailBytes) {
        return IndexFault::kTruncated;
    }
    const uint8_t* tail = payload.data + payload.size - kTailBytes;
    uint64_t trailer_size = load<uint32_t>(tail);
    if (load<uint32_t>(tail + 4) != kTailMagic || trailer_size < kTrailerFixedBytes ||
        trailer_size > payload.size - kHeaderBytes - kRestartHeadBytes - kTailBytes) {
        return IndexFault::kNoTrailer;
    }
    uint64_t trailer_at = payload.size - kTailBytes - trailer_size;
    const uint8_t* trailer = payload.data + trailer_at;
    const uint8_t* header = payload.data;
    if (load<uint16_t>(trailer) != kTrailerVersion) return IndexFault::kVersion;
    if (header[0] != kHnsw || header[1] != kAllLayers) return IndexFault::kNotHnsw;
    if (!all_zero(payload.part(16, kHeaderBytes - 16))) return IndexFault::kPadding;

    index.m = load<uint16_t>(header + 2);
    index.ef_construction = load<uint32_t>(header + 4);
    index.restart_interval = load<uint32_t>(header + kHeaderBytes);
    if (index.m < kMinLinks || index.m > kMaxLinks || load<uint16_t>(trailer + 2) != 2 * index.m ||
        index.ef_construction == 0 || index.ef_construction > kMaxEfConstruction ||
        index.restart_interval == 0) {
        return IndexFault::kParameters;
    }
    uint64_t nodes = load<uint64_t>(header + 8);
    uint64_t restarts = load<uint32_t>(header + kHeaderBytes + 4);
    if (nodes == 0 || nodes >= kNoRow || load<uint64_t>(trailer + 16) != nodes ||
        restart_count(nodes, index.restart_interval) != restarts) {
        return IndexFault::kNodeCount;
    }
    uint64_t table_end = kHeaderBytes + kRestartHeadBytes + 4 * restarts;
    uint64_t begin = aligned(table_end);
    if (begin > trailer_at || trailer_at - begin < nodes * kLeastNodeBytes) {
        return IndexFault::kTruncated;
    }
    if (trailer_at % kAlignment || !all_zero(payload.part(table_end, begin - table_end))) {
        return IndexFault::kPadding;
    }
    uint64_t entry = load<uint64_t>(trailer + 8);
    if (entry >= nodes) return IndexFault::kLayers;
    index.node_count = static_cast<uint32_t>(nodes);
    index.entry = static_cast<uint32_t>(entry);
    index.layer_count = uint64_t{load<uint32_t>(trailer + 4)} + 1;
    index.restarts = header + kHeaderBytes + kRestartHeadBytes;
    index.adjacency = payload.part(begin, trailer_at - begin);
    index.ids = payload.part(trailer_at + kTrailerFixedBytes, trailer_size - kTrailerFixedBytes);
    return index.layer_count > kMaxLayers ? IndexFault::kLayers : IndexFault::kNone;
}

/// Long loops over nodes go in spans, each(first, last), by functions that are called again and
/// again, because engines put faster code in the place of a function only at a call.
template <typename Each>
IndexFault in_spans(uint32_t nodes, Each each) {
    uint32_t node = nodes % kSpanNodes;
    IndexFault fault = each(0u, node);
    for (; fault == IndexFault::kNone && node < nodes; node += kSpanNodes) {
        fault = each(node, node + kSpanNodes);
    }
    return fault;
}

struct IdReader {
    Reader reader;
    uint64_t id;
    uint32_t row;
    uint32_t gone; ///< the next number for ids that are not live, behind the store's rows
};

IndexFault read_ids_of(IdReader& in, Index& index, const Store& store, uint32_t* rows,
                       uint32_t first, uint32_t last) {
    for (uint32_t node = first; node < last; ++node) {
        uint64_t step;
        if (!read_number(in.reader, step) || step > ~in.id || (node > 0 && step == 0)) {
            return IndexFault::kIds;
        }
        in.id += step;
        // Mostly they are in the order of their ids.
        if (++in.row >= store.row_count || id_of(store, in.row) != in.id ||
            is_dead(row_at(store, in.row))) {
            in.row = find_row(store, in.id);
        }
        rows[node] = in.row == kNoRow ? in.gone++ : in.row;
        if (rows[node] != node) index.rows = rows;
    }
    return IndexFault::kNone;
}

/// The row of each node: that of its id, or one behind the store's last for an id that is not live.
IndexFault read_ids(Index& index, const Store& store, uint32_t* rows) {
    IdReader in{{index.ids.data, index.ids.data + index.ids.size}, 0, kNoRow, store.row_count};
    index.rows = nullptr;
    IndexFault fault = in_spans(index.node_count, [&](uint32_t first, uint32_t last) {
        return read_ids_of(in, index, store, rows, first, last);
    });
    if (fault != IndexFault::kNone) return fault;
    return in.reader.at == in.reader.end ? IndexFault::kNone : IndexFault::kIds;
}

/// One list of node `node`, as rows.
IndexFault read_list(Reader& reader, const Index& index, uint32_t node, uint32_t most,
                     uint32_t* links) {
    Reader in = reader;
    uint64_t count;
    if (!read_number(in, count)) return IndexFault::kTruncated;
    if (count > most) return IndexFault::kDegree;
    const uint64_t nodes = index.node_count;
    const uint32_t* rows = index.rows;
    const bool absolute = node % index.restart_interval == 0;
    uint64_t last = 0;
    for (uint32_t i = 0; i < count; ++i) {
        uint64_t step;
        if (!read_number(in, step)) return IndexFault::kTruncated;
        uint64_t neighbor = absolute ? step : last + step;
        if (step >= nodes || neighbor >= nodes || neighbor == node || (i > 0 && neighbor <= last)) {
            return IndexFault::kNeighbor;
        }
        last = neighbor;
        links[i] = rows ? rows[neighbor] : static_cast<uint32_t>(neighbor);
    }
    reader = in;
    return IndexFault::kNone;
}

IndexFault read_nodes_of(Reader& reader, const Index& index, Graph& graph, uint32_t first,
                         uint32_t last) {
    for (uint32_t node = first; node < last; ++node) {
        uint32_t restart = node / index.restart_interval;
        if (node % index.restart_interval == 0 &&
            load<uint32_t>(index.restarts + 4 * size_t{restart}) !=
                static_cast<size_t>(reader.at - index.adjacency.data)) {
            return IndexFault::kRestart;
        }
        uint32_t row = index.row(node);
        uint64_t layers;
        if (!read_number(reader, layers)) return IndexFault::kTruncated;
        if (layers == 0 || layers > index.layer_count) return IndexFault::kLayers;
        if (!add_node(graph, row, static_cast<uint32_t>(layers))) return IndexFault::kOutOfMemory;
        for (uint32_t layer = 0; layer < layers; ++layer) {
            IndexFault fault = read_list(reader, index, node, most_links(graph, layer),
                                         links_of(graph, row, layer));
            if (fault != IndexFault::kNone) return fault;
        }
    }
    return IndexFault::kNone;
}

IndexFault read_nodes(const Index& index, Graph& graph) {
    Reader reader{index.adjacency.data, index.adjacency.data + index.adjacency.size};
    IndexFault fault = in_spans(index.node_count, [&](uint32_t first, uint32_t last) {
        return read_nodes_of(reader, index, graph, first, last);
    });
    if (fault != IndexFault::kNone) return fault;
    auto padding = static_cast<size_t>(reader.end - reader.at);
    if (padding >= kAlignment || !all_zero({reader.at, padding})) return IndexFault::kPadding;
    graph.entry = index.row(index.entry);
    graph.layer_count = static_cast<uint32_t>(index.layer_count);
    return layers_of(graph, graph.entry) == index.layer_count ? IndexFault::kNone
                                                              : IndexFault::kLayers;
}

/// Whether the neighbours on upper layers are there, too.
bool layers_agree(const Graph& graph, const Index& index) {
    uint32_t neighbors[2 * kMaxLinks];
    for (uint32_t node = 0; node < index.node_count; ++node) {
        uint32_t row = index.row(node);
        for (uint32_t layer = 1; layer < layers_of(graph, row); ++layer) {
            uint32_t size = neighbors_of(graph, row, layer, neighbors);
            for (uint32_t i = 0; i < size; ++i) {
                if (layers_of(graph, neighbors[i]) <= layer) return false;
            }
        }
    }
    return true;
}

/// Whether there are nodes of ids that the store does not have.
bool has_strangers(const Graph& graph, const Store& store) {
    for (uint32_t row = store.row_count; row < rows_spanned(graph); ++row) {
        if (layers_of(graph, row)) return true;
    }
    return false;
}

// --- Writing ---

/// Heapsort; rows are in the order of their ids already when a store was filled that way.
void sort_by_id(const Store& store, uint32_t* rows, uint32_t count) {
    auto sift = [&](uint32_t at, uint32_t row, uint32_t size) {
        uint64_t id = id_of(store, row);
        for (uint32_t child; (child = 2 * at + 1) < size; at = child) {
            if (child + 1 < size && id_of(store, rows[child + 1]) > id_of(store, rows[child])) {
                ++child;
            }
            if (id_of(store, rows[child]) <= id) break;
            rows[at] = rows[child];
        }
        rows[at] = row;
    };
    uint32_t sorted = 1;
    while (sorted < count && id_of(store, rows[sorted - 1]) < id_of(store, rows[sorted])) ++sorted;
    if (sorted >= count) return;
    for (uint32_t i = count / 2; i-- > 0;) sift(i, rows[i], count);
    for (uint32_t size = count; size > 1;) {
        uint32_t last = rows[--size];
        rows[size] = rows[0];
        sift(0, last, size);
    }
}

/// Writes to `target`, or only counts when there is none.
struct Output {
    uint8_t* target;
    uint64_t size = 0;

    void byte(uint8_t value) {
        if (target) target[size] = value;
        ++size;
    }
    void number(uint64_t value) {
        for (; value >= 128; value >>= 7) byte(static_cast<uint8_t>(value | 128));
        byte(static_cast<uint8_t>(value));
    }
    template <typename T>
    void put(T value) {
        if (target) store(target + size, value);
        size += sizeof(T);
    }
    void pad() {
        while (size % kAlignment) byte(0);
    }
};

void sort_numbers(uint32_t* numbers, uint32_t count) {
    for (uint32_t i = 1; i < count; ++i) {
        uint32_t number = numbers[i];
        uint32_t at = i;
        for (; at > 0 && numbers[at - 1] > number; --at) numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

void put_node(const IndexWriter& writer, uint32_t node, Output& output) {
    uint32_t row = writer.rows[node];
    uint32_t layers = layers_of(writer.graph, row);
    output.number(layers);
    for (uint32_t layer = 0; layer < layers; ++layer) {
        uint32_t neighbors[2 * kMaxLinks];
        uint32_t size = neighbors_of(writer.graph, row, layer, neighbors);
        uint32_t count = 0;
        for (uint32_t i = 0; i < size; ++i) {
            uint32_t neighbor = writer.nodes[neighbors[i]];
            if (neighbor != kNoRow) neighbors[count++] = neighbor;
        }
        sort_numbers(neighbors, count);
        output.number(count);
        uint32_t last = 0;
        for (uint32_t i = 0; i < count; ++i) {
            output.number(neighbors[i] - last);
            if (node % kRestartInterval) last = neighbors[i];
        }
    }
}

/// A node on as many layers as any: the entry, or one for it when it is dead.
uint32_t top_node(const IndexWriter& writer) {
    uint32_t entry = writer.nodes[writer.graph.entry];
    if (entry != kNoRow) return entry;
    uint32_t top = 0;
    for (uint32_t node = 1; node < writer.count; ++node) {
        if (layers_of(writer.graph, writer.rows[node]) >
            layers_of(writer.graph, writer.rows[top])) {
            top = node;
        }
    }
    return top;
}

void put_index(const IndexWriter& writer, Output& output) {
    const Graph& graph = writer.graph;
    output.byte(kHnsw);
    output.byte(kAllLayers);
    output.put(static_cast<uint16_t>(graph.m));
    output.put(graph.ef_construction);
    output.put(uint64_t{writer.count});
    while (output.size < kHeaderBytes) output.byte(0);
    auto restarts = static_cast<uint32_t>(restart_count(writer.count, kRestartInterval));
    output.put(kRestartInterval);
    output.put(restarts);
    uint64_t table = output.size;
    for (uint32_t i = 0; i < restarts; ++i) output.put(uint32_t{0});
    output.pad();
    uint64_t begin = output.size;
    for (uint32_t node = 0; node < writer.count; ++node) {
        if (output.target && node % kRestartInterval == 0) {
            store(output.target + table + 4 * size_t{node / kRestartInterval},
                  static_cast<uint32_t>(output.size - begin));
        }
        put_node(writer, node, output);
    }
    output.pad();
    uint64_t trailer = output.size;
    uint32_t top = top_node(writer);
    output.put(kTrailerVersion);
    output.put(static_cast<uint16_t>(2 * graph.m));
    output.put(layers_of(graph, writer.rows[top]) - 1);
    output.put(uint64_t{top});
    output.put(uint64_t{writer.count});
    uint64_t last = 0;
    for (uint32_t node = 0; node < writer.count; ++node) {
        uint64_t id = id_of(writer.store, writer.rows[node]);
        output.number(id - last);
        last = id;
    }
    output.put(static_cast<uint32_t>(output.size - trailer));
    output.put(kTailMagic);
}

} // namespace

IndexFault load_index(Bytes payload, const Store& store, uint64_t seed, Graph*& graph) {
    Index index;
    IndexFault fault = read_frame(payload, index);
    if (fault != IndexFault::kNone) return fault;
    if (index.node_count / kMostNodes > store.row_count) return IndexFault::kNodeCount;
    grow_once(size_t{index.node_count} * (2 * index.m * sizeof(uint32_t) + kMoreNodeBytes));
    uint32_t* rows = allocate_numbers(index.node_count);
    Graph* made = make_graph(index.m, index.ef_construction, seed);
    if (!rows || !made) fault = IndexFault::kOutOfMemory;
    if (fault == IndexFault::kNone) fault = read_ids(index, store, rows);
    if (fault == IndexFault::kNone) fault = read_nodes(index, *made);
    if (fault == IndexFault::kNone && !layers_agree(*made, index)) {
        fault = IndexFault::kNeighbor;
    }
    release_numbers(rows, index.node_count);
    if (fault == IndexFault::kNone) {
        made->tree_is_whole = false;
        if (store.is_outside) { // then nothing can be mended
            if (rows_spanned(*made) > store.row_count && has_strangers(*made, store)) {
                fault = IndexFault::kIds;
            }
        } else if (hnsw_unlink_dead(*made, store) != kOk) {
            fault = IndexFault::kOutOfMemory;
        }
    }
    if (fault == IndexFault::kNone) {
        uint32_t linked = index.rows ? 0 : index.node_count; // where nodes are rows, all below
        made->done = linked < store.row_count ? linked : store.row_count;
        while (made->done < store.row_count &&
               (is_dead(row_at(store, made->done)) || layers_of(*made, made->done))) {
            ++made->done;
        }
        graph = made;
    } else if (made) {
        free_graph(made);
    }
    return fault;
}

Status begin_index(IndexWriter& writer) {
    const Store& store = writer.store;
    for (uint32_t row = 0; row < store.row_count; ++row) {
        writer.count += !is_dead(row_at(store, row)) && layers_of(writer.graph, row) > 0;
    }
    if (writer.count == 0) return kInvalidArgument;
    writer.rows = allocate_numbers(writer.count);
    writer.nodes = allocate_numbers(store.row_count);
    if (!writer.rows || !writer.nodes) {
        end_index(writer);
        return kOutOfMemory;
    }
    uint32_t count = 0;
    for (uint32_t row = 0; row < store.row_count; ++row) {
        writer.nodes[row] = kNoRow;
        if (!is_dead(row_at(store, row)) && layers_of(writer.graph, row))
            writer.rows[count++] = row;
    }
    sort_by_id(store, writer.rows, count);
    for (uint32_t node = 0; node < count; ++node) writer.nodes[writer.rows[node]] = node;
    return kOk;
}

uint64_t index_bytes(const IndexWriter& writer) {
    Output output{nullptr};
    put_index(writer, output);
    return output.size;
}

void write_index(const IndexWriter& writer, uint8_t* target) {
    Output output{target};
    put_index(writer, output);
}

void end_index(IndexWriter& writer) {
    release_numbers(writer.rows, writer.count);
    release_numbers(writer.nodes, writer.store.row_count);
    writer.rows = writer.nodes = nullptr;
    writer.count = 0;
}

} // namespace rvf
