# Native builds of both modules and everything that tests them as C++. Three flavours, one source:
#   native     optimized: benches, differential tests
#   sanitized  address and undefined-behaviour sanitizers: unit tests
#   fuzzed     the same with libFuzzer's coverage: fuzzers
find_package(GTest REQUIRED)
include(GoogleTest)

set(RVF_FUZZ_SECONDS 40 CACHE STRING "How long ctest runs each fuzzer")
set(RVF_SANITIZERS -O1 -gline-tables-only -fno-omit-frame-pointer -fno-sanitize-recover=all)

# rvf_kernel_<flavour> and rvf_control_<flavour>, built with the options that follow.
function(rvf_flavour flavour)
  foreach(module kernel control)
    string(TOUPPER RVF_${module}_SOURCES sources)
    add_library(rvf_${module}_${flavour} STATIC ${${sources}})
    if(module STREQUAL "control")
      target_sources(rvf_control_${flavour} PRIVATE ${RVF_SEARCH_SOURCES})
    endif()
    target_include_directories(rvf_${module}_${flavour} PUBLIC ${PROJECT_SOURCE_DIR})
    target_compile_options(rvf_${module}_${flavour} PRIVATE ${RVF_WARNINGS} ${RVF_SAME_BITS}
      PUBLIC ${ARGN})
    target_link_options(rvf_${module}_${flavour} PUBLIC ${ARGN})
  endforeach()
endfunction()

rvf_flavour(native -O2)
rvf_flavour(sanitized ${RVF_SANITIZERS} -fsanitize=address,undefined)
# Tracing comparisons costs two thirds of the speed; the dictionary and the mutator know the values.
rvf_flavour(fuzzed ${RVF_SANITIZERS} -fsanitize=fuzzer-no-link,address,undefined
  -fno-sanitize-coverage=trace-cmp)

# A program of tests with the libraries that follow. GoogleTest's header, a third of compiling one of
# them, is compiled once for each.
function(rvf_tests name)
  target_compile_options(${name} PRIVATE ${RVF_WARNINGS})
  target_precompile_headers(${name} PRIVATE <gtest/gtest.h>)
  target_link_libraries(${name} PRIVATE ${ARGN} GTest::gtest_main)
endfunction()

include(${PROJECT_SOURCE_DIR}/host/sandbox/sandbox.cmake)
include(${PROJECT_SOURCE_DIR}/host/hub/hub.cmake)

# --- Unit tests ---

set(RVF_UNIT_TESTS
  beam branch commit compaction container content_hash crash crc cut distance export filter flip graph
  half hamming handle hnsw hnsw_codes hostile index index_changes index_segment init inspect kept lineage manifest metadata model
  open out_of_memory outside_rows protocol quantize red_zone salvage search search_codes signature sq8 store taken_file topk
  witness)
list(TRANSFORM RVF_UNIT_TESTS REPLACE "(.+)" "tests/unit/\\1_test.cpp" OUTPUT_VARIABLE unit_sources)
add_executable(rvf_unit_tests ${unit_sources})
rvf_tests(rvf_unit_tests rvf_kernel_sanitized rvf_control_sanitized)
target_compile_definitions(rvf_unit_tests PRIVATE
  RVF_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures/upstream"
  RVF_GOLDEN="${PROJECT_SOURCE_DIR}/tests/protocol/golden")
gtest_discover_tests(rvf_unit_tests PROPERTIES TIMEOUT 120 LABELS unit)

# --- Fuzzers (tests/fuzz/README.md) ---

find_program(RVF_SYMBOLIZER NAMES llvm-symbolizer-19 llvm-symbolizer)

# A run is the same everywhere, for as long as it lasts: the inputs come in the order of their names, the seed is
# always 1, and nothing of an earlier run is read. Crashes go to the build folder.
function(rvf_fuzzer name module max_length)
  set(work ${PROJECT_BINARY_DIR}/fuzz/${name})
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}/*)
  list(JOIN inputs "," inputs)
  file(WRITE ${work}/inputs "${inputs}")
  add_executable(${name}_fuzzer tests/fuzz/${name}_fuzzer.cpp)
  target_compile_options(${name}_fuzzer PRIVATE ${RVF_WARNINGS})
  target_link_libraries(${name}_fuzzer PRIVATE ${module})
  target_link_options(${name}_fuzzer PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz.${name} WORKING_DIRECTORY ${work}
    COMMAND ${name}_fuzzer -max_total_time=${RVF_FUZZ_SECONDS} -max_len=${max_length}
      -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 ${ARGN}
      -seed=1 -seed_inputs=@inputs)
  math(EXPR most "${RVF_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${most}
    ENVIRONMENT "ASAN_SYMBOLIZER_PATH=${RVF_SYMBOLIZER}")
endfunction()

rvf_fuzzer(open rvf_control_fuzzed 4096 -dict=${PROJECT_SOURCE_DIR}/tests/fuzz/open.dict)
rvf_fuzzer(filter rvf_control_fuzzed 1024)
rvf_fuzzer(index rvf_control_fuzzed 4096)
rvf_fuzzer(metadata rvf_control_fuzzed 2048)
rvf_fuzzer(witness rvf_control_fuzzed 2048)
rvf_fuzzer(kernel rvf_kernel_fuzzed 4096)

add_executable(fuzz_seeds EXCLUDE_FROM_ALL tests/fuzz/write_seeds.cpp)
target_compile_options(fuzz_seeds PRIVATE ${RVF_WARNINGS})
target_link_libraries(fuzz_seeds PRIVATE rvf_control_sanitized)

include(${PROJECT_SOURCE_DIR}/tests/differential/differential.cmake)
include(${PROJECT_SOURCE_DIR}/tests/sandbox/sandbox.cmake)
include(${PROJECT_SOURCE_DIR}/tests/hub/hub.cmake)
include(${PROJECT_SOURCE_DIR}/host/signing/signing.cmake)
include(${PROJECT_SOURCE_DIR}/tests/signing/signing.cmake)
include(${PROJECT_SOURCE_DIR}/host/sim/sim_read.cmake)
include(${PROJECT_SOURCE_DIR}/host/sim/sim.cmake)
include(${PROJECT_SOURCE_DIR}/tests/simulator/sift.cmake)
include(${PROJECT_SOURCE_DIR}/tests/simulator/web.cmake)
include(${PROJECT_SOURCE_DIR}/bench/bench.cmake)
