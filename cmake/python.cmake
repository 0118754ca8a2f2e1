# The Python host: src/python with what is frozen into it.
execute_process(COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/deps/deps.py path python
    OUTPUT_VARIABLE rm_freezer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# Our package, and in the WASM files the whole standard library, which has no other place there.
set(rm_package ${PROJECT_SOURCE_DIR}/python/remotemedia)
set(rm_frozen ${PROJECT_BINARY_DIR}/generated/frozen.c)
file(GLOB_RECURSE rm_package_files CONFIGURE_DEPENDS ${rm_package}/*.py ${rm_package}/*.pyi ${rm_package}/py.typed)
if(RM_WASM)
    file(GLOB rm_additions CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/wasi/*.py)
    set(rm_frozen_library --library ${rm_freezer}/lib/python3.13 --additions ${PROJECT_SOURCE_DIR}/python/wasi
        --module ${rm_dep_python}/lib/python3.13/_sysconfigdata__wasi_wasm32-wasi.py
        --module ${PROJECT_SOURCE_DIR}/wasm/_remotemedia_snapshot.py)
    list(APPEND rm_package_files ${PROJECT_SOURCE_DIR}/wasm/_remotemedia_snapshot.py)
endif()
add_custom_command(OUTPUT ${rm_frozen}
    COMMAND ${rm_freezer}/bin/python3.13 -I -S -X no_debug_ranges ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_frozen}
        --package ${rm_package} ${rm_frozen_library}
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_package_files} ${rm_additions}
    COMMENT "Freezing the Python package" VERBATIM)

file(GLOB_RECURSE rm_python_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/python/*.c)
list(FILTER rm_python_sources EXCLUDE REGEX "_test\\.c$|/(older|limited)_api\\.c$")
add_library(remotemedia_python STATIC ${rm_python_sources} ${rm_frozen})
target_link_libraries(remotemedia_python PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash dep::dlpack)
# Under a sanitizer Python asks malloc for everything, so that its arenas hide neither errors nor what is reachable.
if(RM_SANITIZE)
    target_compile_definitions(remotemedia_python PRIVATE RM_PYTHON_ALLOCATOR=PYMEM_ALLOCATOR_MALLOC)
else()
    target_compile_definitions(remotemedia_python PRIVATE RM_PYTHON_ALLOCATOR=PYMEM_ALLOCATOR_DEFAULT)
endif()
target_include_directories(remotemedia_python SYSTEM PRIVATE ${rm_dep_python}/include/python3.13)
