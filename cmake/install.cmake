# `make install PREFIX=`. The program lies with its Python in lib/remotemedia, as it does in the build tree, so that
# no other Python of the prefix is touched; bin/ has a link to it.
include(CMakePackageConfigHelpers)
set(rm_home ${CMAKE_INSTALL_LIBDIR}/remotemedia)
set(rm_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/remotemedia)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/remotemedia DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS remotemedia LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS remotemedia_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# What the static library needs; the shared one has it inside.
foreach(name yyjson base64 libtommath miniaudio libogg libopus muslm)
    install(FILES $<TARGET_FILE:dep::${name}> DESTINATION ${rm_home}/static)
endforeach()

if(TARGET program)
    install(TARGETS program RUNTIME DESTINATION ${rm_home}/bin)
    file(RELATIVE_PATH rm_link ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/remotemedia/bin/remotemedia)
    install(CODE "
        set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
        file(MAKE_DIRECTORY \"\${folder}\")
        file(CREATE_LINK \"${rm_link}\" \"\${folder}/remotemedia\" SYMBOLIC)")
endif()
if(RM_WASMTIME_RUNTIME)
    install(TARGETS remotemedia_wasmtime LIBRARY DESTINATION ${rm_home}/lib)
    install(TARGETS remotemedia_compile RUNTIME DESTINATION ${rm_home}/lib)
    install(PROGRAMS ${rm_wasmtime_copy} DESTINATION ${rm_home}/lib)
    # What sandboxes run, where `make wasm` has made it.
    install(CODE "
        file(GLOB made \"${PROJECT_SOURCE_DIR}/build/wasm/*.wasm\")
        file(INSTALL \${made} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${rm_home}/wasm\")")
endif()
if(RM_SERVE)
    install(TARGETS remotemedia_grpc remotemedia_http LIBRARY DESTINATION ${rm_home}/lib)
endif()
if(RM_PYTHON)
    install(TARGETS remotemedia_python_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(PROGRAMS ${rm_python} ${PROJECT_BINARY_DIR}/bin/pip3 DESTINATION ${rm_home}/bin)
    install(DIRECTORY ${rm_stdlib} DESTINATION ${rm_home}/lib USE_SOURCE_PERMISSIONS)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/include/python3.13 DESTINATION ${rm_home}/include)
endif()

configure_file(cmake/remotemedia.pc.in remotemedia.pc @ONLY)
configure_file(cmake/remotemedia-python.pc.in remotemedia-python.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/remotemedia.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(RM_PYTHON)
    install(FILES ${PROJECT_BINARY_DIR}/remotemedia-python.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
configure_package_config_file(cmake/remotemedia-config.cmake.in remotemedia-config.cmake
    INSTALL_DESTINATION ${rm_package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(remotemedia-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/remotemedia-config.cmake ${PROJECT_BINARY_DIR}/remotemedia-config-version.cmake
    DESTINATION ${rm_package_dir})
