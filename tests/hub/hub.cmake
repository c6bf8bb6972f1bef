# The tests of host/hub on real sandboxed tiles, optimized and sanitized.
foreach(flavour native sanitized)
  set(name rvf_hub_tests_${flavour})
  set(sources acceptance faults invariants message refusal)
  list(TRANSFORM sources REPLACE "(.+)" "tests/hub/\\1_test.cpp")
  add_executable(${name} ${sources})
  rvf_tests(${name} rvf_hub_${flavour} rvf_sandbox_${flavour})
  gtest_discover_tests(${name} TEST_PREFIX hub.${flavour}. PROPERTIES TIMEOUT 300 LABELS hub)
endforeach()
