// Witnesses: what happened to a file, each naming the one before by its hash (docs/format.md,
// "Witnesses"). Upstream's runtime writes one kind with the simple hash; its library's chains of
// 73-byte entries use SHAKE-256.
#pragma once

#include "control/segment_writer.h"
#include "control/simple_hash.h"

namespace rvf {

// --- Runtime witnesses ---

/// What a commit did.
struct Events {
    uint32_t ingested;
    uint32_t deleted;
    bool compacted;
    int32_t derivation; ///< of a child's first commit; else -1
    uint32_t epoch;
    uint64_t time_ns;
};

/// Whether the payload of a WITNESS segment is laid out as upstream's runtime does.
bool is_runtime_witness(Bytes payload);

/// Writes a witness each of rows that were written and of ids that were deleted, or one of a
/// compaction or of a derivation, or one that says that something else was committed. The last is
/// listed. Answers where it
/// begins. `hash` is that of the witness before, and then that of the last one.
uint64_t write_witnesses(const Events& events, SegmentWriter& writer, uint8_t* hash);

/// What verifying the witnesses of a file found.
struct WitnessReport {
    uint32_t checked;      ///< runtime witnesses, and entries of chains
    uint32_t starts;       ///< of them, those that begin a chain: each session of upstream's does
    uint32_t foreign;      ///< witness segments of other layouts, which nothing can be said of
    uint32_t broken;       ///< entries that do not follow from the one before
    uint64_t first_broken; ///< where the segment of the first of them begins
};

/// Walks over all complete WITNESS segments of a file, in its order.
WitnessReport verify_witnesses(Bytes file);

// --- Chains of 73-byte entries ---

constexpr uint32_t kWitnessEntryBytes = 73;

/// Entries whose link to the one before holds, from the first on; all of them: the chain is whole.
uint32_t sound_entries(Bytes chain);

/// Writes an entry behind `chain`, which may be empty: the 32-byte hash of the action, the time and
/// the type.
void write_witness_entry(Bytes chain, const uint8_t* action_hash, uint64_t time_ns, uint8_t type,
                         uint8_t* out);

} // namespace rvf
