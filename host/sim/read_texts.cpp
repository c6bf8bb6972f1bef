#include "host/sim/read_texts.h"

#include "control/control.h"
#include "host/sim/read.h"

namespace rvf::sim {

const char* status_text(Status status) {
    switch (status) {
        case kManifestNotFound:
            return "not an RVF file, or nothing was ever committed to it";
        case kInvalidVersion:
            return "written by a newer version of the format than this reader knows";
        case kInvalidChecksum:
            return "damaged: a vector segment that the last commit lists does not have its content "
                   "hash, or is not where it should be. Take an undamaged copy";
        case kTruncatedSegment:
            return "damaged: a vector segment announces more than there is. Take an undamaged copy";
        case kInvalidManifest:
            return "damaged: its manifest names no dimension, or a vector segment more than once";
        case kSegmentTooLarge:
            return "a vector segment is larger than 256 MiB, the limit";
        case kParentNotFound:
            return "a branch of a branch. Export the parent as a file of its own first, and branch "
                   "that";
        case kParentHashMismatch:
            return "a branch whose parent has changed since: the state that it was made from is "
                   "not "
                   "in it any more. Give the parent as it was when the branch was made";
        case kLineageBroken:
            return "a branch of another file than the parent that was found. Give the one that it "
                   "was made from";
        case kCowMapCorrupt:
            return "a branch whose record of its parent is damaged";
        case kDimensionMismatch:
            return "a branch whose parent has vectors of another dimension";
        case kOutOfMemory:
            return "too large for the memory of this machine";
        default:
            return "not readable";
    }
}

std::vector<std::string> warning_texts(uint32_t warnings) {
    static const struct {
        Warning bit;
        const char* text;
    } kTexts[] = {
        {kTornTail, "bytes behind the last commit were ignored: an interrupted write"},
        {kDamagedManifest,
         "no manifest is sound; the last one that can be read was taken. Check the answers"},
        {kForeignDimension, "a vector segment of another dimension was left out"},
        {kMetricAssumed,
         "the file stores no metric that is known; L2 was assumed unless you gave one"},
        {kWasmLayout, "written by upstream's wasm module, which stores no metric"},
        {kNotFiniteRows,
         "some vectors hold NaN or infinities; where their distance is NaN they are in no answer"},
        {kSkippedManifest, "the last manifest is damaged; the state before it was opened"},
    };
    std::vector<std::string> texts;
    for (const auto& each : kTexts) {
        if (warnings & each.bit) texts.push_back(each.text);
    }
    return texts;
}

} // namespace rvf::sim
