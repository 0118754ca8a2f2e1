# The wheel remotemedia-sandbox: the engine, the program that compiles for it, and the WASM files, which `make wasm` makes.
include(cmake/old-libc.cmake)
rm_old_libc(remotemedia_wasmtime)
rm_old_libc(remotemedia_compile)
set(rm_sandbox_files remotemedia_reactor_numpy_snapshot.wasm remotemedia_reactor_lite.wasm
    pipeline_executor_numpy_snapshot.wasm)

# What is linked into the engine, and into the WASM files: the licences and the bills of materials.
set(rm_sandbox_texts ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${rm_sandbox_texts})
function(rm_sandbox_text out)
    execute_process(COMMAND ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/deps/deps.py ${ARGN} OUTPUT_FILE ${rm_sandbox_texts}/${out}
        COMMAND_ERROR_IS_FATAL ANY)
endfunction()
set(rm_not_in_engine --without python dlpack wasmtime-c-source)
rm_sandbox_text(engine.txt licenses ${rm_not_in_engine})
rm_sandbox_text(engine.cdx.json sbom --of remotemedia-sandbox ${PROJECT_VERSION} ${rm_not_in_engine})
rm_sandbox_text(wasm.txt --target wasm licenses)
rm_sandbox_text(wasm.cdx.json --target wasm sbom --of remotemedia-wasm ${PROJECT_VERSION})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${rm_sandbox_texts}/engine.txt ${rm_sandbox_texts}/wasm.txt
    DESTINATION remotemedia_sandbox/licenses COMPONENT wheel)
install(FILES ${rm_sandbox_texts}/engine.cdx.json ${rm_sandbox_texts}/wasm.cdx.json
    DESTINATION ${SKBUILD_METADATA_DIR}/sboms COMPONENT wheel)

install(TARGETS remotemedia_wasmtime LIBRARY DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
install(TARGETS remotemedia_compile RUNTIME DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
install(PROGRAMS ${rm_wasmtime_copy} DESTINATION remotemedia_sandbox/lib COMPONENT wheel)
foreach(name IN LISTS rm_sandbox_files)
    install(FILES ${PROJECT_SOURCE_DIR}/build/wasm/${name} DESTINATION remotemedia_sandbox/wasm COMPONENT wheel)
endforeach()
