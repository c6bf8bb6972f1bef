#include "host/sim/read_vecs.h"

#include <cctype>
#include <cmath>

#include "control/control.h"

namespace rvf::sim {
namespace {

bool ends_with(const std::string& path, const char* ending) {
    std::string end = ending;
    if (path.size() < end.size()) return false;
    for (size_t i = 0; i < end.size(); ++i) {
        auto c = static_cast<unsigned char>(path[path.size() - end.size() + i]);
        if (std::tolower(c) != end[i]) return false;
    }
    return true;
}

constexpr const char* kFloats = ".fvecs";
constexpr const char* kBytes = ".bvecs";

} // namespace

bool is_vecs_path(const std::string& path) {
    return ends_with(path, kFloats) || ends_with(path, kBytes);
}

std::string parse_vecs(const std::string& path, Bytes bytes, Vecs& vecs) {
    bool floats = ends_with(path, kFloats);
    vecs = {};
    if (!bytes.holds(0, 4)) return path + " holds no vectors";
    vecs.dimension = load<uint32_t>(bytes.data);
    if (vecs.dimension < 1 || vecs.dimension > kMaxDimension) {
        return path + " begins with a dimension of " +
               std::to_string(static_cast<int32_t>(vecs.dimension)) +
               "; a file of raw vectors begins with one of 1 to 65535";
    }
    size_t row_bytes = 4 + size_t{vecs.dimension} * (floats ? 4 : 1);
    if (bytes.size % row_bytes) {
        return path + " is cut off or of another kind: " + std::to_string(bytes.size) +
               " bytes are no whole number of vectors of " + std::to_string(row_bytes) + " bytes";
    }
    size_t count = bytes.size / row_bytes;
    vecs.rows.reserve(count * vecs.dimension);
    for (size_t row = 0; row < count; ++row) {
        const uint8_t* at = bytes.data + row * row_bytes;
        if (load<uint32_t>(at) != vecs.dimension) {
            return path + ": vector " + std::to_string(row) +
                   " has another dimension than the first";
        }
        for (uint32_t d = 0; d < vecs.dimension; ++d) {
            float value =
                floats ? load<float>(at + 4 + 4 * size_t{d}) : static_cast<float>(at[4 + d]);
            if (!std::isfinite(value)) {
                return path + ": vector " + std::to_string(row) + " holds NaN or an infinity";
            }
            vecs.rows.push_back(value);
        }
    }
    return "";
}

} // namespace rvf::sim
