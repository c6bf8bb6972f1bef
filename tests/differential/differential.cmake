# The native half of tests/differential: runs the same operations as the modules and writes what comes
# out of them.
add_executable(differential_peer tests/differential/peer.cpp)
target_link_libraries(differential_peer PRIVATE rvf_kernel_native rvf_control_native)
target_compile_options(differential_peer PRIVATE ${RVF_WARNINGS})
set_target_properties(differential_peer PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
