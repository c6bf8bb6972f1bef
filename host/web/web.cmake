# rvf_hub.mjs and rvf_hub.wasm: the hub's core for JavaScript (hub.mjs). Its local tile is the kernel's own
# C++; its other tiles are instances of rvf_kernel.wasm, which it does not need to be built.
include(host/hub/hub.cmake)

# Emscripten's own headers must come first, so of the system's folder it sees nothing but this library.
find_path(RVF_NLOHMANN_FOLDER nlohmann/json.hpp PATHS /usr/local/include /usr/include
  NO_CMAKE_FIND_ROOT_PATH)
if(NOT RVF_NLOHMANN_FOLDER)
  message(FATAL_ERROR "nlohmann/json.hpp is missing; on Debian: apt-get install nlohmann-json3-dev")
endif()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${RVF_NLOHMANN_FOLDER}/nlohmann ${PROJECT_BINARY_DIR}/include/nlohmann SYMBOLIC)

add_executable(rvf_hub ${RVF_HUB_SOURCES} ${RVF_KERNEL_SOURCES}
  host/sim/scenario_file.cpp host/sim/text.cpp
  host/web/hub.cpp host/web/texts.cpp host/web/web_tiles.cpp)
set_target_properties(rvf_hub PROPERTIES SUFFIX .mjs)
target_include_directories(rvf_hub PRIVATE ${PROJECT_SOURCE_DIR})
target_include_directories(rvf_hub SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/include)
# Only the JSON library throws. Sizes have 32 bits here; numbers that index something fit.
target_compile_options(rvf_hub PRIVATE ${RVF_WARNINGS} -Wno-shorten-64-to-32 ${RVF_SAME_BITS}
  -O2 -msimd128 -fwasm-exceptions)
# Whoever loads it hands over the bytes of rvf_hub.wasm, so the environment does not matter; with "node"
# Emscripten 3.1.6 makes a file that Node cannot load.
target_link_options(rvf_hub PRIVATE -O2 -fwasm-exceptions --bind -sMODULARIZE -sEXPORT_ES6
  -sENVIRONMENT=web,worker -sDYNAMIC_EXECUTION=0 -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH)
