# The WASM files, build/wasm/*.wasm. All are made of the same objects: the library, for some the Python host, and in front
# of them the program's commands. tools/wasm-product turns what the linker made into the file.

# What goes into a file beside the library: what it starts with, and its own list of features, without those named.
function(rm_wasm_parts name python)
    add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/src/graph/features.c ${PROJECT_SOURCE_DIR}/cli/${python}.c)
    target_link_libraries(${name} PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash)
    list(TRANSFORM ARGN PREPEND -U)
    target_compile_options(${name} PRIVATE ${ARGN})
endfunction()

# linked_texts_KIND: for the files without Python, with Python, and with numpy too.
function(rm_wasm_texts kind)
    rm_gather_texts(${PROJECT_BINARY_DIR}/generated/linked_texts_${kind}.c ${ARGN})
    add_library(linked_texts_${kind} OBJECT ${PROJECT_BINARY_DIR}/generated/linked_texts_${kind}.c)
    target_link_libraries(linked_texts_${kind} PRIVATE rm_flags)
endfunction()
set(rm_only_with_numpy numpy libcxx libcxxabi)
rm_wasm_texts(lite python zlib tzdata ${rm_only_with_numpy})
rm_wasm_texts(python ${rm_only_with_numpy})
rm_wasm_texts(numpy)

# The time zones, for the files with Python.
if(RM_PYTHON)
    set(rm_zones ${PROJECT_BINARY_DIR}/generated/zones.c)
    add_custom_command(OUTPUT ${rm_zones}
        COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/zones.py ${rm_zones} ${rm_dep_tzdata}/tzdata/zoneinfo
        DEPENDS ${PROJECT_SOURCE_DIR}/tools/zones.py ${PROJECT_SOURCE_DIR}/tools/c_array.py ${PROJECT_SOURCE_DIR}/deps/lock.json
        COMMENT "Gathering time zones" VERBATIM)
    add_library(zone_tables OBJECT ${rm_zones})
    target_link_libraries(zone_tables PRIVATE rm_flags)
endif()

# rm_wasm_link(NAME PARTS SOURCES...): obj/NAME.wasm.
function(rm_wasm_link name parts)
    set(texts lite)
    if(name MATCHES numpy)
        set(texts numpy)
    elseif(parts MATCHES python)
        set(texts python)
    endif()
    add_executable(${name} ${ARGN} $<TARGET_OBJECTS:${parts}> $<TARGET_OBJECTS:linked_texts_${texts}>)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/obj)
    target_link_libraries(${name} PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash)
    if(parts MATCHES python)
        foreach(source frozen scrypt local_time time_zone time_text time_module zones)
            target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/wasm/${source}.c)
        endforeach()
        target_sources(${name} PRIVATE $<TARGET_OBJECTS:zone_tables>)
        if(NOT name MATCHES numpy)
            target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/wasm/python_modules.c)
        endif()
        target_link_options(${name} PRIVATE -Wl,--wrap=PyMarshal_ReadObjectFromString,--wrap=PyInit_time
            -Wl,--wrap=gmtime_r,--wrap=localtime_r,--wrap=mktime,--wrap=wcsftime)
        target_link_libraries(${name} PRIVATE remotemedia_python dep::python)
        target_include_directories(${name} SYSTEM PRIVATE ${rm_dep_python}/include/python3.13)
    endif()
    target_link_libraries(${name} PRIVATE remotemedia_static)
    # The stack lies below the data, so that an overflow traps instead of writing over it. Nothing is moved once it is
    # linked, so no number needs the room of the longest.
    target_link_options(${name} PRIVATE -z stack-size=8388608 -Wl,--stack-first -Wl,--gc-sections -Wl,--strip-all
        -Wl,--compress-relocations
        -Wl,--wrap=__wasi_fd_write,--wrap=__wasi_fd_close,--wrap=__wasi_fd_filestat_get,--wrap=nanosleep
        -Wl,--wrap=__wasi_clock_res_get,--wrap=__wasi_sock_accept,--wrap=__wasi_sock_recv
        -Wl,--wrap=__wasi_sock_send,--wrap=__wasi_sock_shutdown
        -Wl,--fatal-warnings)
    if(name MATCHES "snapshot$")
        target_link_options(${name} PRIVATE -Wl,--wrap=__clock,--wrap=clock)
    endif()
    if(name MATCHES "^reactor")
        target_link_options(${name} PRIVATE -mexec-model=reactor)
    endif()
