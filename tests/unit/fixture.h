// Files of upstream's tools, and bytes in hexadecimal.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/support.h"

namespace rvf::test {

inline Buffer fixture(const char* name) {
    std::ifstream stream(std::string(RVF_FIXTURES "/") + name, std::ios::binary);
    EXPECT_TRUE(stream) << name;
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline Buffer from_hex(const char* text) {
    Buffer bytes;
    for (; text[0]; text += 2) {
        bytes.push_back(static_cast<uint8_t>(std::stoul(std::string(text, 2), nullptr, 16)));
    }
    return bytes;
}

} // namespace rvf::test
