#include "host/sim/profile.h"

#include <functional>
#include <optional>

#include "control/segment.h"
#include "host/sim/read_expand.h"
#include "kernel/kernel.h"

namespace rvf::sim {
namespace {

constexpr uint32_t kCoreDimensions = 384;
constexpr uint32_t kCoreI8Dimensions = 768;
constexpr uint32_t kHotDimensions = 1024;
constexpr uint32_t kHotCentroids = 64;
constexpr uint64_t kHotVectors = 10'240; ///< "~10K in shared cache"

/// How a file breaks one rule of a profile.
struct Break {
    std::string value;
    std::string limit;
    std::string advice;
};
using Verdict = std::optional<Break>;

std::string number(uint64_t value) { return std::to_string(value); }

std::string at_offset(const SegmentFacts& segment) {
    return " at offset " + number(segment.offset);
}

/// The first segment of which `breaks` says something, and how many more there are.
Verdict first_of(const FileFacts& facts,
                 const std::function<Verdict(const SegmentFacts&)>& breaks) {
    Verdict first;
    uint64_t more = 0;
    for (const SegmentFacts& segment : facts.segments) {
        Verdict verdict = breaks(segment);
        if (!verdict) continue;
        if (first) {
            ++more;
        } else {
            first = verdict;
        }
    }
    if (more) first->value += " and " + number(more) + (more == 1 ? " more" : " others");
    return first;
}

// --- The rules: what `profile`, Core or Hot, says of a file ---

Verdict check_dimensions(uint8_t profile, uint32_t dtype, const FileFacts& facts) {
    uint32_t limit = kHotDimensions;
    if (profile == kCore) limit = dtype == tile::kI8 ? kCoreI8Dimensions : kCoreDimensions;
    if (facts.dimension <= limit) return {};
    bool fits_as_i8 = profile == kCore && facts.dimension <= kCoreI8Dimensions;
    const char* larger = facts.dimension <= kHotDimensions ? "hot or full" : "full";
    return Break{number(facts.dimension),
                 profile == kCore ? "at most 384 as fp16, 768 as i8" : "at most 1024",
                 fits_as_i8 ? "work with i8"
                            : std::string("use profile ") + larger + ", or shorter vectors"};
}

Verdict check_vectors(uint8_t profile, uint32_t, const FileFacts& facts) {
    if (profile != kHot || facts.vectors <= kHotVectors) return {};
    return Break{number(facts.vectors), "at most 10240, what a chip's shared memory takes",
                 "use profile full, or divide the file"};
}

Verdict check_index(uint8_t profile, uint32_t, const FileFacts& facts) {
    static const char* const kKinds[] = {"an HNSW index", "an IVF index", "a flat index"};
    static const char* const kLayers[] = {"layer A", "layers A and B", "layers A, B and C"};
    return first_of(facts, [&](const SegmentFacts& segment) -> Verdict {
        if (segment.type != kIndexSegment) return {};
        bool known = segment.content == SegmentFacts::Content::kKnown;
        bool hnsw = known && segment.kind == 0;
        if (profile == kHot &&
            (segment.content == SegmentFacts::Content::kUnknown || (hnsw && segment.layers == 0))) {
            return {};
        }
        std::string value = "an index";
        if (segment.content == SegmentFacts::Content::kUnreadable) value = "a damaged index";
        if (known) value = segment.kind < 3 ? kKinds[segment.kind] : "an index of an unknown kind";
        if (hnsw) {
            value += segment.layers < 3 ? std::string(" of ") + kLayers[segment.layers]
                                        : " of unknown layers";
        }
        return Break{value + at_offset(segment),
                     profile == kCore ? "no index" : "layer A of an HNSW index",
                     "use profile full, or write the file without its index"};
    });
}

Verdict check_quantization(uint8_t profile, uint32_t, const FileFacts& facts) {
    static const char* const kKinds[] = {"scalar", "product", "binary", "residual product"};
    return first_of(facts, [&](const SegmentFacts& segment) -> Verdict {
        if (segment.type != kQuantSegment) return {};
        if (segment.content == SegmentFacts::Content::kUnknown) return {};
        bool known = segment.content == SegmentFacts::Content::kKnown;
        bool product = known && segment.kind == 1;
        if (known && segment.kind == 0) return {};
        if (profile == kHot && product && segment.centroids <= kHotCentroids) return {};
        std::string value = "damaged quantization tables";
        if (known) {
            value = (segment.kind < 4 ? kKinds[segment.kind] : "unknown") +
                    std::string(" quantization");
        }
        if (product) value += " with " + number(segment.centroids) + " centroids";
        return Break{
            value + at_offset(segment),
            profile == kCore ? "scalar only" : "scalar, or product with at most 64 centroids",
            product && segment.centroids <= kHotCentroids
                ? "use profile hot or full, or quantize to i8"
                : "use profile full, or quantize to i8"};
    });
}

Verdict check_compression(uint8_t profile, uint32_t, const FileFacts& facts) {
    return first_of(facts, [&](const SegmentFacts& segment) -> Verdict {
        if (segment.compression == kPlain) return {};
        if (profile == kHot && segment.compression == kLz4) return {};
        return Break{compression_name(segment.compression) + at_offset(segment),
                     profile == kCore ? "none" : "LZ4 only",
                     segment.compression == kLz4
                         ? "use profile hot or full, or write the file without compression"
                         : "use profile full, or write the file without compression"};
    });
}

struct Rule {
    const char* name;
    Verdict (*check)(uint8_t profile, uint32_t dtype, const FileFacts& facts);
};
constexpr Rule kRules[] = {
    {"dimensions", check_dimensions},
    {"vectors", check_vectors},
    {"index", check_index},
    {"quantization", check_quantization},
    {"compression", check_compression},
};

bool has_limits(uint8_t profile) { return profile == kCore || profile == kHot; }

/// The rule of the profile byte itself.
void check_byte(const Reader& reader, uint8_t byte, std::vector<Violation>& violations) {
    bool unknown = byte > kFull;
    uint8_t needed = byte == kGeneric || unknown ? static_cast<uint8_t>(kFull) : byte;
    bool refused = reader.profile < needed;
    if (!refused && !unknown) return;
    Violation violation;
    violation.refused = refused;
    violation.rule = "profile";
    violation.value = number(byte) + " (" + profile_name(byte) + ")";
    violation.limit = "1 (core)";
    if (reader.profile == kHot) violation.limit = "1 (core) or 2 (hot)";
    if (reader.profile == kFull) violation.limit = "0 to 3";
    violation.advice = std::string("use profile ") + profile_name(needed) +
                       ", or write the file with a profile byte whose limits it keeps";
    if (!refused) violation.advice = "it is read as generic";
    violations.push_back(violation);
}

} // namespace

const char* profile_name(uint8_t profile) {
    static const char* const kNames[] = {"generic", "core", "hot", "full"};
    return profile <= kFull ? kNames[profile] : "unknown";
}

std::vector<Violation> check(const Reader& reader, const FileFacts& facts) {
    std::vector<Violation> violations;
    if (facts.has_profile) check_byte(reader, facts.profile, violations);
    for (const Rule& rule : kRules) {
        Verdict of_reader, of_promise;
        if (has_limits(reader.profile)) {
            of_reader = rule.check(reader.profile, reader.dtype, facts);
        }
        // A promise is kept as long as there is some data type that keeps it.
        if (facts.has_profile && has_limits(facts.profile)) {
            of_promise = rule.check(facts.profile, tile::kI8, facts);
        }
        if (!of_reader && !of_promise) continue;
        Break found = of_reader ? *of_reader : *of_promise;
        if (!of_reader) {
            found.advice = "write the file with a profile byte whose limits it keeps";
        }
        violations.push_back({of_reader.has_value(), of_promise.has_value(), rule.name, found.value,
                              found.limit, found.advice});
    }
    return violations;
}

bool refuses(const std::vector<Violation>& violations) {
    for (const Violation& violation : violations) {
        if (violation.refused) return true;
    }
    return false;
}

std::string text_of(const Violation& violation) {
    std::string text = violation.rule + ": the file has " + violation.value + "; ";
    if (violation.refused) {
        text += "the reader takes " + violation.limit;
        if (violation.broken_promise) text += ", and the file promises no more";
    } else if (violation.broken_promise) {
        text += "its profile byte promises " + violation.limit;
    } else {
        text += "known are " + violation.limit;
    }
    return text + ". To do: " + violation.advice + ".";
}

} // namespace rvf::sim
