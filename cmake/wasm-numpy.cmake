# The WASM files with numpy inside: the same objects, with numpy's library and another table of frozen modules.
execute_process(COMMAND ${rm_deps} ensure numpy COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${rm_deps} path numpy OUTPUT_VARIABLE rm_dep_numpy OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)

rm_dep(numpy ${rm_dep_numpy} libnumpy.a)
target_link_libraries(dep::numpy INTERFACE ${rm_dep_numpy}/lib/libc++.a ${rm_dep_numpy}/lib/libc++abi.a
    wasi-emulated-mman c-printscan-long-double)

set(rm_frozen_numpy ${PROJECT_BINARY_DIR}/generated/frozen_numpy.c)
add_custom_command(OUTPUT ${rm_frozen_numpy}
    COMMAND ${rm_freezer}/bin/python3.13 -I -S ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_frozen_numpy}
        --package ${rm_package} --package ${rm_dep_numpy}/python/numpy ${rm_frozen_library}
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_package_files} ${rm_additions}
    COMMENT "Freezing numpy" VERBATIM)

# Objects come before the Python host's archive, so that their tables stand in for those there.
add_library(with_numpy OBJECT ${PROJECT_SOURCE_DIR}/wasm/numpy_modules.c ${rm_frozen_numpy})
target_link_libraries(with_numpy PRIVATE rm_flags dep::numpy)
target_include_directories(with_numpy SYSTEM PRIVATE ${rm_dep_python}/include/python3.13)

function(rm_wasm_link_numpy name)
    rm_wasm_link(${name} with_python ${ARGN} $<TARGET_OBJECTS:with_numpy>)
    target_link_libraries(${name} PRIVATE dep::numpy)
endfunction()

rm_wasm_link_numpy(command_with_numpy ${rm_wasm_main})
rm_wasm_product(pipeline_executor_numpy command_with_numpy --features ${rm_wasm_features})

include(${PROJECT_SOURCE_DIR}/cmake/wasm-numpy-tests.cmake)
