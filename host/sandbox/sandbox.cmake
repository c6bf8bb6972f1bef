# wasm: saboteur.wasm. native: rvf_kernel.wasm and saboteur.wasm, translated to C and linked with their
# runtime, as rvf_sandbox_native and rvf_sandbox_sanitized.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "wasm32")
  add_executable(saboteur host/sandbox/saboteur.cpp)
  target_compile_options(saboteur PRIVATE ${RVF_WARNINGS} ${RVF_WASM_FLAGS}
    -Wno-infinite-recursion -O1)
  target_include_directories(saboteur PRIVATE ${PROJECT_SOURCE_DIR})
  set(link_flags --no-entry --strip-all --import-memory
    --initial-memory=131072 --max-memory=131072 -z stack-size=0)
  foreach(export out_of_bounds unreachable exhaust_stack loop_forever write_red_zone)
    list(APPEND link_flags --export=${export})
  endforeach()
  list(JOIN link_flags " " link_flags)
  set_target_properties(saboteur PROPERTIES SUFFIX .wasm LINK_FLAGS "${link_flags}")
  return()
endif()

set(RVF_WASM_BUILD ${PROJECT_SOURCE_DIR}/build/wasm CACHE PATH
  "Where the modules were built (cmake --preset wasm), for the sandboxes that run them")
find_program(RVF_WASM2C wasm2c HINTS ${PROJECT_SOURCE_DIR}/node_modules/.bin
  NO_DEFAULT_PATH REQUIRED)
# A .c file; the preset says which compiler.
enable_language(C)

# NAME.wasm -> translated/NAME.c and NAME.h
set(RVF_TRANSLATE ${PROJECT_SOURCE_DIR}/host/sandbox/translate.cmake)
set(RVF_TRANSLATED ${PROJECT_BINARY_DIR}/translated)
file(MAKE_DIRECTORY ${RVF_TRANSLATED})
function(rvf_translate name wasm)
  if(NOT EXISTS ${wasm})
    message(WARNING "${wasm} is missing, so what runs tiles cannot be built. Build the modules "
      "first (cmake --preset wasm && cmake --build --preset wasm); if they are elsewhere, say so "
      "with -DRVF_WASM_BUILD=<folder>.")
  endif()
  add_custom_command(OUTPUT ${RVF_TRANSLATED}/${name}.c ${RVF_TRANSLATED}/${name}.h
    COMMAND ${CMAKE_COMMAND} -D WASM2C=${RVF_WASM2C} -D NAME=${name} -D WASM=${wasm}
            -D OUT=${RVF_TRANSLATED}/${name}.c -P ${RVF_TRANSLATE}
    DEPENDS ${wasm} ${RVF_TRANSLATE} COMMENT "wasm2c ${wasm}" VERBATIM)
endfunction()
rvf_translate(kernel ${RVF_WASM_BUILD}/rvf_kernel.wasm)
rvf_translate(saboteur ${RVF_WASM_BUILD}/saboteur.wasm)

set(translated_sources ${RVF_TRANSLATED}/kernel.c ${RVF_TRANSLATED}/saboteur.c)
set(translated_options -w -fno-math-errno)
# What engines ask of a processor too: SSE 4.1 has most of wasm's SIMD instructions.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND translated_options -march=x86-64-v2)
endif()
# As V8 does. Without it the speed of the short loops depends by a third on where they happen to lie.
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  list(APPEND translated_options -mllvm -unroll-count=4)
endif()
set_source_files_properties(${translated_sources} PROPERTIES
  COMPILE_OPTIONS "${translated_options}")

# rvf_sandbox_<flavour>, built with the options that follow.
function(rvf_sandbox flavour)
  set(name rvf_sandbox_${flavour})
  add_library(${name} STATIC ${translated_sources}
    ${RVF_TRANSLATED}/kernel.h ${RVF_TRANSLATED}/saboteur.h
    host/sandbox/guard.cpp host/sandbox/reservation.cpp host/sandbox/sandbox_tiles.cpp
    host/sandbox/watchdog.cpp)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}
    PRIVATE ${PROJECT_SOURCE_DIR}/host/sandbox ${PROJECT_BINARY_DIR})
  target_compile_options(${name} PRIVATE ${RVF_SAME_BITS} $<$<COMPILE_LANGUAGE:CXX>:${RVF_WARNINGS}>
    PUBLIC ${ARGN})
  target_link_options(${name} PUBLIC ${ARGN})
endfunction()
rvf_sandbox(native -O2)
rvf_sandbox(sanitized ${RVF_SANITIZERS} -fsanitize=address,undefined)
