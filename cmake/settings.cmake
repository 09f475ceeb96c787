# lull_settings: what all of our own code is compiled with. Linked privately by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# Line numbers are what a backtrace needs; full debug information costs a fifth of the build time.
string(REPLACE "-g " "-g1 " CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")

add_library(lull_settings INTERFACE)
target_include_directories(lull_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(lull_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wformat=2
  # Where GCC optimises, it sees null pointers inside boost::result that no path reaches.
  $<$<CONFIG:Debug>:-Wnull-dereference>
  # And g++ 12 sees operator+ of std::string write past the text that is inside the string itself.
  $<$<NOT:$<CONFIG:Debug>>:-Wno-array-bounds$<SEMICOLON>-Wno-stringop-overflow>
  $<$<BOOL:${LULL_WERROR}>:-Werror>)
target_compile_definitions(lull_settings INTERFACE
  _GNU_SOURCE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# Sanitizers go to every target, also to the library code that is compiled here (Asio, Catch2): a
# container that crosses into unchecked code gives false alarms.
if(LULL_SANITIZE)
  add_compile_options(
    -fsanitize=${LULL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LULL_SANITIZE})
endif()

# What most files of a target include is compiled once: Asio alone costs each file seconds. A file
# includes what it uses all the same, which the tidy preset, compiling without this, watches.
function(lull_precompile target)
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <chrono> <functional>
    <map> <memory> <optional> <set> <string> <string_view> <utility> <variant> <vector>
    <boost/system/result.hpp> ${ARGN})
endfunction()

# A folder is a library: lull_folder(NAME LINK targets... [PRECOMPILE headers...]) takes every .cpp
# in it, so that a file's room is its place in the tree and what the room may see is its LINK line.
function(lull_folder name)
  cmake_parse_arguments(ARG "" "" "LINK;PRECOMPILE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(lull_${name} STATIC ${sources})
  add_library(lull::${name} ALIAS lull_${name})
  target_link_libraries(lull_${name} PUBLIC ${ARG_LINK} PRIVATE lull_settings)
  target_include_directories(lull_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  lull_precompile(lull_${name} ${ARG_PRECOMPILE})
endfunction()
