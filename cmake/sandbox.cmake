# The WebAssembly engine, loaded when a node first needs it, with wasmtime beside it. What it calls of ours it finds in the
# program, or in the shared library, that loads it.
add_library(remotemedia_wasmtime MODULE ${PROJECT_SOURCE_DIR}/src/sandbox/wasmtime.c)
target_link_libraries(remotemedia_wasmtime PRIVATE rm_flags dep::wasmtime)
target_link_options(remotemedia_wasmtime PRIVATE -Wl,-z,nodelete) # its handlers of signals stay in use
set_target_properties(remotemedia_wasmtime PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH $ORIGIN)

set(rm_wasmtime_copy ${PROJECT_BINARY_DIR}/lib/libwasmtime.so.48)
add_custom_command(OUTPUT ${rm_wasmtime_copy}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:dep::wasmtime> ${rm_wasmtime_copy}
    DEPENDS $<TARGET_FILE:dep::wasmtime>
    COMMENT "Copying wasmtime" VERBATIM)
add_custom_target(wasmtime_copy DEPENDS ${rm_wasmtime_copy})
add_dependencies(remotemedia_wasmtime wasmtime_copy)
