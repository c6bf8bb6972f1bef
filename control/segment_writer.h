// Segments one after the other, with the directory that lists them. Without a target it only
// counts, so that the same code tells how many bytes it will write and writes them.
#pragma once

#include "control/bytes.h"
#include "control/segment.h"

namespace rvf {

struct SegmentWriter {
    uint8_t* target = nullptr;
    uint8_t* entries = nullptr; ///< of the directory; set when there is a target
    uint64_t base = 0;          ///< where the first byte goes in the file
    uint64_t next_id = 1;
    int32_t signature = -1; ///< kind of the footer that each segment gets; -1: none

    uint64_t size = 0;
    uint32_t entry_count = 0;

    void put(const uint8_t* bytes, uint64_t count) {
        if (target) copy(target + size, bytes, static_cast<size_t>(count));
        size += count;
    }
    template <typename T>
    void put(T value) {
        if (target) store(target + size, value);
        size += sizeof(T);
    }

    /// Begins a segment; what is put then is its payload.
    uint64_t begin() {
        size += kSegmentHeaderBytes;
        return size;
    }

    /// Ends the segment whose payload began at `payload`; answers its id.
    uint64_t end(uint8_t type, uint64_t payload, bool listed);

    /// An entry of the directory.
    void list(uint64_t id, uint64_t offset, uint64_t payload_bytes, uint8_t type);

    /// The footer's frame; the signature is the host's to fill in.
    void put_footer();
};

} // namespace rvf
