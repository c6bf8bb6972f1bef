// What unit tests and fuzzers share: random numbers, arithmetic that owes nothing to the code under
// test, a tile whose red zone is poisoned, and stores that close themselves.
#pragma once

#include <sanitizer/asan_interface.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "control/control.h"
#include "kernel/memory.h"
#include "kernel/memory_map.h"

namespace rvf::test {

using Buffer = std::vector<uint8_t>;

constexpr uint32_t kTheNan = 0x7FC00000; ///< the only NaN that a tile answers with

/// SplitMix64: the same numbers on every machine.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t bits() {
        uint64_t z = state_ += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(bits() % limit); }
    float between(float low, float high) {
        return low + static_cast<float>(bits() >> 40) * 0x1p-24f * (high - low);
    }
    template <typename T>
    const T& pick(const std::vector<T>& from) {
        return from[bits() % from.size()];
    }
    std::vector<float> vector(size_t size, float low, float high) {
        std::vector<float> values(size);
        for (float& value : values) value = between(low, high);
        return values;
    }

private:
    uint64_t state_;
};

/// The number that a half stands for, from the definition of the format.
inline double half_value(uint16_t half) {
    int exponent = half >> 10 & 31;
    int fraction = half & 0x3FF;
    double sign = half & 0x8000 ? -1 : 1;
    if (exponent == 31) return fraction ? std::nan("") : sign * HUGE_VAL;
    return sign *
           (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}

/// The half nearest to a number, ties to even, in units of its last place.
inline uint16_t nearest_half(double value) {
    uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    double magnitude = std::fabs(value);
    if (std::isnan(value)) return 0x7E00;
    if (std::isinf(value)) return sign | 0x7C00;
    int exponent;
    std::frexp(magnitude, &exponent);
    int last_place = exponent - 11 > -24 ? exponent - 11 : -24;
    double rounded = std::ldexp(std::nearbyint(std::ldexp(magnitude, -last_place)), last_place);
    if (rounded >= 65536) return sign | 0x7C00;
    if (rounded < 0x1p-14) return static_cast<uint16_t>(sign | static_cast<int>(rounded * 0x1p24));
    std::frexp(rounded, &exponent);
    int fraction = static_cast<int>(std::ldexp(rounded, 11 - exponent)) - 1024;
    return static_cast<uint16_t>(sign | (exponent + 14) << 10 | fraction);
}

template <typename T>
uint32_t bits_of(T value) {
    static_assert(sizeof(T) == 4);
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}

/// A tile that was never started. What does not exist on a tile is poisoned, so that even reading
/// it is an error, but for the few bytes that may be read behind an operand. It is the tile of this
/// thread as long as it lives.
class Tile {
public:
    using Address = tile::Address;

    Tile() : memory_(static_cast<uint8_t*>(std::aligned_alloc(16, tile::kScratchEnd))) {
        std::memset(memory_, 0, tile::kScratchEnd);
        poison();
        tile::tile_memory = memory_;
    }
    ~Tile() {
        ASAN_UNPOISON_MEMORY_REGION(memory_, tile::kScratchEnd);
        std::free(memory_);
        tile::tile_memory = nullptr;
    }
    Tile(const Tile&) = delete;
    Tile& operator=(const Tile&) = delete;

    template <typename T>
    void write(Address address, const std::vector<T>& values) {
        if (values.empty()) return;
        std::memcpy(memory_ + address, values.data(), values.size() * sizeof(T));
    }
    template <typename T>
    std::vector<T> read(Address address, size_t count) const {
        std::vector<T> values(count);
        if (count) std::memcpy(values.data(), memory_ + address, count * sizeof(T));
        return values;
    }

    /// Every byte that exists: data memory, then scratch.
    void save(Buffer& bytes) const {
        bytes.resize(kDataBytes + kScratchBytes);
        std::memcpy(bytes.data(), memory_, kDataBytes);
        std::memcpy(bytes.data() + kDataBytes, memory_ + tile::kScratch, kScratchBytes);
    }
    Buffer save() const {
        Buffer bytes;
        save(bytes);
        return bytes;
    }
    void restore(const Buffer& bytes) {
        std::memcpy(memory_, bytes.data(), kDataBytes);
        std::memcpy(memory_ + tile::kScratch, bytes.data() + kDataBytes, kScratchBytes);
    }

    /// Whether [begin, end), both in data memory or both in scratch, is as it was.
    bool equals(const Buffer& bytes, Address begin, Address end) const {
        size_t at = begin < tile::kDataEnd ? begin : begin - tile::kScratch + kDataBytes;
        return begin >= end || std::memcmp(memory_ + begin, bytes.data() + at, end - begin) == 0;
    }
    bool equals(const Buffer& bytes) const {
        return equals(bytes, 0, tile::kDataEnd) && equals(bytes, tile::kScratch, tile::kScratchEnd);
    }
    uint8_t byte(Address address) const { return memory_[address]; }

    bool red_zone_is_zero() const {
        static const Buffer zeros(kRedBytes);
        ASAN_UNPOISON_MEMORY_REGION(memory_ + tile::kDataEnd, kRedBytes);
        bool zero = std::memcmp(memory_ + tile::kDataEnd, zeros.data(), kRedBytes) == 0;
        poison();
        return zero;
    }

private:
    static constexpr size_t kDataBytes = tile::kDataEnd;
    static constexpr size_t kRedBytes = tile::kScratch - tile::kDataEnd;
    static constexpr size_t kScratchBytes = tile::kScratchEnd - tile::kScratch;
    static constexpr size_t kReadBehind = 16; ///< 14, in the steps of AddressSanitizer

    void poison() const {
        ASAN_POISON_MEMORY_REGION(memory_ + tile::kDataEnd + kReadBehind, kRedBytes - kReadBehind);
    }

    uint8_t* memory_;
};

template <typename T>
uintptr_t address(const T* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

/// A copy that ends where its memory ends, so that reading past it is an error.
inline std::unique_ptr<uint8_t[]> exact_copy(const Buffer& bytes) {
    auto copy = std::make_unique<uint8_t[]>(bytes.size());
    if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
    return copy;
}

inline int32_t open_file(const Buffer& file, int32_t metric = -1) {
    auto copy = exact_copy(file);
    return rvf_store_open_as(address(copy.get()), file.size(), metric);
}

/// Closes its store at the end of the scope.
class StoreHandle {
public:
    explicit StoreHandle(int32_t handle) : handle_(handle) {}
    StoreHandle(int32_t dimension, int32_t metric) : handle_(rvf_store_create(dimension, metric)) {}
    ~StoreHandle() { rvf_store_close(handle_); }
    StoreHandle(const StoreHandle&) = delete;
    StoreHandle& operator=(const StoreHandle&) = delete;
    operator int32_t() const { return handle_; }

private:
    int32_t handle_;
};

inline int32_t ingest(int32_t store, const std::vector<uint64_t>& ids,
                      const std::vector<float>& vectors) {
    return rvf_store_ingest(store, address(vectors.data()), address(ids.data()),
                            static_cast<int32_t>(ids.size()));
}

inline int32_t remove_ids(int32_t store, const std::vector<uint64_t>& ids) {
    return rvf_store_delete(store, address(ids.data()), static_cast<int32_t>(ids.size()));
}

struct Answer {
    uint64_t id;
    float distance;

    bool operator==(const Answer& other) const {
        return id == other.id && bits_of(distance) == bits_of(other.distance);
    }
};

/// The result buffer is exactly as long as the manual asks for.
inline std::vector<Answer> query(int32_t store, const std::vector<float>& vector, int32_t k,
                                 int32_t metric = -1) {
    int32_t most = std::min(k, rvf_store_count(store));
    Buffer out(static_cast<size_t>(most) * kHitBytes);
    auto room = exact_copy(out);
    int32_t count = rvf_store_query(store, address(vector.data()), k, metric, address(room.get()));
    std::vector<Answer> answers(count > 0 ? static_cast<size_t>(count) : 0);
    for (size_t i = 0; i < answers.size(); ++i) {
        std::memcpy(&answers[i].id, room.get() + i * kHitBytes, 8);
        std::memcpy(&answers[i].distance, room.get() + i * kHitBytes + 8, 4);
    }
    return answers;
}

inline Buffer export_file(int32_t store) {
    Buffer file(static_cast<size_t>(rvf_store_export_size(store)));
    auto room = exact_copy(file);
    if (rvf_store_export(store, address(room.get()), file.size()) < 0) return {};
    std::memcpy(file.data(), room.get(), file.size());
    return file;
}

} // namespace rvf::test
