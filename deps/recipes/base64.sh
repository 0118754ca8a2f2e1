#!/bin/sh
# The library chooses the widest vector instructions of the machine when it runs, not when it is built.
set -eu
position=ON
[ -n "$PIC" ] || position=OFF
system=
[ "$TARGET" != wasm ] || system=-DCMAKE_SYSTEM_NAME=Generic
cmake -S base64 -B build -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_C_FLAGS=-fvisibility=hidden -DCMAKE_POSITION_INDEPENDENT_CODE=$position $system \
    -DCMAKE_AR="$(command -v $AR)" -DCMAKE_RANLIB="$(command -v $RANLIB)" -DBUILD_SHARED_LIBS=OFF \
    -DBASE64_BUILD_CLI=OFF -DBASE64_BUILD_TESTS=OFF -DBASE64_WITH_OpenMP=OFF \
    -DCMAKE_INSTALL_PREFIX="$OUT" -DCMAKE_INSTALL_LIBDIR=lib
cmake --build build -j "$JOBS"
cmake --install build
