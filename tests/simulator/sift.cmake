# Searches over real vectors, with the readers of the simulator and tiles in sandboxes.
add_executable(rvf_sift_tests tests/simulator/sift_test.cpp)
target_compile_options(rvf_sift_tests PRIVATE ${RVF_WARNINGS})
target_compile_definitions(rvf_sift_tests PRIVATE
  RVF_SIFT="${PROJECT_SOURCE_DIR}/tests/fixtures/sift10k/base.bvecs")
target_link_libraries(rvf_sift_tests PRIVATE rvf_sim_read_native rvf_hub_native rvf_sandbox_native
  GTest::gtest_main)
gtest_discover_tests(rvf_sift_tests TEST_PREFIX simulator. PROPERTIES TIMEOUT 120
  LABELS simulator)
