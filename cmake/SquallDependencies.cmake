# Everything the library is built on; see DESIGN: what the project does not exist for is a library's.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto SSL)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)

# Optional: host names without threads.
set(SQUALL_CARES AUTO CACHE STRING "The c-ares resolver: ON, OFF, or AUTO for where libcares is")
if(SQUALL_CARES STREQUAL "AUTO")
  pkg_check_modules(CARES QUIET IMPORTED_TARGET libcares>=1.16)
elseif(SQUALL_CARES)
  pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.16)
endif()
