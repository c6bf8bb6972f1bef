// How rvf-sim ends.
#pragma once

#include <cstdio>
#include <string>

namespace rvf::sim {

enum ExitStatus : int {
    kAllRight = 0,
    kWrong = 1,       ///< a run ended with an error, or an answer is wrong
    kUsage = 2,       ///< the command line cannot be understood
    kRefused = 3,     ///< file, query, scenario or kernel
    kCannotWrite = 4, ///< a file or standard output
};

/// Bytes of files and arguments may be in `error`; a terminal is not to obey them.
inline int complain(std::string error, ExitStatus status) {
    for (char& c : error) {
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
    }
    std::fprintf(stderr, "rvf-sim: %s\n", error.c_str());
    return status;
}

} // namespace rvf::sim
