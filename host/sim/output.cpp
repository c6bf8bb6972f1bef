#include "host/sim/output.h"

#include <cerrno>
#include <cstring>

namespace rvf::sim {

Output::~Output() { close(); }

void Output::fail(const char* what) {
    if (error_.empty()) error_ = std::string(what) + " " + path_ + ": " + std::strerror(errno);
}

bool Output::open(const std::string& path) {
    path_ = path == "-" ? "standard output" : path;
    file_ = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
    if (!file_) fail("cannot create");
    return file_ != nullptr;
}

void Output::write(std::string_view text) {
    if (!file_ || !error_.empty()) return;
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail("cannot write");
}

bool Output::close() {
    if (file_) {
        bool flushed = std::fflush(file_) == 0;
        if (!flushed) fail("cannot write");
        if (file_ != stdout && std::fclose(file_) != 0) fail("cannot write");
        file_ = nullptr;
    }
    return error_.empty();
}

} // namespace rvf::sim
