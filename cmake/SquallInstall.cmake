# The installed library: headers, squall::squall for find_package(squall), and squall.pc.
include(CMakePackageConfigHelpers)

set(SQUALL_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/squall)
install(TARGETS squall squall_throw_traces EXPORT squallTargets FILE_SET HEADERS)
install(EXPORT squallTargets NAMESPACE squall:: DESTINATION ${SQUALL_CMAKE_DIR})

# A static library hands its private dependencies on to the link line of who uses it; a shared one
# has them in it.
get_target_property(squall_type squall TYPE)
if(squall_type STREQUAL "STATIC_LIBRARY")
  set(SQUALL_STATIC ON)
else()
  set(SQUALL_STATIC OFF)
endif()

# What the rooms link with pkg-config, as NAME=module.
set(SQUALL_PKGCONFIG_PAIRS "")
get_property(libraries GLOBAL PROPERTY SQUALL_LINK_LIBRARIES)
list(REMOVE_DUPLICATES libraries)
foreach(library IN LISTS libraries)
  if(library MATCHES "^PkgConfig::(.+)$")
    list(APPEND SQUALL_PKGCONFIG_PAIRS ${CMAKE_MATCH_1}=${${CMAKE_MATCH_1}_MODULE_NAME})
  endif()
endforeach()

configure_package_config_file(cmake/squallConfig.cmake.in squallConfig.cmake
                              INSTALL_DESTINATION ${SQUALL_CMAKE_DIR}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(squallConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/squallConfig.cmake ${PROJECT_BINARY_DIR}/squallConfigVersion.cmake
        DESTINATION ${SQUALL_CMAKE_DIR})

# squall.pc finds its prefix from where it stands, so that `cmake --install --prefix` may move it.
set(SQUALL_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH SQUALL_PC_TO_PREFIX /prefix/${SQUALL_PC_DIR} /prefix)
string(REGEX REPLACE "/$" "" SQUALL_PC_TO_PREFIX "${SQUALL_PC_TO_PREFIX}")

# Names of pkg-config modules, and of libraries that have none, for what the rooms link.
set(SQUALL_PC_REQUIRES "")
get_property(libraries GLOBAL PROPERTY SQUALL_LINK_LIBRARIES)
list(REMOVE_DUPLICATES libraries)
list(SORT libraries)
foreach(library IN LISTS libraries)
  if(library MATCHES "^(fmt|spdlog)::")
    list(APPEND SQUALL_PC_REQUIRES ${CMAKE_MATCH_1})
  elseif(library STREQUAL "OpenSSL::Crypto")
    list(APPEND SQUALL_PC_REQUIRES libcrypto)
  elseif(library STREQUAL "OpenSSL::SSL")
    list(APPEND SQUALL_PC_REQUIRES libssl)
  elseif(library STREQUAL "ZLIB::ZLIB")
    list(APPEND SQUALL_PC_REQUIRES zlib)
  elseif(library MATCHES "^PkgConfig::(.+)$")
    list(APPEND SQUALL_PC_REQUIRES ${${CMAKE_MATCH_1}_MODULE_NAME})
  elseif(NOT library MATCHES "^(Threads::Threads|Boost::.*)$")
    message(FATAL_ERROR "cmake/SquallInstall.cmake does not know how squall.pc names ${library}")
  endif()
endforeach()
list(REMOVE_DUPLICATES SQUALL_PC_REQUIRES)
list(JOIN SQUALL_PC_REQUIRES ", " SQUALL_PC_REQUIRES)
if(SQUALL_STATIC)
  set(SQUALL_PC_REQUIRES "Requires: ${SQUALL_PC_REQUIRES}")
else()
  set(SQUALL_PC_REQUIRES "Requires.private: ${SQUALL_PC_REQUIRES}")
endif()
configure_file(cmake/squall.pc.in squall.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/squall.pc DESTINATION ${SQUALL_PC_DIR})
