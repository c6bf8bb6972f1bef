#include "host/sim/read_parent.h"

#include <filesystem>

#include "control/open.h"
#include "host/sim/read.h"

namespace rvf::sim {
namespace {

/// What the last COW_MAP of a branch says where its parent is; empty when it cannot be told.
std::string parent_name(Bytes bytes, const Manifest& manifest) {
    constexpr uint32_t kNameLength = 0x49, kName = 0x51;
    for (uint32_t i = manifest.entry_count; i-- > 0;) {
        DirectoryEntry entry = directory_entry(manifest, i);
        Segment segment;
        if (entry.type != kCowMapSegment) continue;
        if (!read_segment(bytes, entry.offset, segment) || !segment.payload.holds(0, kName)) break;
        uint32_t length = load<uint32_t>(segment.payload.data + kNameLength);
        if (!segment.payload.holds(kName, length)) break;
        std::string name(reinterpret_cast<const char*>(segment.payload.data + kName), length);
        // A file may not lead elsewhere than beside itself.
        bool plain = name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
        return plain && name != "." && name != ".." ? name : "";
    }
    return "";
}

bool is_compressed(Bytes file) {
    Manifest manifest;
    uint32_t warnings = 0;
    if (find_manifest(file, manifest, warnings) != kOk) return false;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        Segment segment;
        if (is_expanded_type(entry.type) && read_segment(file, entry.offset, segment) &&
            compression_of(file, segment) != kPlain) {
            return true;
        }
    }
    return false;
}

} // namespace

std::string read_parent(const std::string& path, const std::string& given, Bytes bytes,
                        const Manifest& manifest, Parent& parent) {
    parent.path = given;
    if (given.empty()) {
        std::string name = parent_name(bytes, manifest);
        if (name.empty()) return path + " is a branch; give the file that it was branched from too";
        parent.path = (std::filesystem::path(path).parent_path() / name).string();
    }
    std::string error = read_bytes(parent.path, parent.bytes);
    if (!error.empty()) return path + " is a branch of " + parent.path + ", but " + error;
    if (!is_compressed({parent.bytes.data(), parent.bytes.size()})) return "";
    return path + " is a branch of " + parent.path + ", which is compressed; that is not supported";
}

bool is_fault_of(const Parent& parent, Status status) {
    if (parent.bytes.empty() || status == kParentNotFound || status == kOutOfMemory) return false;
    Store* opened = nullptr;
    Bytes bytes = {parent.bytes.data(), parent.bytes.size()};
    bool same = open_store({bytes, nullptr, 0, -1}, opened) == status;
    if (opened) free_store(opened);
    return same;
}

} // namespace rvf::sim
