# CMake toolchain for the two modules: freestanding wasm32, no sysroot needed.
# Takes Debian's clang-19 and lld-19, or the clang of a WASI SDK when WASI_SDK_PATH is set (as a CMake
# variable or in the environment).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WASI_SDK_PATH)

if(NOT WASI_SDK_PATH AND DEFINED ENV{WASI_SDK_PATH})
  set(WASI_SDK_PATH "$ENV{WASI_SDK_PATH}" CACHE PATH "WASI SDK root")
endif()
if(WASI_SDK_PATH)
  set(search HINTS "${WASI_SDK_PATH}/bin" NO_DEFAULT_PATH)
  set(suffix "")
else()
  set(search "")
  set(suffix -19)
endif()

find_program(RVF_CLANG clang++${suffix} ${search} REQUIRED)
find_program(RVF_WASM_LD wasm-ld${suffix} ${search} REQUIRED)
find_program(CMAKE_AR llvm-ar${suffix} ${search} REQUIRED)
find_program(CMAKE_RANLIB llvm-ranlib${suffix} ${search} REQUIRED)
set(CMAKE_CXX_COMPILER ${RVF_CLANG})
set(CMAKE_CXX_COMPILER_TARGET wasm32-unknown-unknown)
set(CMAKE_CXX_STANDARD_LIBRARIES "")

# The linker is called directly: clang would run whatever wasm-opt it finds in PATH after linking.
set(CMAKE_CXX_LINK_EXECUTABLE "${RVF_WASM_LD} <LINK_FLAGS> <OBJECTS> <LINK_LIBRARIES> -o <TARGET>")
