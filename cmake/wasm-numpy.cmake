# The WASM files with numpy inside: the same objects, with numpy's library and another table of frozen modules.
execute_process(COMMAND ${rm_deps} ensure numpy COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${rm_deps} path numpy OUTPUT_VARIABLE rm_dep_numpy OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)

rm_dep(numpy ${rm_dep_numpy} libnumpy.a)
target_link_libraries(dep::numpy INTERFACE ${rm_dep_numpy}/lib/libc++.a ${rm_dep_numpy}/lib/libc++abi.a
    wasi-emulated-mman c-printscan-long-double)

set(rm_frozen_numpy ${PROJECT_BINARY_DIR}/generated/frozen_numpy.c)
add_custom_command(OUTPUT ${rm_frozen_numpy}
    COMMAND ${rm_freezer}/bin/python3.13 -I -S -X no_debug_ranges ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_frozen_numpy}
        --package ${rm_package} --bare ${rm_dep_numpy}/python/numpy ${rm_frozen_library}
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/freeze.py ${rm_package_files} ${rm_additions}
    COMMENT "Freezing numpy" VERBATIM)

# Objects come before the Python host's archive, so that their tables stand in for those there.
rm_wasm_parts(with_numpy_python python_on)
add_library(numpy_tables OBJECT ${PROJECT_SOURCE_DIR}/wasm/numpy_modules.c ${rm_frozen_numpy})
target_link_libraries(numpy_tables PRIVATE rm_flags dep::numpy)
target_include_directories(numpy_tables SYSTEM PRIVATE ${rm_dep_python}/include/python3.13)

function(rm_wasm_link_numpy name)
    rm_wasm_link(${name} with_numpy_python ${ARGN} $<TARGET_OBJECTS:numpy_tables>)
    target_link_libraries(${name} PRIVATE dep::numpy)
endfunction()

list(APPEND rm_wasm_features RM_NATIVE_NUMPY)
rm_wasm_link_numpy(command_numpy ${rm_wasm_main})
rm_wasm_product(pipeline_executor_numpy command_numpy --features ${rm_wasm_features})
rm_wasm_link_numpy(command_numpy_snapshot ${rm_wasm_main} ${rm_wasm_snapshot}
    ${PROJECT_SOURCE_DIR}/wasm/snapshot_command.c)
rm_wasm_product(pipeline_executor_numpy_snapshot command_numpy_snapshot --features ${rm_wasm_features} --snapshot
    --rename _start=wizer.resume)
rm_wasm_link_numpy(reactor_numpy_snapshot ${rm_wasm_reactor} ${rm_wasm_snapshot}
    ${PROJECT_SOURCE_DIR}/wasm/reactor_snapshot.c)
rm_wasm_product(remotemedia_reactor_numpy_snapshot reactor_numpy_snapshot --features ${rm_wasm_features} --snapshot)

include(${PROJECT_SOURCE_DIR}/cmake/wasm-numpy-tests.cmake)
