// Manifests: what a file says is live, and how the one that counts is found
// (docs/format.md, "Manifest" and "Opening a file").
#pragma once

#include <stdint.h>

#include "control/bytes.h"
#include "control/segment.h"
#include "kernel/status.h"

namespace rvf {

constexpr uint32_t kManifestFixedBytes = 22;
constexpr uint32_t kDirectoryEntryBytes = 25;
constexpr uint32_t kIdentityMarker = 0x46494449; ///< on disk "IDIF"
constexpr uint32_t kIdentityBytes = 68; ///< file id 16, parent id 16, parent hash 32, depth 4

struct DirectoryEntry {
    uint64_t id;
    uint64_t offset; ///< of the segment header
    uint64_t payload_length;
    uint8_t type;
};

/// A manifest in place: the numbers are copied, the lists stay in the file.
struct Manifest {
    uint32_t epoch = 0;
    uint16_t dimension = 0;
    uint8_t profile = 0;
    uint8_t metric_byte = 0;
    uint64_t total_vectors = 0;
    uint32_t entry_count = 0;
    const uint8_t* entries = nullptr; ///< entry_count times 25 bytes
    uint32_t deleted_count = 0;
    const uint8_t* deleted = nullptr;  ///< deleted_count times u64
    const uint8_t* identity = nullptr; ///< 68 bytes, or nullptr
    bool wasm_layout = false;          ///< as upstream's wasm module writes it
    uint64_t end = 0;                  ///< of its segment in the file
};

DirectoryEntry directory_entry(const Manifest& manifest, uint32_t index);

/// Reads a runtime manifest payload; false when the directory does not fit it. A deleted list that
/// is cut short is taken as far as it goes.
bool parse_manifest(Bytes payload, Manifest& manifest);

/// Reads the 44-byte payload that upstream's wasm module writes; false for anything else.
bool parse_wasm_manifest(Bytes payload, Manifest& manifest);

/// Finds the manifest of the last complete commit and adds Warning bits for what was passed over.
///
/// A manifest counts when its version is 1 and its content hash is good, or absent and every
/// directory entry points at a segment of the listed type. When the chain of segments makes up the
/// whole file and its last manifest counts, that is the one; bytes inside a payload are never taken
/// for one then. Otherwise manifests are looked for byte by byte from the end, and there one counts
/// only when its last directory entry shows that it was written there. When none counts, the last
/// one that can be read is taken. kManifestNotFound, or kInvalidVersion when the last commit is
/// newer than us.
Status find_manifest(Bytes file, Manifest& manifest, uint32_t& warnings);

} // namespace rvf
