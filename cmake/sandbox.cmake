# The WebAssembly engine, loaded when a node first needs it, with wasmtime beside it. It brings what it calls of ours, and shows
# one function: it can be loaded by any program, however that has loaded the library. remotemedia-compile is a program beside it.
add_library(remotemedia_wasmtime MODULE ${PROJECT_SOURCE_DIR}/src/sandbox/wasmtime.c)
target_link_options(remotemedia_wasmtime PRIVATE -Wl,-z,nodelete # its handlers of signals stay in use
    -Wl,--exclude-libs,ALL)
if(NOT RM_SANITIZE)
    target_link_options(remotemedia_wasmtime PRIVATE -Wl,--no-undefined)
endif()
add_executable(remotemedia_compile ${PROJECT_SOURCE_DIR}/src/sandbox/compiler.c ${PROJECT_SOURCE_DIR}/src/sandbox/wasmtime.c)
set_target_properties(remotemedia_compile PROPERTIES OUTPUT_NAME remotemedia-compile
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
foreach(target remotemedia_wasmtime remotemedia_compile)
    target_link_libraries(${target} PRIVATE rm_flags remotemedia_static dep::wasmtime)
    target_link_options(${target} PRIVATE -Wl,--gc-sections)
    set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH $ORIGIN)
endforeach()
add_dependencies(remotemedia_wasmtime remotemedia_compile)

set(rm_wasmtime_copy ${PROJECT_BINARY_DIR}/lib/libwasmtime.so.48)
add_custom_command(OUTPUT ${rm_wasmtime_copy}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:dep::wasmtime> ${rm_wasmtime_copy}
    DEPENDS $<TARGET_FILE:dep::wasmtime>
    COMMENT "Copying wasmtime" VERBATIM)
add_custom_target(wasmtime_copy DEPENDS ${rm_wasmtime_copy})
add_dependencies(remotemedia_compile wasmtime_copy)
