#include "control/layers.h"

#include "control/kept.h"

namespace rvf {
namespace {

constexpr uint32_t kFanOut = 8;
constexpr uint64_t kLargeLayerBytes = 1u << 20; ///< such layers are not merged
constexpr uint32_t kDirectoryBudget = 48u << 10;
constexpr uint32_t kLayerEntryBytes = 50; ///< of the two segments

/// By powers of the fan-out.
uint32_t level(uint32_t records) {
    return (31 - static_cast<uint32_t>(__builtin_clz(records | 1))) / 3;
}

/// Shell sort: short, and the list is nearly sorted.
void sort(Deleted* entries, uint32_t count) {
    for (uint32_t gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (uint32_t i = gap; i < count; ++i) {
            Deleted one = entries[i];
            uint32_t at = i;
            for (; at >= gap && entries[at - gap].id > one.id; at -= gap)
                entries[at] = entries[at - gap];
            entries[at] = one;
        }
    }
}

} // namespace

uint32_t layers_to_keep(const Store& store) {
    const Layer* layers = items_of<Layer>(store.layers);
    uint32_t keep = count_of<Layer>(store.layers);
    uint32_t directory = keep * kLayerEntryBytes;
    for (uint32_t i = 0; i < count_of<Deleted>(store.deleted); ++i) {
        bool stays = items_of<Deleted>(store.deleted)[i].inherited; // whatever is written anew
        directory += stays ? 0 : 8;
    }
    if (directory > kDirectoryBudget) return 0;
    for (uint32_t records = store.changed_count;;) {
        uint32_t first = keep;
        uint32_t sum = records;
        for (; first > 0; --first) {
            const Layer& layer = layers[first - 1];
            bool small = layer.vec_bytes + layer.meta_bytes < kLargeLayerBytes;
            if (!small || level(layer.records) > level(records)) break;
            sum += layer.records;
        }
        if (keep - first < kFanOut - 1) return keep;
        keep = first;
        records = sum;
    }
}

void forget_live(Store& store) {
    Deleted* entries = items_of<Deleted>(store.deleted);
    size_t left = 0;
    for (uint32_t i = 0; i < count_of<Deleted>(store.deleted); ++i) {
        uint32_t number = find_row(store, entries[i].id);
        if (number == kNoRow) {
            entries[left++] = entries[i];
            continue;
        }
        Row row = row_at(store, number);
        *row.first = entries[i].first;
        if (entries[i].inherited) *row.mark |= kInherited;
    }
    store.deleted.size = left * sizeof(Deleted);
}

void forget_merged(Store& store, uint32_t layers_kept) {
    Deleted* entries = items_of<Deleted>(store.deleted);
    uint32_t left = 0;
    for (uint32_t i = 0; i < count_of<Deleted>(store.deleted); ++i) {
        if (entries[i].inherited || entries[i].first <= layers_kept) entries[left++] = entries[i];
    }
    store.deleted.size = left * sizeof(Deleted);
    sort(entries, left);
}

void list_what_stays(const Store& store, uint32_t layers_kept, SegmentWriter& writer) {
    const Kept* kept = items_of<Kept>(store.kept_list);
    uint32_t kept_count = count_of<Kept>(store.kept_list);
    uint32_t next = 0;
    auto list_kept = [&](uint64_t before) {
        for (; next < kept_count && kept[next].offset < before; ++next) {
            const uint8_t* header = kept_bytes(store, kept[next]);
            writer.list(load<uint64_t>(header + 8), kept[next].offset, load<uint64_t>(header + 16),
                        header[kTypeOffset]);
        }
    };
    for (uint32_t i = 0; i < layers_kept; ++i) {
        const Layer& layer = items_of<Layer>(store.layers)[i];
        if (layer.vec_bytes) {
            list_kept(layer.vec_offset + 1);
            writer.list(layer.vec_id, layer.vec_offset, layer.vec_bytes, kVecSegment);
        }
        if (layer.meta_bytes) {
            list_kept(layer.meta_offset + 1);
            writer.list(layer.meta_id, layer.meta_offset, layer.meta_bytes, kMetaSegment);
        }
    }
    list_kept(kNotInFile);
}

} // namespace rvf
