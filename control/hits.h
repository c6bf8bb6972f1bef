// The k best hits, kept as a binary heap with the worst on top inside the caller's result buffer,
// and sorted there at the end. No memory of its own.
#pragma once

#include "control/bytes.h"
#include "control/control.h"

namespace rvf {

struct Hit {
    uint64_t id;
    float distance;
};

inline bool worse(const Hit& a, const Hit& b) {
    return a.distance > b.distance || (a.distance == b.distance && a.id > b.id);
}

struct Hits {
    uint8_t* buffer; ///< 12-byte records
    uint32_t limit;
    uint32_t count = 0;

    Hit at(uint32_t index) const {
        const uint8_t* record = buffer + size_t{index} * kHitBytes;
        return {load<uint64_t>(record), load<float>(record + 8)};
    }
    void put(uint32_t index, const Hit& hit) {
        uint8_t* record = buffer + size_t{index} * kHitBytes;
        store(record, hit.id);
        store(record + 8, hit.distance);
    }

    /// No hit farther than this can enter.
    float worst() const { return count < limit ? __builtin_inff() : at(0).distance; }

    /// Places `hit` at `index` or below, moving worse children up.
    void sift_down(uint32_t index, const Hit& hit) {
        for (uint32_t child; (child = 2 * index + 1) < count; index = child) {
            if (child + 1 < count && worse(at(child + 1), at(child))) ++child;
            if (!worse(at(child), hit)) break;
            put(index, at(child));
        }
        put(index, hit);
    }

    void offer(const Hit& hit) {
        if (count == limit) {
            if (worse(at(0), hit)) sift_down(0, hit);
            return;
        }
        uint32_t index = count++;
        for (; index > 0 && worse(hit, at((index - 1) / 2)); index = (index - 1) / 2) {
            put(index, at((index - 1) / 2));
        }
        put(index, hit);
    }

    /// Heapsort: the worst goes to the end, and so on.
    void sort() {
        uint32_t total = count;
        while (count > 1) {
            Hit last = at(count - 1);
            put(--count, at(0));
            sift_down(0, last);
        }
        count = total;
    }
};

} // namespace rvf
