#include "control/handles.h"

namespace rvf {
namespace {

constexpr uint32_t kMaxStores = 1024;
constexpr uint32_t kIndexBits = 10;

Store* stores[kMaxStores];
uint32_t generations[kMaxStores]; // of the store in the slot; 20 bits, never 0 once used

} // namespace

Store* any_store_of(int32_t handle) {
    uint32_t bits = static_cast<uint32_t>(handle);
    uint32_t index = bits & (kMaxStores - 1);
    return handle > 0 && generations[index] == bits >> kIndexBits ? stores[index] : nullptr;
}

Store* store_of(int32_t handle) {
    Store* store = any_store_of(handle);
    return store && !store->is_outside ? store : nullptr;
}

int32_t handle_or_free(Store* store) {
    for (uint32_t index = 0; index < kMaxStores; ++index) {
        if (stores[index]) continue;
        generations[index] = (generations[index] + 1) & 0xFFFFF;
        if (generations[index] == 0) generations[index] = 1;
        stores[index] = store;
        return static_cast<int32_t>(generations[index] << kIndexBits | index);
    }
    free_store(store);
    return kTooManyStores;
}

void forget_handle(int32_t handle) {
    stores[static_cast<uint32_t>(handle) & (kMaxStores - 1)] = nullptr;
}

} // namespace rvf
