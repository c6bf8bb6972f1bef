// Filters: which rows an answer or a deletion may take (docs/format.md, "Filters"). A filter is a
// program for a stack of truth values; it is checked once and then run on many rows.
//
//   eq ne lt le gt ge   operator u8, field u16, value          push
//   in                  operator u8, field u16, count u32, values
//   range               operator u8, field u16, low value, high value: low <= x < high
//   and or              operator u8                            two become one
//   not                 operator u8
//
// Values are those of metadata.h. Values of different types never compare: eq and the orders are
// false then, ne is true; so it is with a field that the row does not have.
#pragma once

#include "control/admission.h"
#include "control/metadata.h"

namespace rvf {

enum FilterOperator : uint8_t {
    kEqual = 0,
    kNotEqual = 1,
    kLess = 2,
    kLessOrEqual = 3,
    kGreater = 4,
    kGreaterOrEqual = 5,
    kIn = 6,
    kRange = 7,
    kAnd = 0x10,
    kOr = 0x11,
    kNot = 0x12,
};

/// Whether a program is sound and leaves one value; at most 64 are on the stack at a time.
bool is_filter(Bytes program);

/// A sound program for the rows of a store.
struct Filter {
    Bytes program;
    const Store& store;
};

/// Runs a filter on a row.
bool admits(const Filter& filter, const Row& row);

/// What a search asks; `filter` must stay. An empty program admits all.
Admission admission_of(const Filter& filter);

} // namespace rvf
