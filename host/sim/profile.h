// Hardware profiles: what a reader may open, and whether a file keeps what its profile byte
// promises (docs/format.md, "Manifest"; upstream's "RVF WASM Microkernel and Cognitum Hardware
// Mapping", section 5).
//
//        byte  dimensions      vectors  index            QUANT                  compression
//   Core 1     384, 768 as i8  any      none             scalar                 none
//   Hot  2     1,024           10,240   layer A of HNSW  scalar, product (64)   LZ4
//   Full 3     any             any      any              any                    any
//
// Byte 0, generic, promises nothing and needs Full; so does a byte without a meaning. Full reads
// all files, Hot those of Hot and Core, Core only its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/manifest.h"

namespace rvf::sim {

enum ProfileByte : uint8_t { kGeneric = 0, kCore = 1, kHot = 2, kFull = 3 };

/// "generic", "core", "hot", "full"; "unknown" above.
const char* profile_name(uint8_t profile);

/// Who reads: a profile (kCore, kHot, kFull) and the data type it works with, as the limit of
/// dimensions depends on it (kernel.h, DType).
struct Reader {
    uint8_t profile = kFull;
    uint32_t dtype = 0;
};

/// One segment that the commit lists.
struct SegmentFacts {
    /// What is known of the payload of an INDEX or QUANT segment.
    enum class Content : uint8_t {
        kUnknown,    ///< still compressed, or of no interest
        kUnreadable, ///< damaged, too short, or it contradicts itself
        kKnown,
    };

    uint64_t offset = 0;
    uint8_t type = 0;
    uint8_t compression = 0; ///< read_expand.h, Compression
    Content content = Content::kUnknown;
    uint8_t kind = 0;       ///< INDEX: 0 HNSW, 1 IVF, 2 flat. QUANT: 0 scalar, 1 product, 2 binary,
                            ///< 3 residual product
    uint8_t layers = 0;     ///< INDEX: 0 layer A, 1 B, 2 C
    uint32_t centroids = 0; ///< QUANT, product: of each subspace
};

/// What a file holds, as far as profiles care.
struct FileFacts {
    bool has_profile = true; ///< false: raw vectors, which promise nothing and need nothing
    uint8_t profile = kGeneric;
    uint32_t dimension = 0;
    uint64_t vectors = 0; ///< live; 0 while not yet known
    std::vector<SegmentFacts> segments;
};

/// Everything but `vectors`. Compressed payloads are not looked into.
FileFacts facts_of(Bytes file, const Manifest& manifest);

/// Looks into the payloads that were compressed, in the file that expand_segments made of
/// `manifest`.
void add_expanded(FileFacts& facts, Bytes image, const Manifest& image_manifest);

/// A rule that a file breaks. All texts are for people.
struct Violation {
    bool refused = false;        ///< the reader cannot take the file
    bool broken_promise = false; ///< the file holds more than its profile byte says
    std::string
        rule; ///< "profile", "dimensions", "vectors", "index", "quantization" or "compression"
    std::string value;  ///< in the file
    std::string limit;  ///< of the reader, or of the promise when the reader can take it
    std::string advice; ///< what to do
};

/// Every rule that is broken, for this reader or by the file's own promise. A violation that is
/// neither is a remark. With kFull as reader nothing is refused.
std::vector<Violation> check(const Reader& reader, const FileFacts& facts);

bool refuses(const std::vector<Violation>& violations);

/// One line, without line feed.
std::string text_of(const Violation& violation);

} // namespace rvf::sim
