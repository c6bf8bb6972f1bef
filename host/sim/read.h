// From files to what the hub works on. Every function answers an empty text, or what is wrong with
// the input and what to do about it, for people; what it fills is then of no use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/store.h"
#include "host/hub/hub.h"
#include "host/sim/profile.h"
#include "host/sim/read_expand.h"

namespace rvf::sim {

struct ReadOptions {
    Reader reader;       ///< who reads; decides what is refused
    int32_t metric = -1; ///< a control.h Metric that overrules the file's; -1: as stored
    std::string parent;  ///< path of a branch's parent; empty: beside it, by the name it tells
    uint64_t most_expanded_bytes = kMostExpandedBytes;
};

struct FreeStore {
    void operator()(Store* store) const { free_store(store); }
};

/// An opened file.
struct File {
    std::string path;
    hub::Data data;        ///< live vectors; none for an empty file
    int32_t metric = 0;    ///< control.h, Metric
    uint32_t warnings = 0; ///< control.h, Warning: what opening passed over; see warning_texts
    FileFacts facts;
    std::vector<Violation> violations; ///< none of them refuses, unless read_file said so
    uint64_t file_bytes = 0;
    uint64_t expanded_bytes = 0; ///< size of the plain form; 0: nothing was compressed

    std::unique_ptr<Store, FreeStore> store; ///< the same vectors, for read_graph
    std::vector<uint32_t> data_rows;         ///< of each row of the store; kNoRow: deleted
    bool has_index = false;                  ///< the commit lists an INDEX segment
    std::vector<uint8_t> index;              ///< its payload; empty when it is damaged
};

/// Opens an .rvf file by the rules of docs/format.md, "Opening a file", or raw vectors (.fvecs,
/// .bvecs: ids are row numbers, the metric is L2, there is no profile).
///
/// Profiles are checked as early as can be: a file that the reader refuses is not expanded. Then
/// the text lists every rule that refuses, and `violations` holds all that are broken.
std::string read_file(const std::string& path, const ReadOptions& options, File& file);

/// The same for the bytes of a file; `path` is what errors call it, and beside it lies the parent
/// of a branch.
std::string read_file_bytes(const std::string& path, const std::vector<uint8_t>& bytes,
                            const ReadOptions& options, File& file);

/// Bits of File::warnings as sentences.
std::vector<std::string> warning_texts(uint32_t warnings);

/// The whole file at `path`.
std::string read_bytes(const std::string& path, std::vector<uint8_t>& bytes);

} // namespace rvf::sim
