# The extension module of the Python package: for the interpreter that builds it; or, with the setting wheel.py-api, for the
# stable ABI of 3.12, which later versions have too. The Python host is the same, except that it starts no interpreter; nothing
# but the module's entry is visible, and Python's functions are the interpreter's.
include(cmake/old-libc.cmake)
find_package(Python 3.12 REQUIRED COMPONENTS Interpreter Development.Module)
set(rm_not_in_module interp|paths|extra_modules)
if(NOT "${SKBUILD_SABI_VERSION}" STREQUAL "")
    target_compile_definitions(rm_flags INTERFACE Py_LIMITED_API=0x030C0000)
else()
    string(APPEND rm_not_in_module |limited_api)
    if(Python_VERSION VERSION_GREATER_EQUAL 3.13)
        string(APPEND rm_not_in_module |older_api)
    endif()
endif()

file(GLOB_RECURSE rm_host_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/python/*.c)
list(FILTER rm_host_sources EXCLUDE REGEX "_test\\.c$|/(${rm_not_in_module})\\.c$")
add_library(remotemedia_host STATIC ${rm_host_sources})
target_link_libraries(remotemedia_host PRIVATE rm_flags dep::yyjson dep::base64 dep::uthash dep::dlpack)
target_include_directories(remotemedia_host SYSTEM PRIVATE ${Python_INCLUDE_DIRS})

set(rm_binding ${PROJECT_SOURCE_DIR}/bindings/python)
file(GLOB rm_binding_sources CONFIGURE_DEPENDS ${rm_binding}/*.c)
list(FILTER rm_binding_sources EXCLUDE REGEX "/old_libc\\.c$")
target_sources(remotemedia_cli PRIVATE ${PROJECT_SOURCE_DIR}/cli/python_on.c)
list(APPEND rm_binding_sources $<TARGET_OBJECTS:remotemedia_cli>)
if("${SKBUILD_SABI_VERSION}" STREQUAL "")
    python_add_library(_runtime MODULE WITH_SOABI ${rm_binding_sources})
else()
    python_add_library(_runtime MODULE ${rm_binding_sources})
    set_target_properties(_runtime PROPERTIES SUFFIX .abi3.so)
endif()
target_include_directories(_runtime SYSTEM PRIVATE ${Python_INCLUDE_DIRS})
target_link_libraries(_runtime PRIVATE rm_flags remotemedia_host remotemedia_static)
target_link_options(_runtime PRIVATE -Wl,--version-script=${rm_binding}/exported.map -Wl,--gc-sections -Wl,--as-needed)
rm_old_libc(_runtime)
set_target_properties(_runtime PROPERTIES LINK_DEPENDS ${rm_binding}/exported.map)

set(rm_sbom ${PROJECT_BINARY_DIR}/generated/remotemedia.cdx.json)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
execute_process(COMMAND ${rm_deps} sbom --of remotemedia ${PROJECT_VERSION} --without ${rm_unlinked} OUTPUT_FILE ${rm_sbom}
    COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${rm_sbom} DESTINATION ${SKBUILD_METADATA_DIR}/sboms COMPONENT wheel) # where PEP 770 wants it

install(TARGETS _runtime LIBRARY DESTINATION remotemedia COMPONENT wheel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/remotemedia DESTINATION . COMPONENT wheel PATTERN __pycache__ EXCLUDE)
install(DIRECTORY ${rm_binding}/remotemedia ${rm_binding}/remotemedia_runtime DESTINATION . COMPONENT wheel PATTERN __pycache__ EXCLUDE)
