# The listeners of `serve`: each is a shared object of its own, loaded when it is first asked for, so that programs without a
# server do not pay for it. It brings what it calls of ours, as the sandbox's engine does.
pkg_check_modules(RM_GRPC REQUIRED IMPORTED_TARGET grpc libprotobuf-c)
find_program(RM_PROTOC_C protoc-c REQUIRED)
set(rm_proto ${PROJECT_SOURCE_DIR}/proto)
set(rm_generated ${PROJECT_BINARY_DIR}/generated)
set(rm_protos remotemedia/v1/common remotemedia/v1/execution remotemedia/v1/streaming remotemedia/v1/control grpc/health/v1/health
    grpc/reflection/v1/reflection grpc/reflection/v1alpha/reflection)
foreach(name ${rm_protos})
    set(source ${rm_proto}/${name}.proto)
    set(made ${rm_generated}/${name}.pb-c)
    add_custom_command(OUTPUT ${made}.c ${made}.h
        COMMAND ${RM_PROTOC_C} -I${rm_proto} --c_out=${rm_generated} ${source}
        DEPENDS ${source} COMMENT "Generating ${name}.pb-c" VERBATIM)
    list(APPEND rm_messages ${made}.c)
    list(APPEND rm_proto_files ${source})
endforeach()
list(FILTER rm_messages EXCLUDE REGEX v1alpha) # its messages are those of v1
set(rm_descriptors ${rm_generated}/descriptor_set)
add_custom_command(OUTPUT ${rm_descriptors}.c
    COMMAND ${RM_PROTOC_C} -I${rm_proto} --descriptor_set_out=${rm_descriptors}.bin ${rm_proto_files}
    COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/embed ${rm_descriptors}.bin rmi_descriptor_set
        transport/grpc/descriptor_set.h ${rm_descriptors}.c
    DEPENDS ${rm_proto_files} ${PROJECT_SOURCE_DIR}/tools/embed ${PROJECT_SOURCE_DIR}/tools/c_array.py COMMENT "Generating descriptor_set.c" VERBATIM)
add_library(remotemedia_messages OBJECT ${rm_messages})
target_include_directories(remotemedia_messages SYSTEM PUBLIC ${rm_generated})
target_link_libraries(remotemedia_messages PUBLIC PkgConfig::RM_GRPC)

file(GLOB rm_grpc_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/transport/grpc/*.c
    ${PROJECT_SOURCE_DIR}/src/transport/grpc_client/*.c)
list(FILTER rm_grpc_sources EXCLUDE REGEX "_test\\.c$")
add_library(remotemedia_grpc MODULE ${rm_grpc_sources} ${rm_descriptors}.c $<TARGET_OBJECTS:remotemedia_messages>)
target_link_libraries(remotemedia_grpc PRIVATE rm_flags remotemedia_static PkgConfig::RM_GRPC)
target_include_directories(remotemedia_grpc SYSTEM PRIVATE ${rm_generated})
target_link_options(remotemedia_grpc PRIVATE -Wl,--gc-sections -Wl,--exclude-libs,ALL
    -Wl,-z,nodelete) # gRPC's threads end after the process has asked them to
add_dependencies(remotemedia_grpc remotemedia_messages)

# HTTP: a parser of requests and a decoder of WebSocket frames, in a loop of our own, with OpenSSL for TLS.
pkg_check_modules(RM_TLS REQUIRED IMPORTED_TARGET libssl libcrypto)
find_path(RM_WSLAY_INCLUDE wslay/wslay.h REQUIRED)
find_library(RM_WSLAY wslay REQUIRED)
set(rm_http ${PROJECT_SOURCE_DIR}/src/transport/http)
foreach(pair openapi:openapi.json status:status.html)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 file)
    set(made ${rm_generated}/http_${name}.c)
    add_custom_command(OUTPUT ${made}
        COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/embed ${rm_http}/${file} rmi_http_${name} transport/http/http_files.h ${made}
        DEPENDS ${PROJECT_SOURCE_DIR}/tools/embed ${PROJECT_SOURCE_DIR}/tools/c_array.py ${rm_http}/${file} COMMENT "Embedding ${file}" VERBATIM)
    list(APPEND rm_http_files ${made})
endforeach()
file(GLOB rm_http_sources CONFIGURE_DEPENDS ${rm_http}/*.c)
list(FILTER rm_http_sources EXCLUDE REGEX "_test\\.c$")
add_library(remotemedia_http MODULE ${rm_http_sources} ${rm_http_files})
target_link_libraries(remotemedia_http PRIVATE rm_flags remotemedia_static dep::llhttp PkgConfig::RM_TLS ${RM_WSLAY})
target_include_directories(remotemedia_http SYSTEM PRIVATE ${rm_generated} ${RM_WSLAY_INCLUDE})
target_link_options(remotemedia_http PRIVATE -Wl,--gc-sections -Wl,--exclude-libs,ALL
    -Wl,-z,nodelete) # a session whose node does not return may outlast it
