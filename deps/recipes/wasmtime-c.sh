#!/bin/sh
# The library that the project's Python package carries, under a name that a linker records, with the headers of the same
# version. Runs in the unpacked package with OUT and DEP_TOOL_WASMTIME_C_API set.
set -eu

library=wasmtime/linux-$(uname -m)/_libwasmtime.so
[ -f "$library" ] || { echo "wasmtime-c: nothing prebuilt for $(uname -m): build it, RM_WASMTIME_FROM_SOURCE=ON" >&2; exit 1; }

# It was built with all that this file makes the default.
cmake -DWASMTIME_HEADER_DST="$OUT/include" -P "$DEP_TOOL_WASMTIME_C_API/cmake/install-headers.cmake"
mkdir "$OUT/lib"
strip --strip-unneeded -o "$OUT/lib/libwasmtime.so.48" "$library"
patchelf --set-soname libwasmtime.so.48 "$OUT/lib/libwasmtime.so.48"
chmod 755 "$OUT/lib/libwasmtime.so.48"
ln -s libwasmtime.so.48 "$OUT/lib/libwasmtime.so"

cat >probe.c <<'END'
#include <wasmtime.h>
int main(void)
{
    wasm_engine_t *engine = wasm_engine_new();
    wasm_engine_delete(engine);
    return engine == NULL;
}
END
$CC probe.c -I"$OUT/include" -L"$OUT/lib" -lwasmtime "-Wl,-rpath,$OUT/lib" -o probe
./probe
