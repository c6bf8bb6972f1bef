# rvf-sim, the program (docs/simulator.md). Needs rvf_hub_native, rvf_sim_read_native, rvf_sandbox_native.
find_file(RVF_NLOHMANN nlohmann/json.hpp)
if(NOT RVF_NLOHMANN)
  message(FATAL_ERROR "nlohmann/json.hpp is missing; on Debian: apt-get install nlohmann-json3-dev")
endif()

set(facts ${PROJECT_BINARY_DIR}/facts)
add_custom_command(OUTPUT ${facts}/kernel_facts.h
  COMMAND ${CMAKE_COMMAND} -D WASM=${RVF_WASM_BUILD}/rvf_kernel.wasm -D OUT=${facts}/kernel_facts.h
          -P ${PROJECT_SOURCE_DIR}/host/sim/kernel_facts.cmake
  DEPENDS ${RVF_WASM_BUILD}/rvf_kernel.wasm ${PROJECT_SOURCE_DIR}/host/sim/kernel_facts.cmake VERBATIM)

function(rvf_sim name flavour)
  set(sources check fault_ledger json kernel_budget main options output progress scenario_file soak summary text
    trace)
  list(TRANSFORM sources REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/host/sim/\\1.cpp")
  add_executable(${name} ${sources} ${facts}/kernel_facts.h)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
    OUTPUT_NAME $<IF:$<STREQUAL:${flavour},native>,rvf-sim,rvf-sim-${flavour}>)
  target_include_directories(${name} PRIVATE ${facts})
  target_compile_options(${name} PRIVATE ${RVF_WARNINGS} ${RVF_SAME_BITS})
  target_compile_definitions(${name} PRIVATE RVF_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} PRIVATE rvf_hub_${flavour} rvf_sim_read_${flavour}
    rvf_sandbox_${flavour})
endfunction()
rvf_sim(rvf_sim native)
rvf_sim(rvf_sim_sanitized sanitized)

# What tests/simulator/*.test.mjs run, under the sanitizers: every kind of fault, everything written.
set(example ${PROJECT_SOURCE_DIR}/tests/fixtures/upstream/security_hardened.rvf)
add_test(NAME simulator.program.sanitized WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  COMMAND rvf_sim_sanitized ${example} --query ${example} --queries 5 --check
    --scenario ${PROJECT_SOURCE_DIR}/host/sim/scenarios/failing-tiles.json
    --json=sanitized.json --trace sanitized-trace.json --log sanitized.log)
add_test(NAME simulator.soak.sanitized COMMAND rvf_sim_sanitized --soak 100)
set_tests_properties(simulator.program.sanitized simulator.soak.sanitized PROPERTIES
  TIMEOUT 300 LABELS simulator)
