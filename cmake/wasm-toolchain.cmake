# clang for wasm32-wasi with the sysroot of deps/lock.json.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(deps ${CMAKE_CURRENT_LIST_DIR}/../deps/deps.py --target wasm)
execute_process(COMMAND ${deps} ensure wasi-libc COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${deps} path wasi-libc OUTPUT_VARIABLE RM_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
set(CMAKE_C_COMPILER ${RM_SYSROOT}/bin/wasm-cc)
find_program(CMAKE_AR llvm-ar-19 REQUIRED)
find_program(CMAKE_RANLIB llvm-ranlib-19 REQUIRED)
set(CMAKE_EXECUTABLE_SUFFIX_C .wasm)
