# Flags shared by every target, and elb_module().
add_library(elb_flags INTERFACE)
target_compile_options(elb_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wthread-safety -Werror
  -fno-omit-frame-pointer -fstack-protector-strong
  -Wno-missing-field-initializers)
target_compile_definitions(elb_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(elb_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_options(elb_flags INTERFACE -fuse-ld=mold -Wl,-z,relro,-z,now)

if(ELB_SANITIZE)
  target_compile_options(elb_flags INTERFACE -fsanitize=${ELB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(elb_flags INTERFACE -fsanitize=${ELB_SANITIZE})
  target_compile_definitions(elb_flags INTERFACE ELB_SANITIZED=1)
else()
  target_compile_options(elb_flags INTERFACE "$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>")
endif()
if(ELB_FUZZ)
  target_compile_options(elb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

set(ELB_SYMBOLIZER /usr/bin/llvm-symbolizer-19)
set(ELB_TEST_ENVIRONMENT
  "ASAN_SYMBOLIZER_PATH=${ELB_SYMBOLIZER};TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp;UBSAN_OPTIONS=print_stacktrace=1")

# Runs with every build, whatever its target; a finding breaks the build.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_custom_target(check_includes ALL
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/check_includes.py
  COMMENT "Checking includes and sizes" VERBATIM)

# elb_module(<name> DEPENDS <modules> LINK <libraries> TEST_LINK <modules or libraries>)
# One folder under src/ is one library, one namespace and one test binary: every *.cc below the
# folder is in the library, every *_test.cc in the test binary <name>_test; a main.cc is neither. The
# library's dependencies are checked against `ALLOWED` in tools/check_includes.py at every build.
function(elb_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;TEST_LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS *.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(^|/)main\\.cc$")
  list(TRANSFORM ARG_DEPENDS PREPEND elb_)

  if(sources)
    add_library(elb_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(elb_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(elb_${name} ${scope} FILE_SET headers TYPE HEADERS
    BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
  set_target_properties(elb_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(elb_${name} ${scope} elb_flags ${ARG_DEPENDS} ${ARG_LINK})
  add_dependencies(elb_${name} check_includes)

  if(ELB_TESTS AND tests)
    add_executable(${name}_test ${tests})
    set_source_files_properties(${tests} PROPERTIES COMPILE_OPTIONS "-O0")
    list(TRANSFORM ARG_TEST_LINK REPLACE "^([a-z]+)$" "elb_\\1")
    target_link_libraries(${name}_test PRIVATE elb_${name} ${ARG_TEST_LINK} GTest::gtest_main
      GTest::gmock)
    target_compile_options(${name}_test PRIVATE -Wno-sign-conversion)
    add_test(NAME ${name} COMMAND ${name}_test
      --gtest_output=xml:${CMAKE_BINARY_DIR}/results/${name}.xml)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${ELB_TEST_ENVIRONMENT}" TIMEOUT 600)
  endif()
endfunction()
