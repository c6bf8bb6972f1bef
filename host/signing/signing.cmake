# rvf_signing_<flavour>: signatures of segments, by OpenSSL. With the options of rvf_control_<flavour>.
include(CheckIncludeFileCXX)
find_library(RVF_CRYPTO crypto)
check_include_file_cxx(openssl/evp.h RVF_HAS_OPENSSL)
if(NOT RVF_CRYPTO OR NOT RVF_HAS_OPENSSL)
  message(FATAL_ERROR "OpenSSL is missing; on Debian: apt-get install libssl-dev")
endif()

function(rvf_signing flavour)
  set(name rvf_signing_${flavour})
  add_library(${name} STATIC ${PROJECT_SOURCE_DIR}/host/signing/ed25519.cpp
    ${PROJECT_SOURCE_DIR}/host/signing/segments.cpp)
  target_compile_options(${name} PRIVATE ${RVF_WARNINGS})
  target_link_libraries(${name} PUBLIC rvf_control_${flavour} ${RVF_CRYPTO})
endfunction()
rvf_signing(native)
rvf_signing(sanitized)
