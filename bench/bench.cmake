# wasm: the yardstick module that sums the store's memory. native: the tile's distance loop with SSE,
# and the module in the simulator's sandbox.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "wasm32")
  add_executable(bench_sum bench/sum.cpp)
  target_include_directories(bench_sum PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(bench_sum PRIVATE ${RVF_WARNINGS} ${RVF_WASM_FLAGS} -O2)
  set_target_properties(bench_sum PROPERTIES SUFFIX .wasm
    LINK_FLAGS "--no-entry --import-memory --export=sum_f32 -z stack-size=0")

  # Graph search and search by codes, until rvf_control.wasm exports them.
  foreach(name hnsw codes)
    add_executable(bench_${name} bench/${name}_wasm.cpp ${RVF_CONTROL_SOURCES})
    target_include_directories(bench_${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(bench_${name} PRIVATE ${RVF_WARNINGS} ${RVF_WASM_FLAGS} -O2)
    set_target_properties(bench_${name} PROPERTIES SUFFIX .wasm
      LINK_FLAGS "--no-entry --gc-sections --stack-first --export-dynamic -z stack-size=16384")
  endforeach()
else()
  add_executable(bench_distance bench/distance.cpp)
  target_link_libraries(bench_distance PRIVATE rvf_kernel_native)
  target_compile_options(bench_distance PRIVATE ${RVF_WARNINGS})

  add_executable(bench_instructions bench/instructions.cpp)
  target_link_libraries(bench_instructions PRIVATE rvf_kernel_native)
  target_compile_options(bench_instructions PRIVATE ${RVF_WARNINGS})

  add_executable(bench_tile bench/tile.cpp)
  target_link_libraries(bench_tile PRIVATE rvf_sandbox_native)
  target_compile_options(bench_tile PRIVATE ${RVF_WARNINGS})

  add_executable(bench_hnsw bench/hnsw.cpp)
  target_link_libraries(bench_hnsw PRIVATE rvf_control_native)
  target_compile_options(bench_hnsw PRIVATE ${RVF_WARNINGS})

  # The same program around hnswlib (libhnswlib-dev), when it is there.
  find_path(RVF_HNSWLIB hnswlib/hnswlib.h)
  if(RVF_HNSWLIB)
    foreach(name bench_hnswlib bench_hnswlib_native)
      add_executable(${name} EXCLUDE_FROM_ALL bench/hnsw.cpp)
      target_compile_definitions(${name} PRIVATE RVF_HNSWLIB)
      target_include_directories(${name} SYSTEM PRIVATE ${RVF_HNSWLIB})
      target_compile_options(${name} PRIVATE -O3)
    endforeach()
    target_compile_options(bench_hnswlib_native PRIVATE -march=native)
    add_custom_target(bench_hnswlib_both DEPENDS bench_hnswlib bench_hnswlib_native)

    # The same library as a process of bench/peers.
    foreach(name bench_peer_hnswlib bench_peer_hnswlib_native)
      add_executable(${name} EXCLUDE_FROM_ALL bench/peers/hnswlib.cpp)
      target_include_directories(${name} SYSTEM PRIVATE ${RVF_HNSWLIB})
      target_compile_options(${name} PRIVATE ${RVF_WARNINGS} -O3)
    endforeach()
    target_compile_options(bench_peer_hnswlib_native PRIVATE -march=native)
    add_custom_target(bench_peers DEPENDS bench_peer_hnswlib bench_peer_hnswlib_native)
  endif()
endif()
