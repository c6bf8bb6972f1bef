// The doorbell: one message in, one reply out (kernel/PROTOCOL.md). Every message ends in the
// exports, which do the checking; what is copied before that lies where a host may write anyway.
#pragma once

#include "kernel/graph.h"
#include "kernel/kernel.h"
#include "kernel/memory.h"
#include "kernel/protocol.h"
#include "kernel/state.h"
#include "kernel/topk.h"

namespace rvf::tile {

constexpr Address kReplyBody = kMessagePayload + sizeof(ReplyHeader);

/// Goes on with a search; answers the type of the reply or a status.
inline int32_t search_on() {
    NeighborList& list = neighbor_list();
    uint32_t layer = list.layer;
    int64_t next = rvf_greedy_step(static_cast<int64_t>(list.node), layer);
    if (next < kListUnfinished) return static_cast<int32_t>(next);
    if (next == kListUnfinished) return kNeedBlock;
    if (next == kNowhere) {
        if (layer-- == 0) return kDone;
        next = static_cast<int64_t>(list.node);
    }
    list = {static_cast<uint64_t>(next), layer, 0, 0};
    return kNeedNeighbors;
}

/// Copies one part to where it is collected; after the last one loads what has been collected.
inline int32_t load_part(uint32_t type, uint32_t bytes) {
    LoadHeader part = load<LoadHeader>(kMessagePayload);
    Address from = kMessagePayload + sizeof(LoadHeader);
    Address to = part.to;
    bytes -= sizeof(LoadHeader) + part.list_bytes;
    if (!usable(part.list_to, part.list_bytes, 1) || !usable(to, bytes, 1)) return kTileOutOfMemory;
    forget_block();
    __builtin_memmove(at(part.list_to), at(from), part.list_bytes);
    __builtin_memmove(at(to), at(from + part.list_bytes), bytes);
    int32_t status = kOk;
    if (part.last) {
        if (type == kLoadQuery) {
            status = rvf_load_query(part.base, part.count);
        } else if (type == kLoadBlock) {
            status = rvf_load_block(part.base, part.count, part.kind);
            if (status == kOk && part.base == kHotCache) return search_on();
        } else if (type == kLoadNeighbors) {
            return neighbor_list().count ? kNeedBlock : search_on();
        } else if (part.kind == kConfigParams) {
            status = rvf_init(part.base);
        } else if (part.kind == kSqParams) {
            status = rvf_load_sq_params(part.base, part.count);
        } else {
            status = rvf_load_pq_codebook(part.base, part.last, part.count);
        }
    }
    return status < 0 ? status : kDone;
}

/// Serves the message; answers the type of the reply or a status.
inline int32_t serve(uint32_t type, uint32_t bytes) {
    if (type == kReset) {
        __builtin_memset(at(kState), 0, kRouting - kState);
    } else if (type == kReadTopK) {
        return kTopKResult;
    } else if (type == kCompute) {
        int32_t status = merge_block();
        if (status < 0) return status;
    } else if (type - 1 < kLoadParams) {
        return load_part(type, bytes);
    } else {
        return kTileInvalidMessage;
    }
    return kDone;
}

} // namespace rvf::tile
