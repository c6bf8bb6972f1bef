# cmake -D WASM=rvf_kernel.wasm -D OUT=kernel_facts.h -P kernel_facts.cmake
file(SIZE ${WASM} bytes)
file(SHA256 ${WASM} digest)
file(WRITE ${OUT} "// Made by host/sim/kernel_facts.cmake.
#pragma once
constexpr unsigned kBuiltKernelBytes = ${bytes};
constexpr char kBuiltKernelSha256[] = \"${digest}\";
")
