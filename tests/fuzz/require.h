// What fuzzers check: a condition that fails ends the run and leaves the input behind.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REQUIRE(condition)                                                                 \
    do {                                                                                   \
        if (condition) break;                                                              \
        std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
        std::abort();                                                                      \
    } while (false)
