# The tests of host/sandbox, optimized and sanitized: signals and jumps are where the two differ.
foreach(flavour native sanitized)
  set(name rvf_sandbox_tests_${flavour})
  set(sources deadline foreign_fault many_tiles same_bits trap)
  list(TRANSFORM sources REPLACE "(.+)" "tests/sandbox/\\1_test.cpp")
  add_executable(${name} ${sources})
  rvf_tests(${name} rvf_sandbox_${flavour} rvf_kernel_${flavour})
  gtest_discover_tests(${name} TEST_PREFIX sandbox.${flavour}. PROPERTIES TIMEOUT 120
    LABELS sandbox)
endforeach()
