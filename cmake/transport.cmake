# The listeners of `serve`: each is a shared object of its own, loaded when it is first asked for, so that programs without a
# server do not pay for it. It brings what it calls of ours, as the sandbox's engine does.
pkg_check_modules(RM_GRPC REQUIRED IMPORTED_TARGET grpc libprotobuf-c)
find_program(RM_PROTOC_C protoc-c REQUIRED)
set(rm_proto ${PROJECT_SOURCE_DIR}/proto)
set(rm_generated ${PROJECT_BINARY_DIR}/generated)
foreach(name remotemedia/v1/common remotemedia/v1/execution remotemedia/v1/streaming remotemedia/v1/control grpc/health/v1/health)
    set(source ${rm_proto}/${name}.proto)
    set(made ${rm_generated}/${name}.pb-c)
    add_custom_command(OUTPUT ${made}.c ${made}.h
        COMMAND ${RM_PROTOC_C} -I${rm_proto} --c_out=${rm_generated} ${source}
        DEPENDS ${source} COMMENT "Generating ${name}.pb-c" VERBATIM)
    list(APPEND rm_messages ${made}.c)
endforeach()
add_library(remotemedia_messages OBJECT ${rm_messages})
target_include_directories(remotemedia_messages SYSTEM PUBLIC ${rm_generated})
target_link_libraries(remotemedia_messages PUBLIC PkgConfig::RM_GRPC)

file(GLOB rm_grpc_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/transport/grpc/*.c)
list(FILTER rm_grpc_sources EXCLUDE REGEX "_test\\.c$")
add_library(remotemedia_grpc MODULE ${rm_grpc_sources} $<TARGET_OBJECTS:remotemedia_messages>)
target_link_libraries(remotemedia_grpc PRIVATE rm_flags remotemedia_static PkgConfig::RM_GRPC)
target_include_directories(remotemedia_grpc SYSTEM PRIVATE ${rm_generated})
target_link_options(remotemedia_grpc PRIVATE -Wl,--gc-sections -Wl,--exclude-libs,ALL
    -Wl,-z,nodelete) # gRPC's threads end after the process has asked them to
add_dependencies(remotemedia_grpc remotemedia_messages)

# HTTP: a parser of requests and a decoder of WebSocket frames, in a loop of our own, with OpenSSL for TLS.
find_package(OpenSSL REQUIRED)
find_path(RM_WSLAY_INCLUDE wslay/wslay.h REQUIRED)
find_library(RM_WSLAY wslay REQUIRED)
set(rm_http ${PROJECT_SOURCE_DIR}/src/transport/http)
set(rm_http_files ${rm_generated}/generated/http_files.h)
add_custom_command(OUTPUT ${rm_http_files}
    COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/embed-files ${rm_http_files}
        rmi_http_openapi_file=${rm_http}/openapi.json rmi_http_status_file=${rm_http}/status.html
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/embed-files ${rm_http}/openapi.json ${rm_http}/status.html
    COMMENT "Embedding the HTTP listener's files" VERBATIM)
file(GLOB rm_http_sources CONFIGURE_DEPENDS ${rm_http}/*.c)
list(FILTER rm_http_sources EXCLUDE REGEX "_test\\.c$")
add_library(remotemedia_http MODULE ${rm_http_sources} ${rm_http_files})
target_link_libraries(remotemedia_http PRIVATE rm_flags remotemedia_static dep::llhttp OpenSSL::SSL ${RM_WSLAY})
target_include_directories(remotemedia_http SYSTEM PRIVATE ${rm_generated} ${RM_WSLAY_INCLUDE})
target_link_options(remotemedia_http PRIVATE -Wl,--gc-sections -Wl,--exclude-libs,ALL)
