# CMake toolchain for the hub in JavaScript: the Emscripten whose em++ is in PATH.
find_program(RVF_EMXX em++ REQUIRED)
file(REAL_PATH ${RVF_EMXX} real)
get_filename_component(EMSCRIPTEN_ROOT_PATH ${real} DIRECTORY)
include(${EMSCRIPTEN_ROOT_PATH}/cmake/Modules/Platform/Emscripten.cmake)
