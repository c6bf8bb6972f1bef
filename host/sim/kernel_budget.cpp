#include "host/sim/kernel_budget.h"

#include <vector>

#include "control/sha256.h"
#include "host/sim/read.h"
#include "host/sim/text.h"
#include "kernel_facts.h" // made by kernel_facts.cmake

namespace rvf::sim {

namespace {

std::string check_size(const std::string& name, uint64_t bytes) {
    if (bytes > kTileCode) {
        return name + " has " + grouped(bytes) + " bytes; the code memory of a tile has " +
               grouped(kTileCode);
    }
    if (bytes > kKernelBudget) {
        return name + " has " + grouped(bytes) + " bytes; its budget is " + grouped(kKernelBudget) +
               " of the " + grouped(kTileCode) + " that a tile has for code";
    }
    return "";
}

std::string hex_digest(const std::vector<uint8_t>& bytes) {
    uint8_t digest[32];
    sha256({bytes.data(), bytes.size()}, digest);
    std::string text;
    for (uint8_t byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

} // namespace

std::string check_built_kernel() {
    return check_size("the kernel inside this program", kBuiltKernelBytes);
}

std::string check_kernel(const std::string& path) {
    std::vector<uint8_t> bytes;
    std::string wrong = read_bytes(path, bytes);
    if (!wrong.empty()) return wrong;
    constexpr uint8_t kMagic[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    if (bytes.size() < sizeof(kMagic) || !std::equal(kMagic, std::end(kMagic), bytes.begin())) {
        return path + " is not a WebAssembly module";
    }
    wrong = check_size(path, bytes.size());
    if (wrong.empty() && hex_digest(bytes) != kBuiltKernelSha256) {
        wrong = path + " is not the kernel inside this program (" + built_kernel() +
                "); build rvf-sim with -DRVF_WASM_BUILD=<folder of that module>";
    }
    return wrong;
}

std::string built_kernel() {
    return grouped(kBuiltKernelBytes) + " bytes, sha256 " +
           std::string(kBuiltKernelSha256).substr(0, 16);
}

} // namespace rvf::sim
