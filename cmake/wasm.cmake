# The WASM files: each is the library, or the library and the Python host, with the program's commands.

# rm_wasm_product(NAME [python]): build/wasm/NAME.wasm. Its list of features is its own; all else is the same objects.
function(rm_wasm_product name)
    set(python OFF)
    set(choice python_off)
    if("python" IN_LIST ARGN)
        set(python ON)
        set(choice python_on)
    endif()
    add_executable(${name} ${PROJECT_SOURCE_DIR}/cli/main.c ${PROJECT_SOURCE_DIR}/cli/${choice}.c
        ${PROJECT_SOURCE_DIR}/src/graph/features.c $<TARGET_OBJECTS:remotemedia_cli>)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_link_libraries(${name} PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash)
    if(NOT python)
        target_compile_options(${name} PRIVATE -URM_PYTHON -URM_PYTHON_ASYNC)
    else()
        target_link_libraries(${name} PRIVATE remotemedia_python dep::python)
    endif()
    target_link_libraries(${name} PRIVATE remotemedia_static)
    # The stack lies below the data, so that an overflow traps instead of writing over it.
    target_link_options(${name} PRIVATE -z stack-size=8388608 -Wl,--stack-first -Wl,--gc-sections -Wl,--strip-all
        -Wl,--wrap=__wasi_fd_write,--wrap=__wasi_fd_close -Wl,--fatal-warnings)
endfunction()

rm_wasm_product(pipeline_executor_lite)
if(RM_PYTHON)
    rm_wasm_product(pipeline_executor_wasm python)
endif()
