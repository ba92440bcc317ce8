# Makes project_files.cpp of what project/ has: NAME.in is the file NAME of a new project, or .NAME.
set(PROJECT_FILES "")
foreach(path IN ITEMS CMakeLists.txt src/app.hpp src/app.cpp src/main.cpp public/index.html
                      public/main.js public/style.css tests/app_test.cpp deploy/@NAME@.service
                      Dockerfile README.md .gitignore .dockerignore)
  string(REPLACE "@NAME@.service" "service" source ${path})
  string(REGEX REPLACE "^[.]" "" source ${source})
  file(READ project/${source}.in text)
  string(APPEND PROJECT_FILES "      {\"${path}\", R\"~~~(${text})~~~\"},\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS project/${source}.in)
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS project_files.cpp.in)
file(READ project_files.cpp.in source)
string(REPLACE "@PROJECT_FILES@" "${PROJECT_FILES}" source "${source}")
# Not by file(CONFIGURE) or file(GENERATE): the texts have @ and $<> of their own.
set(generated ${CMAKE_CURRENT_BINARY_DIR}/project_files.cpp)
set(before "")
if(EXISTS ${generated})
  file(READ ${generated} before)
endif()
if(NOT before STREQUAL source)
  file(WRITE ${generated} "${source}")
endif()
