// A file, or standard output, that is written piece by piece.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace rvf::sim {

class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output();

    /// "-" is standard output. False: see error().
    bool open(const std::string& path);
    void write(std::string_view text);

    /// Whether everything has arrived. After this nothing can be written.
    bool close();

    bool is_open() const { return file_ != nullptr; }

    /// Why open or close answered false, for people.
    const std::string& error() const { return error_; }

private:
    void fail(const char* what);

    std::FILE* file_ = nullptr;
    std::string path_;
    std::string error_;
};

} // namespace rvf::sim
