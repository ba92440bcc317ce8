# squall_room(<name> [DEPENDS room...] [LINK lib...] [SOURCES file...] [HEADERS file...] [TESTS file...])
#
# A room is one OBJECT library. Its tests link only the rooms it names and those below them, so that a
# file which reaches above its room does not link. DEPENDS lists direct rooms; the closure is computed.
set_property(GLOBAL PROPERTY SQUALL_ROOMS "")
if(SQUALL_BUILD_TESTS)
  add_custom_target(squall_unit_tests)  # the tests of all rooms, without what needs several
endif()

function(squall_common_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                              $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  # GCC keeps chains of finished coroutines in constant stack only with sibling calls on.
  # Without semantic interposition, position-independent code may inline its own functions.
  target_compile_options(
    ${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-foptimize-sibling-calls
                      -fno-semantic-interposition>)
  squall_warnings(${target})
endfunction()

function(squall_warnings target)
  if(SQUALL_DEVELOPER_MODE)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
    # GCC 12 sees overlaps in `"text" + std::string` that are not there (PR 105651).
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  endif()
endfunction()

function(squall_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINK;SOURCES;HEADERS;TESTS" ${ARGN})
  set(closure ${ROOM_DEPENDS})
  foreach(room IN LISTS ROOM_DEPENDS)
    get_property(below GLOBAL PROPERTY SQUALL_ROOM_${room}_CLOSURE)
    list(APPEND closure ${below})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  set_property(GLOBAL PROPERTY SQUALL_ROOM_${name}_CLOSURE "${closure}")
  set_property(GLOBAL APPEND PROPERTY SQUALL_ROOMS ${name})

  add_library(squall_${name} OBJECT ${ROOM_SOURCES})
  set_target_properties(squall_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  squall_common_options(squall_${name})
  target_link_libraries(squall_${name} PUBLIC ${ROOM_LINK})
  foreach(room IN LISTS ROOM_DEPENDS)
    target_link_libraries(squall_${name} PUBLIC squall_${room})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SQUALL_PUBLIC_HEADERS ${ROOM_HEADERS})
  set_property(GLOBAL APPEND PROPERTY SQUALL_LINK_LIBRARIES ${ROOM_LINK})

  if(SQUALL_BUILD_TESTS AND ROOM_TESTS)
    set(objects $<TARGET_OBJECTS:squall_${name}>)
    foreach(room IN LISTS closure)
      list(APPEND objects $<TARGET_OBJECTS:squall_${room}>)
    endforeach()
    add_executable(squall_${name}_test ${ROOM_TESTS} ${objects})
    squall_warnings(squall_${name}_test)
    target_compile_options(squall_${name}_test
                           PRIVATE $<$<CXX_COMPILER_ID:GNU>:-foptimize-sibling-calls>)
    # Tests are compiled once and run once. What coroutines are made of, they see as users do.
    if(NOT name MATCHES "^(coro|loop)$")
      target_compile_options(squall_${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
    target_link_libraries(squall_${name}_test PRIVATE squall_${name} GTest::gtest_main)
    add_dependencies(squall_unit_tests squall_${name}_test)
    squall_room_tests(${name})
  endif()
endfunction()

# What has a loop runs on each engine. Without io_uring those tests would run on epoll once more:
# they count as skipped.
function(squall_room_tests name)
  get_property(closure GLOBAL PROPERTY SQUALL_ROOM_${name}_CLOSURE)
  set(common DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 120)
  if(NOT loop IN_LIST closure AND NOT name STREQUAL loop)
    gtest_discover_tests(squall_${name}_test TEST_PREFIX ${name}. ${common})
    return()
  endif()
  foreach(engine IN ITEMS epoll uring)
    gtest_discover_tests(
      squall_${name}_test TEST_PREFIX ${name}.${engine}. TEST_LIST squall_${name}_${engine}_tests
      ${common} ENVIRONMENT SQUALL_ENGINE=${engine}
      SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]|io_uring cannot be used")
  endforeach()
endfunction()
