# wasm: the yardstick module that sums the store's memory. native: the tile's distance loop with SSE.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "wasm32")
  add_executable(bench_sum bench/sum.cpp)
  target_include_directories(bench_sum PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(bench_sum PRIVATE ${RVF_WARNINGS} ${RVF_WASM_FLAGS} -O2)
  set_target_properties(bench_sum PROPERTIES SUFFIX .wasm
    LINK_FLAGS "--no-entry --import-memory --export=sum_f32 -z stack-size=0")
else()
  add_executable(bench_distance bench/distance.cpp)
  target_link_libraries(bench_distance PRIVATE rvf_kernel_native)
  target_compile_options(bench_distance PRIVATE ${RVF_WARNINGS})
endif()
