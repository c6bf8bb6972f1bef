# The native half of tests/simulator/web-hub.test.mjs.
add_executable(rvf_web_peer tests/simulator/web_peer.cpp host/web/texts.cpp
  host/sim/scenario_file.cpp host/sim/text.cpp)
target_link_libraries(rvf_web_peer PRIVATE rvf_hub_native rvf_sandbox_native)
target_compile_options(rvf_web_peer PRIVATE ${RVF_WARNINGS} ${RVF_SAME_BITS})
set_target_properties(rvf_web_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
