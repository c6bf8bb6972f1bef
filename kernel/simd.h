// v128 SIMD for every build: the compiler's own header in wasm, SIMDe in native builds. Both give
// the same bits as long as nothing is contracted to fused multiply-add (-ffp-contract=off).
#pragma once

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

#define RVF_INLINE inline __attribute__((always_inline))
#define RVF_UNROLL _Pragma("clang loop unroll(full)")
#define RVF_NOINLINE __attribute__((noinline))
