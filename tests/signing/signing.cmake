# The tests of host/signing, and the native half of tests/signing/cross.test.mjs.
add_executable(rvf_signing_tests tests/signing/ed25519_test.cpp tests/signing/segments_test.cpp)
rvf_tests(rvf_signing_tests rvf_signing_sanitized)
gtest_discover_tests(rvf_signing_tests TEST_PREFIX signing. PROPERTIES TIMEOUT 120 LABELS signing)

add_executable(signing_peer tests/signing/peer.cpp)
target_compile_options(signing_peer PRIVATE ${RVF_WARNINGS})
target_link_libraries(signing_peer PRIVATE rvf_signing_native)
set_target_properties(signing_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
