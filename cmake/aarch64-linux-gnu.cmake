# For Linux on 64-bit ARM, compiled by Debian's gcc-aarch64-linux-gnu: tools/build-wheel aarch64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
