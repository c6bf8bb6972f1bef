#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "host/sim/read.h"

namespace rvf::sim {

std::string read_bytes(const std::string& path, std::vector<uint8_t>& bytes) {
    std::error_code code;
    auto kind = std::filesystem::status(path, code).type();
    if (kind == std::filesystem::file_type::not_found) return "there is no file " + path;
    if (kind == std::filesystem::file_type::directory) return path + " is a folder, not a file";
    if (kind != std::filesystem::file_type::regular) return path + " is not a regular file";
    uint64_t size = std::filesystem::file_size(path, code);
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(path.c_str(), "rb"),
                                                           std::fclose);
    if (code || !stream) return path + " cannot be read: " + std::strerror(errno);
    bytes.resize(size);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), stream.get()));
    if (std::ferror(stream.get())) return path + " cannot be read: " + std::strerror(errno);
    return "";
}

} // namespace rvf::sim
