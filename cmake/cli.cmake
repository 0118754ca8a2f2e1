# The commands of the program: cli/ without main.c and without the choice of Python, which each program makes.
# rm_gather_texts(OUT.c NAME...): the licences and the bill of materials of all that is linked but the dependencies named.
function(rm_gather_texts out)
    add_custom_command(OUTPUT ${out}
        COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/linked_texts.py ${rm_target} ${PROJECT_VERSION} ${out} ${ARGN}
        DEPENDS ${PROJECT_SOURCE_DIR}/tools/linked_texts.py ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/deps/sbom.py ${rm_dep_inputs}
        COMMENT "Gathering licences and the bill of materials" VERBATIM)
endfunction()
if(NOT RM_WASM) # the WASM files differ in what they link
    set(rm_linked_texts ${PROJECT_BINARY_DIR}/generated/linked_texts.c)
    set(rm_unlinked wasmtime-c wasmtime-c-source)
    if(RM_WASMTIME_RUNTIME AND NOT RM_WHEEL)
        list(REMOVE_ITEM rm_unlinked ${rm_wasmtime})
    endif()
    if(NOT RM_PYTHON)
        list(APPEND rm_unlinked python dlpack)
    elseif(RM_WHEEL)
        list(APPEND rm_unlinked python)
    endif()
    if(NOT RM_SERVE)
        list(APPEND rm_unlinked llhttp)
    endif()
    rm_gather_texts(${rm_linked_texts} ${rm_unlinked})
endif()

file(GLOB rm_cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
list(FILTER rm_cli_sources EXCLUDE REGEX "(_test|/main|/python_on|/python_off|/sandbox_on|/sandbox_off|/serve_on|/serve_off)\\.c$")
if(RM_WASMTIME_RUNTIME)
    list(APPEND rm_cli_sources ${PROJECT_SOURCE_DIR}/cli/sandbox_on.c)
else()
    list(APPEND rm_cli_sources ${PROJECT_SOURCE_DIR}/cli/sandbox_off.c)
endif()
if(RM_SERVE)
    list(APPEND rm_cli_sources ${PROJECT_SOURCE_DIR}/cli/serve_on.c)
else()
    list(APPEND rm_cli_sources ${PROJECT_SOURCE_DIR}/cli/serve_off.c)
endif()
add_library(remotemedia_cli OBJECT ${rm_cli_sources} ${rm_linked_texts})
target_link_libraries(remotemedia_cli PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash)
