# Searches over real vectors, with the readers of the simulator and tiles in sandboxes.
add_executable(rvf_sift_tests tests/simulator/sift_test.cpp)
rvf_tests(rvf_sift_tests rvf_sim_read_native rvf_hub_native rvf_sandbox_native)
target_compile_definitions(rvf_sift_tests PRIVATE
  RVF_SIFT="${PROJECT_SOURCE_DIR}/tests/fixtures/sift10k/base.bvecs")
gtest_discover_tests(rvf_sift_tests TEST_PREFIX simulator. PROPERTIES TIMEOUT 120
  LABELS simulator)
