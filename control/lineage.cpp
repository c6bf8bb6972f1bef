#include "control/lineage.h"

#include "control/cow.h"

namespace rvf {

Store* make_child(const Parent& parent, const uint8_t* file_id) {
    Store* child = make_store(parent.store.dimension, parent.store.metric);
    if (!child) return nullptr;
    size_t tail = parent.file.size < kHashedTail ? parent.file.size : kHashedTail;
    child->profile = parent.store.profile;
    child->changed = true;
    copy(child->identity, file_id, 16);
    copy(child->identity + 16, parent.store.identity, 16);
    simple_hash(parent.file.part(parent.file.size - tail, tail), child->identity + 32);
    store(child->identity + 64, load<uint32_t>(parent.store.identity + 64) + 1);
    return child;
}

} // namespace rvf
