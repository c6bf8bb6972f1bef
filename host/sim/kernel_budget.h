// The kernel that this program was built with, and what a tile has room for.
#pragma once

#include <cstdint>
#include <string>

namespace rvf::sim {

constexpr uint64_t kKernelBudget = 5500; ///< bytes that rvf_kernel.wasm may have
constexpr uint64_t kTileCode = 8192;     ///< bytes of a tile's code memory

/// Empty, or why the kernel inside this program is too large for a tile.
std::string check_built_kernel();

/// Empty, or why tiles cannot run the module at `path`: it cannot be read, is none, is too large,
/// or is another one than that inside this program.
std::string check_kernel(const std::string& path);

/// Its size and SHA-256, for --version.
std::string built_kernel();

} // namespace rvf::sim
