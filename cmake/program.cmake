# The program: the whole library and the whole Python host, its symbols visible to plug-ins and extension modules.
set(rm_licenses ${PROJECT_BINARY_DIR}/generated/licenses.c)
add_custom_command(OUTPUT ${rm_licenses}
    COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/licenses.py ${rm_licenses}
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/licenses.py ${PROJECT_SOURCE_DIR}/LICENSE ${rm_dep_inputs}
    COMMENT "Gathering licences" VERBATIM)

# rm_link_runtime(TARGET): the whole library and, where built, the whole Python host go into TARGET.
function(rm_link_runtime target)
    target_link_libraries(${target} PRIVATE rm_flags $<LINK_LIBRARY:WHOLE_ARCHIVE,remotemedia_static>)
    if(RM_PYTHON)
        # All of libpython, so that extension modules find every function they may call.
        target_link_libraries(${target} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,remotemedia_python,dep::python>)
        add_dependencies(${target} python_tree)
    endif()
    target_link_options(${target} PRIVATE -Wl,--export-dynamic -Wl,--exclude-libs,${rm_hidden_archives})
endfunction()

file(GLOB rm_cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
if(RM_PYTHON)
    set(rm_not_chosen python_off)
else()
    set(rm_not_chosen python_on)
endif()
list(FILTER rm_cli_sources EXCLUDE REGEX "(_test|/main|/${rm_not_chosen})\\.c$")
add_library(remotemedia_cli OBJECT ${rm_cli_sources} ${rm_licenses})
target_link_libraries(remotemedia_cli PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash)

if(EXISTS ${PROJECT_SOURCE_DIR}/cli/main.c)
    add_executable(program ${PROJECT_SOURCE_DIR}/cli/main.c $<TARGET_OBJECTS:remotemedia_cli>)
    set_target_properties(program PROPERTIES OUTPUT_NAME remotemedia)
    rm_link_runtime(program)
endif()
