# The bundled python3.13 with its standard library, our package for it, and the Python host as a shared library.
set(rm_python ${PROJECT_BINARY_DIR}/bin/python3.13)
set(rm_stdlib ${PROJECT_BINARY_DIR}/lib/python3.13)

# A copy, not a link: `pip install` must not write into the shared cache. -a keeps the times, so that the
# byte code stays valid. The stamp's name has the cache entry's, so that another Python replaces this one.
cmake_path(GET rm_dep_python FILENAME rm_python_key)
set(rm_python_stamp ${PROJECT_BINARY_DIR}/${rm_python_key}.stamp)
add_custom_command(OUTPUT ${rm_python_stamp}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${rm_stdlib}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/bin ${PROJECT_BINARY_DIR}/lib
    COMMAND cp -a ${rm_dep_python}/bin ${rm_dep_python}/include ${PROJECT_BINARY_DIR}/
    COMMAND cp -a ${rm_dep_python}/lib/python3.13 ${PROJECT_BINARY_DIR}/lib/
    COMMAND ${CMAKE_COMMAND} -E touch ${rm_python_stamp}
    COMMENT "Copying Python's standard library" VERBATIM)

# The package is frozen into the host, and lies in site-packages for the bundled python3.13.
set(rm_package_copy ${rm_stdlib}/site-packages/remotemedia)
set(rm_package_stamp ${PROJECT_BINARY_DIR}/package.stamp)
add_custom_command(OUTPUT ${rm_package_stamp}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${rm_package_copy}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${rm_package} ${rm_package_copy}
    COMMAND cp -a ${rm_package}/. ${rm_package_copy}/
    COMMAND ${CMAKE_COMMAND} -E touch ${rm_package_stamp}
    DEPENDS ${rm_python_stamp} ${rm_package_files}
    COMMENT "Copying the Python package" VERBATIM)
add_custom_target(python_tree ALL DEPENDS ${rm_python_stamp} ${rm_package_stamp})

# The same as a shared library, for programs that embed: they link it, so that extension modules find CPython's
# functions in it. What it uses of the library's inside it takes from the static one, hidden.
add_library(remotemedia_python_shared SHARED ${PROJECT_SOURCE_DIR}/cmake/empty.c)
set_target_properties(remotemedia_python_shared PROPERTIES OUTPUT_NAME remotemedia_python
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} INSTALL_RPATH $ORIGIN)
target_link_libraries(remotemedia_python_shared PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,remotemedia_python,dep::python>
    remotemedia remotemedia_static)
target_link_options(remotemedia_python_shared PRIVATE -Wl,--exclude-libs,${rm_hidden_archives}:libremotemedia.a)
