#include "host/sim/read.h"

#include <cstring>
#include <new>

#include "control/branch.h"
#include "control/control.h"
#include "control/open.h"
#include "host/sim/read_parent.h"
#include "host/sim/read_texts.h"
#include "host/sim/read_vecs.h"

namespace rvf::sim {
namespace {

Bytes bytes_of(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

/// What a header's compression fields may have to do with a failure to open.
std::string hint_of(Bytes file, const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        Segment segment;
        if (entry.type != kVecSegment || !read_segment(file, entry.offset, segment)) continue;
        if (file.data[entry.offset + 0x21] == kPlain) continue;
        return ". The segment at offset " + std::to_string(entry.offset) +
               " names a compression but no uncompressed length, so it was read as plain";
    }
    return "";
}

/// The last one in the directory counts, as for upstream.
void keep_index(File& file, Bytes bytes, const Manifest& manifest) {
    for (uint32_t i = manifest.entry_count; i-- > 0;) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.type != kIndexSegment) continue;
        file.has_index = true;
        Segment segment;
        if (read_segment(bytes, entry.offset, segment) && segment.complete &&
            check_hash(bytes, segment) != HashState::kBad) {
            file.index.assign(segment.payload.data, segment.payload.data + segment.payload.size);
        }
        return;
    }
}

void take_rows(File& file) {
    const Store& store = *file.store;
    hub::Data& data = file.data;
    data.dimension = store.dimension;
    data.ids.reserve(live_count(store));
    data.rows.resize(size_t{live_count(store)} * store.dimension);
    file.data_rows.assign(store.row_count, kNoRow);
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        if (is_dead(row)) continue;
        file.data_rows[i] = static_cast<uint32_t>(data.ids.size());
        std::memcpy(data.rows.data() + data.ids.size() * store.dimension, row.vector,
                    size_t{store.dimension} * 4);
        data.ids.push_back(load<uint64_t>(row.id));
    }
}

/// Applies the rules anew; the text of a refusal.
std::string check_profile(const Reader& reader, File& file) {
    file.violations = check(reader, file.facts);
    if (!refuses(file.violations)) return "";
    std::string text = file.path + " is not for a " + profile_name(reader.profile) + " reader:";
    for (const Violation& violation : file.violations) {
        if (violation.refused) text += "\n  " + text_of(violation);
    }
    return text;
}

bool has_compressed(const FileFacts& facts) {
    for (const SegmentFacts& segment : facts.segments) {
        if (segment.compression != kPlain && is_expanded_type(segment.type)) return true;
    }
    return false;
}

std::string read_rvf(const ReadOptions& options, const std::vector<uint8_t>& raw, File& file) {
    Bytes bytes = bytes_of(raw);
    Manifest manifest;
    uint32_t passed_over = 0;
    Status status = find_manifest(bytes, manifest, passed_over);
    if (status != kOk) manifest = {};
    uint64_t compressed = compressed_manifest(bytes, manifest);
    if (compressed != bytes.size && status != kInvalidVersion) {
        return file.path + " has a compressed manifest at offset " + std::to_string(compressed) +
               "; manifests have to be plain, as they lead to everything else";
    }
    if (status != kOk) return file.path + " is " + status_text(status);
    file.facts = facts_of(bytes, manifest);
    std::string error = check_profile(options.reader, file);
    if (!error.empty()) return error;

    std::vector<uint8_t> image;
    if (has_compressed(file.facts)) {
        error = expand_segments(bytes, manifest, options.most_expanded_bytes, image);
        if (!error.empty()) return file.path + " cannot be expanded: " + error;
        bytes = bytes_of(image);
        file.expanded_bytes = image.size();
        uint32_t none = 0;
        status = find_manifest(bytes, manifest, none);
        if (status != kOk) return file.path + " is " + status_text(status);
        add_expanded(file.facts, bytes, manifest);
        error = check_profile(options.reader, file);
        if (!error.empty()) return error;
    }

    Parent parent;
    if (is_branch(manifest)) {
        error = read_parent(file.path, options.parent, bytes, manifest, parent);
        if (!error.empty()) return error;
    }
    Store* opened = nullptr;
    FileBytes base = {reinterpret_cast<uintptr_t>(parent.bytes.data()), parent.bytes.size()};
    status = open_store({bytes, &base, 1, options.metric}, opened);
    if (status != kOk) {
        if (is_fault_of(parent, status)) {
            return parent.path + ", the parent of " + file.path + ", is " + status_text(status);
        }
        std::string hint = image.empty() ? hint_of(bytes, manifest) : "";
        return file.path + " is " + status_text(status) + hint;
    }
    file.store.reset(opened);
    file.metric = opened->metric;
    file.warnings = opened->warnings | passed_over;
    keep_index(file, bytes, manifest);
    return "";
}

std::string read_raw(const ReadOptions& options, const std::vector<uint8_t>& raw, File& file) {
    Vecs vecs;
    std::string error = parse_vecs(file.path, bytes_of(raw), vecs);
    if (!error.empty()) return error;
    file.facts.has_profile = false;
    file.facts.dimension = vecs.dimension;
    file.metric = options.metric < 0 ? static_cast<int32_t>(kL2) : options.metric;
    file.store.reset(make_store(vecs.dimension, file.metric));
    if (!file.store || vecs.count() >= kNoRow ||
        reserve_rows(*file.store, static_cast<uint32_t>(vecs.count())) != kOk) {
        return file.path + " is " + status_text(kOutOfMemory);
    }
    for (size_t i = 0; i < vecs.count(); ++i) {
        put_vector(*file.store, i,
                   reinterpret_cast<const uint8_t*>(vecs.rows.data() + i * vecs.dimension));
    }
    return "";
}

} // namespace

std::string read_file_bytes(const std::string& path, const std::vector<uint8_t>& bytes,
                            const ReadOptions& options, File& file) try {
    File fresh;
    fresh.path = path;
    fresh.file_bytes = bytes.size();
    file = std::move(fresh);
    if (options.metric < -1 || options.metric > kCosine) {
        return "there is no metric " + std::to_string(options.metric) +
               "; 0 is L2, 1 inner product, 2 cosine";
    }
    std::string error =
        is_vecs_path(path) ? read_raw(options, bytes, file) : read_rvf(options, bytes, file);
    if (!error.empty()) return error;
    take_rows(file);
    file.facts.vectors = file.data.ids.size();
    return check_profile(options.reader, file);
} catch (const std::bad_alloc&) {
    return path + " is " + status_text(kOutOfMemory);
}

std::string read_file(const std::string& path, const ReadOptions& options, File& file) try {
    std::vector<uint8_t> bytes;
    std::string error = read_bytes(path, bytes);
    return error.empty() ? read_file_bytes(path, bytes, options, file) : error;
} catch (const std::bad_alloc&) {
    return path + " is " + status_text(kOutOfMemory);
}

} // namespace rvf::sim
