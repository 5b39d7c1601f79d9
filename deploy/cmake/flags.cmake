# How every target is compiled: C17, warnings are errors, hardening on, sanitizers by preset.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CUTOVER_SANITIZE "" CACHE STRING "for example address,undefined or thread")
option(CUTOVER_FUZZ "build the fuzz targets (tests/fuzz); needs clang" OFF)

add_library(cutover_flags INTERFACE)
target_compile_definitions(cutover_flags INTERFACE _GNU_SOURCE CUTOVER_VERSION="${PROJECT_VERSION}")
target_compile_options(cutover_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough
  -fno-common -fstack-protector-strong -fstack-clash-protection -fcf-protection
  -include ${PROJECT_SOURCE_DIR}/orchestrator/base/banned.h)
target_include_directories(cutover_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/orchestrator)
target_link_options(cutover_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
if(CUTOVER_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CUTOVER_FUZZ needs clang: cmake --preset fuzz")
  endif()
  # The warnings that count are gcc's: clang's -Wformat=2 goes further.
  target_compile_options(cutover_flags INTERFACE -fsanitize=fuzzer-no-link -Wno-error -Wno-format-nonliteral)
  target_link_options(cutover_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CUTOVER_SANITIZE)
  target_compile_options(cutover_flags INTERFACE -fsanitize=${CUTOVER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cutover_flags INTERFACE -fsanitize=${CUTOVER_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(cutover_flags INTERFACE -D_FORTIFY_SOURCE=2)
endif()
