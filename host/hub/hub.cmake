# The hub's core with the kernel's own C++, as rvf_hub_native and rvf_hub_sanitized.
set(RVF_HUB_SOURCES
  host/hub/block_job.cpp
  host/hub/chip.cpp
  host/hub/crc32c.cpp
  host/hub/exchange.cpp
  host/hub/faults.cpp
  host/hub/invariants.cpp
  host/hub/jobs.cpp
  host/hub/local_tile.cpp
  host/hub/message.cpp
  host/hub/names.cpp
  host/hub/prepare.cpp
  host/hub/search_job.cpp
  host/hub/soak.cpp
  host/hub/stored.cpp
  host/hub/verify.cpp
  host/hub/wire.cpp)
if(EMSCRIPTEN)
  return() # host/web/web.cmake builds it
endif()

function(rvf_hub flavour)
  add_library(rvf_hub_${flavour} STATIC ${RVF_HUB_SOURCES})
  target_compile_options(rvf_hub_${flavour} PRIVATE ${RVF_WARNINGS} ${RVF_SAME_BITS})
  target_link_libraries(rvf_hub_${flavour} PUBLIC rvf_kernel_${flavour})
endfunction()

rvf_hub(native)
rvf_hub(sanitized)
