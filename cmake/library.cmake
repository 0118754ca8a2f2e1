# libremotemedia.{a,so}: everything but Python and the program. A new file in one of the folders is picked up.
if(RM_WASM)
    set(rm_platform wasi)
else() # what has guests of its own
    set(rm_platform posix)
    set(rm_sandbox sandbox)
    set(rm_transport transport)
endif()
foreach(folder base data manifest graph exec standalone nodes ${rm_sandbox} ${rm_transport} platform/${rm_platform})
    file(GLOB_RECURSE found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
    list(APPEND rm_sources ${found})
endforeach()
file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/platform/*.c)
list(APPEND rm_sources ${found})
list(FILTER rm_sources EXCLUDE REGEX "_test\\.c$|/sandbox/(wasmtime|compiler)\\.c$|/transport/(grpc|grpc_client|http)/")
if(NOT rm_checks) # nothing calls it
    list(FILTER rm_sources EXCLUDE REGEX "/base/check\\.c$")
endif()
if(RM_WASM) # each WASM file has its own list of features; none has a sandbox
    list(FILTER rm_sources EXCLUDE REGEX "graph/features\\.c$|/src/sandbox/")
    # Loops over samples use vectors, as natively; with the same results, since no sum changes its order.
    set(rm_vector_sources ${rm_sources})
    list(FILTER rm_vector_sources INCLUDE REGEX "/nodes/audio_(support|level)/")
    set_source_files_properties(${rm_vector_sources} PROPERTIES COMPILE_OPTIONS -msimd128)
endif()
set(rm_library_dependencies dep::yyjson dep::base64 dep::miniaudio dep::libogg dep::libopus dep::uthash dep::libtommath dep::muslm
    ${rm_system_libraries})

add_library(remotemedia_objects OBJECT ${rm_sources})
target_link_libraries(remotemedia_objects PRIVATE rm_flags ${rm_library_dependencies})

add_library(remotemedia_static STATIC $<TARGET_OBJECTS:remotemedia_objects>)
set_target_properties(remotemedia_static PROPERTIES OUTPUT_NAME remotemedia)
target_include_directories(remotemedia_static INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(remotemedia_static INTERFACE ${rm_library_dependencies})

if(RM_WASM)
    return()
endif()
add_library(remotemedia SHARED $<TARGET_OBJECTS:remotemedia_objects>)
set_target_properties(remotemedia PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_include_directories(remotemedia INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(remotemedia PRIVATE ${rm_library_dependencies})
target_link_options(remotemedia PRIVATE -Wl,--exclude-libs,ALL)
if(NOT RM_SANITIZE)
    target_link_options(remotemedia PRIVATE -Wl,--no-undefined)
endif()
