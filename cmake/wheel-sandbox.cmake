# The wheel remotemedia-sandbox: the engine, the program that compiles for it, and the WASM files, which `make wasm` makes.
include(cmake/old-libc.cmake)
rm_old_libc(remotemedia_wasmtime)
rm_old_libc(remotemedia_compile)
set(rm_sandbox_files remotemedia_reactor_numpy_snapshot.wasm remotemedia_reactor_lite.wasm
    pipeline_executor_numpy_snapshot.wasm)

set(rm_sandbox_licenses ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${rm_sandbox_licenses})
execute_process(COMMAND ${rm_deps} licenses --without python dlpack wasmtime-c-source
    OUTPUT_FILE ${rm_sandbox_licenses}/engine.txt COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/deps/deps.py --target wasm licenses
    OUTPUT_FILE ${rm_sandbox_licenses}/wasm.txt COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${rm_sandbox_licenses}/engine.txt ${rm_sandbox_licenses}/wasm.txt
    DESTINATION remotemedia_sandbox/licenses COMPONENT wheel)

install(TARGETS remotemedia_wasmtime LIBRARY DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
install(TARGETS remotemedia_compile RUNTIME DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
install(PROGRAMS ${rm_wasmtime_copy} DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
foreach(name IN LISTS rm_sandbox_files)
    install(FILES ${PROJECT_SOURCE_DIR}/build/wasm/${name} DESTINATION remotemedia_sandbox/wasm COMPONENT wheel)
endforeach()
