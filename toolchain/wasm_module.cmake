# rvf_wasm_module(NAME budget SOURCES ... OPTIONS ... OPTIMIZE ... LINK ...)
#
# Builds rvf_NAME.wasm beside the build files: compile with OPTIONS, link with the exports of
# toolchain/exports/NAME.txt, OPTIMIZE with wasm-opt, strip; then compares the exports and prints the size report,
# which fails the build above `budget` bytes.
function(rvf_wasm_module name budget)
  cmake_parse_arguments(ARG "" "" "SOURCES;OPTIONS;OPTIMIZE;LINK" ${ARGN})
  set(exports ${PROJECT_SOURCE_DIR}/toolchain/exports/${name}.txt)
  file(STRINGS ${exports} lines REGEX "^rvf_")
  list(TRANSFORM lines REPLACE "^([a-z0-9_]+) .*" "--export=\\1")
  list(JOIN lines " " export_flags)
  list(JOIN ARG_LINK " " link_flags)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${exports})

  set(linked rvf_${name}_linked)
  set(map ${CMAKE_BINARY_DIR}/rvf_${name}.map)
  add_executable(${linked} ${ARG_SOURCES})
  target_include_directories(${linked} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${linked} PRIVATE ${RVF_WARNINGS} ${RVF_WASM_FLAGS} ${ARG_OPTIONS})
  set_target_properties(${linked} PROPERTIES
    SUFFIX .wasm LINK_FLAGS "--no-entry --gc-sections --stack-first --Map=${map} ${link_flags} ${export_flags}")

  set(named ${CMAKE_BINARY_DIR}/rvf_${name}_named.wasm)
  set(module ${CMAKE_BINARY_DIR}/rvf_${name}.wasm)
  add_custom_command(OUTPUT ${named} ${module}
    COMMAND ${RVF_WASM_OPT} -g ${ARG_OPTIMIZE} $<TARGET_FILE:${linked}> -o ${named}
    COMMAND ${RVF_WASM_OPT} --strip-debug --strip-producers --strip-target-features
            ${named} -o ${module}
    DEPENDS ${linked} VERBATIM)
  add_custom_target(rvf_${name} ALL
    COMMAND node ${PROJECT_SOURCE_DIR}/toolchain/report.mjs
            ${module} ${named} ${exports} ${budget} ${map}
    DEPENDS ${module} COMMENT "rvf_${name}.wasm" USES_TERMINAL VERBATIM)
endfunction()
