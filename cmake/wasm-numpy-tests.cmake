# The program with numpy once more, with the modules that only numpy's own tests use: tests/numpy/run runs it.
rm_dep(numpy_tests ${rm_dep_numpy} libnumpy_tests.a)

add_library(with_numpy_tests OBJECT ${PROJECT_SOURCE_DIR}/wasm/numpy_modules.c)
target_link_libraries(with_numpy_tests PRIVATE rm_flags)
target_include_directories(with_numpy_tests SYSTEM PRIVATE ${rm_dep_numpy}/include/tests
    ${rm_dep_python}/include/python3.13)

rm_wasm_link(command_with_numpy_tests with_python ${rm_wasm_main} $<TARGET_OBJECTS:with_numpy_tests>
    $<FILTER:$<TARGET_OBJECTS:with_numpy>,INCLUDE,frozen>)
target_link_libraries(command_with_numpy_tests PRIVATE dep::numpy dep::numpy_tests dep::numpy)
