#include "control/witness.h"

#include "control/shake256.h"

namespace rvf {
namespace {

constexpr uint32_t kActionOffset = 13; ///< behind type u8, time u64, length u32
constexpr uint32_t kHashBytes = 32;

constexpr uint8_t kDataProvenance = 0; ///< of deletions
constexpr uint8_t kComputation = 1;

struct Text {
    char bytes[64];
    uint32_t size = 0;

    void put(const char* text) {
        while (*text) bytes[size++] = *text++;
    }
    void put(uint32_t number) {
        char digits[10];
        uint32_t count = 0;
        do digits[count++] = static_cast<char>('0' + number % 10);
        while (number /= 10);
        while (count) bytes[size++] = digits[--count];
    }
};

uint64_t write_witness(const Events& events, const char* what, uint32_t count, bool is_last,
                       SegmentWriter& writer, uint8_t* hash) {
    Text action;
    action.put(what);
    action.put(count);
    action.put(",epoch=");
    action.put(events.epoch);
    uint64_t payload = writer.begin();
    writer.put(*what == 'd' ? kDataProvenance : kComputation);
    writer.put(events.time_ns);
    writer.put(action.size);
    writer.put(reinterpret_cast<const uint8_t*>(action.bytes), action.size);
    writer.put(hash, kHashBytes);
    if (writer.target) {
        simple_hash({writer.target + payload, static_cast<size_t>(writer.size - payload)}, hash);
    }
    writer.end(kWitnessSegment, payload, is_last);
    return payload - kSegmentHeaderBytes;
}

bool is_zero(const uint8_t* hash) {
    constexpr uint8_t kZeros[kHashBytes] = {};
    return equal(hash, kZeros, kHashBytes);
}

} // namespace

bool is_runtime_witness(Bytes payload) {
    return payload.holds(kActionOffset, kHashBytes) && payload.data[0] <= 1 &&
           payload.size == uint64_t{kActionOffset} + load<uint32_t>(payload.data + 9) + kHashBytes;
}

uint64_t write_witnesses(const Events& events, SegmentWriter& writer, uint8_t* hash) {
    if (events.derivation >= 0) {
        uint32_t type = static_cast<uint32_t>(events.derivation);
        return write_witness(events, "origin:derivation=", type, true, writer, hash);
    }
    if (events.compacted) {
        return write_witness(events, "compact:vectors=", events.ingested, true, writer, hash);
    }
    uint64_t last = 0;
    if (events.deleted) {
        bool is_last = events.ingested == 0;
        last = write_witness(events, "delete:count=", events.deleted, is_last, writer, hash);
    }
    if (events.ingested || !events.deleted) {
        const char* what = events.ingested ? "ingest:count=" : "commit:count=";
        last = write_witness(events, what, events.ingested, true, writer, hash);
    }
    return last;
}

WitnessReport verify_witnesses(Bytes file) {
    WitnessReport report = {};
    uint8_t last[kHashBytes] = {};
    Segment segment;
    for (uint64_t offset = 0; find_segment(file, offset, segment);) {
        offset = segment.complete ? segment.end() : segment.offset + 1;
        if (!segment.complete || segment.type != kWitnessSegment) continue;
        Bytes payload = segment.payload;
        bool is_broken = check_hash(file, segment) == HashState::kBad;
        if (is_runtime_witness(payload)) {
            const uint8_t* before = payload.data + payload.size - kHashBytes;
            ++report.checked;
            if (is_zero(before)) {
                ++report.starts;
            } else {
                is_broken |= !equal(before, last, kHashBytes);
            }
            simple_hash(payload, last);
        } else if (payload.size && payload.size % kWitnessEntryBytes == 0) {
            uint32_t entries = static_cast<uint32_t>(payload.size / kWitnessEntryBytes);
            report.checked += entries;
            ++report.starts;
            is_broken |= sound_entries(payload) != entries;
        } else {
            ++report.foreign;
        }
        if (is_broken && report.broken++ == 0) report.first_broken = segment.offset;
    }
    return report;
}

uint32_t sound_entries(Bytes chain) {
    uint8_t hash[kHashBytes] = {};
    uint32_t count = 0;
    for (size_t at = 0; chain.holds(at, kWitnessEntryBytes); at += kWitnessEntryBytes, ++count) {
        if (!equal(chain.data + at, hash, kHashBytes)) break;
        shake256(chain.part(at, kWitnessEntryBytes), hash, kHashBytes);
    }
    return count;
}

void write_witness_entry(Bytes chain, const uint8_t* action_hash, uint64_t time_ns, uint8_t type,
                         uint8_t* out) {
    __builtin_memset(out, 0, kHashBytes);
    if (chain.size) {
        shake256(chain.part(chain.size - kWitnessEntryBytes, kWitnessEntryBytes), out, kHashBytes);
    }
    copy(out + 32, action_hash, kHashBytes);
    store(out + 64, time_ns);
    out[72] = type;
}

} // namespace rvf
