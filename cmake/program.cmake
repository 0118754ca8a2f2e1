# The program: the whole library and the whole Python host, its symbols visible to plug-ins and extension modules.
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

if(RM_PYTHON)
    set(rm_python_choice ${PROJECT_SOURCE_DIR}/cli/python_on.c)
else()
    set(rm_python_choice ${PROJECT_SOURCE_DIR}/cli/python_off.c)
endif()
target_sources(remotemedia_cli PRIVATE ${rm_python_choice})
add_executable(program ${PROJECT_SOURCE_DIR}/cli/main.c $<TARGET_OBJECTS:remotemedia_cli>)
set_target_properties(program PROPERTIES OUTPUT_NAME remotemedia)
rm_link_runtime(program)