endfunction()

# rm_wasm_product(NAME LINKED OPTION...): NAME.wasm from obj/LINKED.wasm; the options are those of tools/wasm-product.
function(rm_wasm_product name linked)
    set(made ${PROJECT_BINARY_DIR}/${name}.wasm)
    add_custom_command(OUTPUT ${made}
        COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/wasm-product $<TARGET_FILE:${linked}> ${made} ${ARGN}
            --version ${PROJECT_VERSION}
        DEPENDS ${linked} ${PROJECT_SOURCE_DIR}/tools/wasm-product ${PROJECT_SOURCE_DIR}/tools/wasm_file.py
            ${PROJECT_SOURCE_DIR}/deps/lock.json
        COMMENT "Making ${name}.wasm" VERBATIM)
    add_custom_target(make_${name} ALL DEPENDS ${made})
endfunction()

set(rm_wasm_main ${PROJECT_SOURCE_DIR}/cli/main.c $<TARGET_OBJECTS:remotemedia_cli>)
set(rm_wasm_reactor)
foreach(source reactor reactor_items reactor_runtime host_memory open_pipelines node_buffers node_exports)
    list(APPEND rm_wasm_reactor ${PROJECT_SOURCE_DIR}/wasm/${source}.c)
endforeach()
list(APPEND rm_wasm_reactor $<TARGET_OBJECTS:remotemedia_cli>)

rm_wasm_parts(lite python_off RM_PYTHON RM_PYTHON_ASYNC RM_NATIVE_NUMPY)
rm_wasm_link(command_lite lite ${rm_wasm_main})
rm_wasm_product(pipeline_executor_lite command_lite)
rm_wasm_link(reactor_lite lite ${rm_wasm_reactor} ${PROJECT_SOURCE_DIR}/wasm/reactor_plain.c)
rm_wasm_product(remotemedia_reactor_lite reactor_lite)

if(RM_PYTHON)
    set(rm_wasm_features RM_PYTHON)
    if(RM_PYTHON_ASYNC)
        list(APPEND rm_wasm_features RM_PYTHON_ASYNC)
    endif()
    set(rm_wasm_snapshot ${PROJECT_SOURCE_DIR}/wasm/snapshot.c)
    rm_wasm_parts(with_python python_on RM_NATIVE_NUMPY)
    rm_wasm_link(command_with_python with_python ${rm_wasm_main})
    rm_wasm_product(pipeline_executor_wasm command_with_python --features ${rm_wasm_features})
    rm_wasm_link(command_to_snapshot with_python ${rm_wasm_main} ${rm_wasm_snapshot}
        ${PROJECT_SOURCE_DIR}/wasm/snapshot_command.c)
    rm_wasm_product(pipeline_executor_wasm_snapshot command_to_snapshot --features ${rm_wasm_features} --snapshot
        --rename _start=wizer.resume)

    rm_wasm_link(reactor_with_python with_python ${rm_wasm_reactor} ${PROJECT_SOURCE_DIR}/wasm/reactor_plain.c)
    rm_wasm_product(remotemedia_reactor_wasm reactor_with_python --features ${rm_wasm_features})
    rm_wasm_link(reactor_to_snapshot with_python ${rm_wasm_reactor} ${rm_wasm_snapshot}
        ${PROJECT_SOURCE_DIR}/wasm/reactor_snapshot.c)
    rm_wasm_product(remotemedia_reactor_wasm_snapshot reactor_to_snapshot --features ${rm_wasm_features} --snapshot)

    if(RM_NATIVE_NUMPY)
        include(${PROJECT_SOURCE_DIR}/cmake/wasm-numpy.cmake)
    endif()
endif()
