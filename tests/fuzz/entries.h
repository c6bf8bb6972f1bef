// Metadata and filters a second time, as docs/format.md and control/filter.h say and with no code
// of the store.
#pragma once

#include <optional>

#include "tests/unit/rvf_file.h"

namespace rvf::test {

/// Reads numbers and bytes from the front; `ok` turns false when they are not there.
struct Reader {
    const uint8_t* at;
    const uint8_t* end;
    bool ok = true;

    explicit Reader(const Buffer& bytes) : at(bytes.data()), end(at + bytes.size()) {}
    Reader(const uint8_t* data, size_t size) : at(data), end(data + size) {}

    size_t left() const { return static_cast<size_t>(end - at); }
    bool more() const { return ok && at != end; }

    Buffer take(size_t size) {
        ok = ok && size <= left();
        if (!ok) return {};
        at += size;
        return Buffer(at - size, at);
    }
    template <typename T>
    T number() {
        T value = 0;
        Buffer bytes = take(sizeof(T));
        if (ok) std::memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }
    /// What may be too much, cut to what is there.
    Buffer take_some(size_t size) { return take(std::min(size, left())); }
};

struct PlainValue {
    uint8_t type;
    Buffer bytes;
};

inline PlainValue read_value(Reader& reader) {
    PlainValue value;
    value.type = reader.number<uint8_t>();
    value.bytes = reader.take(reader.number<uint32_t>());
    if (value.type > 5) reader.ok = false;
    if (value.type <= 2 && value.bytes.size() != 8) reader.ok = false;
    if (value.type == 4) {
        if (value.bytes.size() != 1 || value.bytes[0] > 1) reader.ok = false;
    }
    return value;
}

using Fields = std::map<uint16_t, PlainValue>;

/// Nothing when the bytes are not entries.
inline std::optional<Fields> fields_of(const Buffer& entries) {
    Fields fields;
    Reader reader(entries);
    while (reader.more()) {
        auto field = reader.number<uint16_t>();
        PlainValue value = read_value(reader);
        if (!reader.ok || field == 0xFFFE) return std::nullopt;
        if (!fields.empty() && fields.rbegin()->first >= field) return std::nullopt;
        fields[field] = value;
    }
    return fields;
}

/// What is known of the order of two values: nothing, when none of the three holds.
struct Order {
    bool less = false, equal = false, greater = false;
};

template <typename T>
Order order_of(T a, T b) {
    return {a < b, a == b, a > b};
}

inline Order compare(const PlainValue& a, const PlainValue& b) {
    if (a.type != b.type) return {};
    switch (a.type) {
        case 0:
            return order_of(get<uint64_t>(a.bytes, 0), get<uint64_t>(b.bytes, 0));
        case 1:
            return order_of(get<int64_t>(a.bytes, 0), get<int64_t>(b.bytes, 0));
        case 2:
            return order_of(get<double>(a.bytes, 0), get<double>(b.bytes, 0));
        default:
            return order_of(a.bytes, b.bytes); // byte by byte, the shorter first
    }
}

/// Runs a filter on a row's fields, its id among them as 0xFFFE; nothing when it is not sound.
inline std::optional<bool> evaluate(const Buffer& filter, const Fields& fields) {
    std::vector<bool> stack;
    Reader reader(filter);
    while (reader.more()) {
        auto operation = reader.number<uint8_t>();
        if (operation >= 0x10) {
            size_t needed = operation == 0x12 ? 1 : 2;
            if (operation > 0x12 || stack.size() < needed) return std::nullopt;
            bool right = stack.back();
            stack.pop_back();
            if (operation == 0x12) {
                stack.push_back(!right);
                continue;
            }
            bool left = stack.back();
            stack.back() = operation == 0x10 ? left && right : left || right;
            continue;
        }
        if (operation > 7 || stack.size() == 64) return std::nullopt;
        auto found = fields.find(reader.number<uint16_t>());
        uint32_t count = operation == 6 ? reader.number<uint32_t>() : operation == 7 ? 2 : 1;
        std::vector<Order> orders;
        for (uint32_t i = 0; i < count && reader.ok; ++i) {
            PlainValue value = read_value(reader);
            if (!reader.ok) break;
            orders.push_back(found == fields.end() ? Order{} : compare(found->second, value));
        }
        if (!reader.ok) return std::nullopt;
        Order first = orders.empty() ? Order{} : orders[0];
        const bool results[] = {
            first.equal,
            !first.equal,
            first.less,
            first.less || first.equal,
            first.greater,
            first.greater || first.equal,
            std::any_of(orders.begin(), orders.end(), [](const Order& one) { return one.equal; }),
            operation == 7 && (first.greater || first.equal) && orders[1].less,
        };
        stack.push_back(results[operation]);
    }
    if (stack.size() != 1) return std::nullopt;
    return stack[0];
}

} // namespace rvf::test
