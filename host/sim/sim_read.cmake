# rvf_sim_read_<flavour>: files, graphs, queries and profiles for the simulator.
include(CheckIncludeFileCXX)
foreach(library lz4 zstd)
  string(TOUPPER ${library} upper)
  find_library(RVF_${upper} ${library})
  check_include_file_cxx(${library}.h RVF_HAS_${upper}_H)
  if(NOT RVF_${upper} OR NOT RVF_HAS_${upper}_H)
    message(FATAL_ERROR "lib${library} is missing; on Debian: apt-get install lib${library}-dev")
  endif()
endforeach()

# rvf_sim_read_<flavour>, with the options of rvf_control_<flavour>.
function(rvf_sim_read flavour)
  set(name rvf_sim_read_${flavour})
  set(sources lz4_codec profile profile_facts read read_bytes read_expand read_graph read_parent
    read_queries read_texts read_vecs)
  list(TRANSFORM sources REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/host/sim/\\1.cpp")
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${RVF_WARNINGS} ${RVF_SAME_BITS})
  target_link_libraries(${name} PUBLIC rvf_control_${flavour} ${RVF_LZ4} ${RVF_ZSTD})
endfunction()
rvf_sim_read(native)
rvf_sim_read(sanitized)

set(sources lz4 profile read read_expand read_graph read_queries)
list(TRANSFORM sources REPLACE "(.+)" "tests/simulator/\\1_test.cpp")
add_executable(rvf_sim_read_tests ${sources})
rvf_tests(rvf_sim_read_tests rvf_sim_read_sanitized rvf_kernel_sanitized)
target_compile_definitions(rvf_sim_read_tests PRIVATE
  RVF_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures/upstream")
gtest_discover_tests(rvf_sim_read_tests TEST_PREFIX simulator.read. PROPERTIES TIMEOUT 120
  LABELS simulator)
