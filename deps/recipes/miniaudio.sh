#!/bin/sh
# Decoders, the WAV encoder and the converters; no devices, threads or engine. Whoever includes the header
# defines the same words: they stand in FLAGS beside it. MP3 without SIMD: the same bits on every host.
set -eu
flags="-DMA_NO_DEVICE_IO -DMA_NO_THREADING -DMA_NO_RESOURCE_MANAGER -DMA_NO_NODE_GRAPH -DMA_NO_ENGINE -DMA_NO_GENERATION -DMA_DR_MP3_NO_SIMD"
# In WASM -Os decodes as fast as -O2 and is a quarter smaller.
optimize=-O2
[ "$TARGET" != wasm ] || optimize=-Os
cat >implementation.c <<'END'
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"
END
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c11 -D_GNU_SOURCE $optimize $PIC -ffp-contract=off -fno-strict-aliasing -fvisibility=hidden -DNDEBUG $flags \
    -Iminiaudio -c implementation.c -o implementation.o
$AR rcD "$OUT/lib/libminiaudio.a" implementation.o
cp miniaudio/miniaudio.h "$OUT/include/"
echo "$flags" >"$OUT/FLAGS"
