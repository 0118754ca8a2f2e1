# How all C of the project is compiled: target rm_flags.
add_library(rm_flags INTERFACE)
target_compile_features(rm_flags INTERFACE c_std_17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# -g1: line numbers for profiles and valgrind at little cost.
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG -g1")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")

# Without contraction and with one math library (dependencies.cmake) results are the same bits on every host;
# none of its functions sets errno.
target_compile_options(rm_flags INTERFACE -Wall -Wextra -Wcast-function-type -Wmissing-prototypes
    -Wstrict-prototypes -Wundef -Wshadow -ffp-contract=off -fno-math-errno $<$<BOOL:${RM_WERROR}>:-Werror>)
target_include_directories(rm_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
    ${PROJECT_SOURCE_DIR})
target_compile_definitions(rm_flags INTERFACE _GNU_SOURCE RM_VERSION="${PROJECT_VERSION}")

# Assertions of invariants: in the builds that look for defects, not in what users run.
set(rm_checks 0)
if(RM_CHECKS OR RM_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(rm_checks 1)
endif()
target_compile_definitions(rm_flags INTERFACE RM_CHECKS=${rm_checks})

# Each feature is a macro of its option's name, 0 or 1.
foreach(feature RM_PYTHON RM_PYTHON_ASYNC RM_NATIVE_NUMPY RM_GRPC_TRANSPORT RM_WASMTIME_RUNTIME)
    target_compile_definitions(rm_flags INTERFACE ${feature}=$<BOOL:${${feature}}>)
endforeach()

# Bytes of freed blocks that are kept for use again; none where a sanitizer is to see a use after free.
set(rm_recycled_bytes 262144)
if(RM_SANITIZE)
    set(rm_recycled_bytes 0)
    add_compile_options(-fsanitize=${RM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${RM_SANITIZE})
endif()
if(RM_FUZZ)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
target_compile_definitions(rm_flags INTERFACE RM_RECYCLED_BYTES=${rm_recycled_bytes})
if(RM_COVERAGE)
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
