# The program with numpy once more, with the modules that only numpy's own tests use: tests/numpy/run runs it.
rm_dep(numpy_tests ${rm_dep_numpy} libnumpy_tests.a)

add_library(numpy_tests_table OBJECT ${PROJECT_SOURCE_DIR}/wasm/numpy_modules.c)
target_link_libraries(numpy_tests_table PRIVATE rm_flags)
target_include_directories(numpy_tests_table SYSTEM PRIVATE ${rm_dep_numpy}/include/tests
    ${rm_dep_python}/include/python3.13)

rm_wasm_link(command_numpy_tests with_numpy_python ${rm_wasm_main} $<TARGET_OBJECTS:numpy_tests_table>
    $<FILTER:$<TARGET_OBJECTS:numpy_tables>,INCLUDE,frozen>)
target_link_libraries(command_numpy_tests PRIVATE dep::numpy dep::numpy_tests dep::numpy)
