// What a host does with commits, on a file in memory.
#pragma once

#include <algorithm>
#include <functional>
#include <span>

#include "control/commit.h"
#include "control/handles.h"
#include "tests/unit/support.h"

namespace rvf::test {

constexpr uint64_t kTime = 1'700'000'000'000'000'000; ///< of commits

struct FileHost {
    using Sign = std::function<void(std::span<uint8_t> pending)>;

    Buffer bytes = {};

    /// Makes a commit and writes its bytes, without an acknowledgement; answers rvf_store_commit's.
    int32_t write(int32_t store, uint32_t flags = 0, int32_t signature = -1,
                  const Sign& sign = {}) {
        Buffer info(kCommitInfoBytes);
        int32_t status = rvf_store_commit(store, kTime, signature, flags, address(info.data()));
        if (status != 1) return status;
        Bytes made = store_of(store)->pending.bytes;
        if (sign) sign({const_cast<uint8_t*>(made.data), made.size}); // in the module's memory
        uint64_t offset;
        uint32_t replaces;
        std::memcpy(&offset, info.data(), 8);
        std::memcpy(&replaces, info.data() + 20, 4);
        if (replaces) bytes.clear();
        bytes.resize(offset);
        bytes.insert(bytes.end(), made.data, made.data + made.size);
        return 1;
    }

    int32_t commit(int32_t store, uint32_t flags = 0, int32_t signature = -1,
                   const Sign& sign = {}) {
        int32_t status = write(store, flags, signature, sign);
        return status == 1 && rvf_store_acknowledge(store) != kOk ? kCommitPending : status;
    }
};

} // namespace rvf::test
