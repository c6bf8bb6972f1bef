/* What C translated by wasm2c 1.0.39 expects of its runtime: types, switches and eight functions,
 * in the names that it uses. wabt's npm package has the translator only, so the runtime is ours
 * (runtime.cpp). Bounds are checked by guard pages, recursion by a counter. */
#ifndef RVF_HOST_SANDBOX_WASM_RT_H
#define RVF_HOST_SANDBOX_WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || UINTPTR_MAX < UINT64_MAX
#error "The sandbox needs a little-endian 64-bit machine: 8 GiB of address space per tile."
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define WABT_BIG_ENDIAN 0
#define WASM_RT_MEMCHECK_GUARD_PAGES 1
#define WASM_RT_STACK_DEPTH_COUNT 1
/* Calls deep. A frame of translated code is a few hundred bytes, so that this many fit the stack of
 * any thread, sanitized or not. */
#define WASM_RT_MAX_CALL_STACK_DEPTH 1000
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_SANITY_CHECKS 0

#define wasm_rt_memcpy memcpy

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128 } wasm_rt_type_t;

typedef enum {
    WASM_RT_TRAP_OOB = 1,
    WASM_RT_TRAP_INT_OVERFLOW,
    WASM_RT_TRAP_DIV_BY_ZERO,
    WASM_RT_TRAP_INVALID_CONVERSION,
    WASM_RT_TRAP_UNREACHABLE,
    WASM_RT_TRAP_CALL_INDIRECT,
    WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

/* A linear memory. Its bytes follow the header, so that translated code finds them without loading
 * a pointer that it would have to load again after every store. Such a struct lies in a reservation
 * (reservation.h): the header ends where a page ends, then comes the memory, then nothing that
 * could be accessed. */
typedef struct {
    uint64_t size;
    uint64_t unused; /* alignment of `data` */
    uint8_t data[];
} wasm_rt_memory_t;

/* Tables. The kernel has none; the translated code declares helpers for them all the same. */
typedef const char* wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct wasm_rt_tailcallee_t {
    void (*fn)(void** instance, void* stack, struct wasm_rt_tailcallee_t* next);
} wasm_rt_tailcallee_t;
typedef struct {
    wasm_rt_func_type_t func_type;
    wasm_rt_function_ptr_t func;
    wasm_rt_tailcallee_t func_tailcallee;
    void* module_instance;
} wasm_rt_funcref_t;
typedef void* wasm_rt_externref_t;
typedef struct {
    wasm_rt_funcref_t* data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_funcref_table_t;
typedef struct {
    wasm_rt_externref_t* data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_externref_table_t;
#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){NULL, NULL, {NULL}, NULL})
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)NULL)

extern __thread uint32_t wasm_rt_call_stack_depth;

bool wasm_rt_is_initialized(void);
void wasm_rt_trap(wasm_rt_trap_t trap) __attribute__((noreturn));

/* The memory is there already: it is the reservation that `memory` lies in. */
void wasm_rt_allocate_memory(wasm_rt_memory_t* memory, uint64_t pages, uint64_t max_pages,
                             bool is64, uint32_t page_bytes);
void wasm_rt_free_memory(wasm_rt_memory_t* memory);

#ifdef __cplusplus
}
#endif

#endif
