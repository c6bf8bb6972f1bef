#include "control/selection.h"

#include "control/marks.h"

namespace rvf {
namespace {

constexpr uint32_t kListHeadBytes = 7;  ///< operator u8, field u16, count u32
constexpr uint32_t kListedIdBytes = 13; ///< type u8, length u32, id u64

void select(Selection& selection, uint32_t row) {
    uint8_t& bits = selection.bits.data[row / 8];
    auto bit = static_cast<uint8_t>(1 << row % 8);
    selection.count += !(bits & bit);
    bits |= bit;
}

/// A list of ids, and what else their rows must pass.
struct IdList {
    const uint8_t* ids =
        nullptr; ///< kListedIdBytes from one to the next; nullptr: there is no list
    uint32_t count = 0;
    Bytes rest = {}; ///< a program; empty: nothing
};

/// The parts of a filter that is a list of ids, or begins with one and asks for both.
IdList listed_ids(Bytes program) {
    if (program.data[0] != kIn || load<uint16_t>(program.data + 1) != kIdField) return {};
    IdList list;
    list.count = load<uint32_t>(program.data + 3);
    uint64_t bytes = uint64_t{list.count} * kListedIdBytes;
    if (!program.holds(kListHeadBytes, bytes)) return {};
    const uint8_t* values = program.data + kListHeadBytes;
    for (uint32_t i = 0; i < list.count; ++i) {
        if (values[size_t{i} * kListedIdBytes] != kU64) return {};
    }
    list.rest = program.part(kListHeadBytes + bytes, program.size - kListHeadBytes - bytes);
    if (list.rest.size) {
        // What is sound by itself leaves the list on the stack alone.
        if (list.rest.data[--list.rest.size] != kAnd || !is_filter(list.rest)) return {};
    }
    list.ids = values + kListedIdBytes - sizeof(uint64_t);
    return list;
}

} // namespace

bool is_asked_again(Selection& selection, const Filter& filter) {
    Bytes program = filter.program;
    if (selection.version == filter.store.version && selection.program.size == program.size &&
        equal(selection.program.data, program.data, program.size)) {
        return true;
    }
    free_selection(selection);
    selection.version = filter.store.version;
    uint8_t* bytes = extend(selection.program, program.size);
    if (bytes) copy(bytes, program.data, program.size);
    return false;
}

bool is_list_of_ids(const Filter& filter) { return listed_ids(filter.program).ids; }

bool select_rows(Selection& selection, const Filter& filter) {
    if (selection.bits.size) return true;
    const Store& store = filter.store;
    uint8_t* bits = extend(selection.bits, store.row_count / 8 + 1);
    if (!bits) return false;
    __builtin_memset(bits, 0, selection.bits.size);
    selection.count = 0;
    IdList list = listed_ids(filter.program);
    if (list.ids) {
        Filter rest{list.rest, store};
        for (uint32_t i = 0; i < list.count; ++i) {
            uint32_t row = find_row(store, load<uint64_t>(list.ids + size_t{i} * kListedIdBytes));
            if (row == kNoRow) continue;
            if (list.rest.size == 0 || admits(rest, row_at(store, row))) select(selection, row);
        }
        return true;
    }
    for (uint32_t row = 0; row < store.row_count; ++row) {
        Row at = row_at(store, row);
        if (!is_dead(at) && admits(filter, at)) select(selection, row);
    }
    return true;
}

Admission admission_of(const Selection& selection) {
    auto asked = [](const void* bits, uint32_t row) {
        return has_bit(static_cast<const uint8_t*>(bits), row);
    };
    return {asked, selection.bits.data, selection.bits.data, selection.count};
}

void free_selection(Selection& selection) {
    free_buffer(selection.program);
    free_buffer(selection.bits);
}

} // namespace rvf
