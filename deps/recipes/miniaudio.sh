#!/bin/sh
# Decoders, the WAV encoder and the converters; no devices, threads or engine. Whoever includes the header
# defines the same words: they stand in FLAGS beside it. MP3 without SIMD: the same bits on every host.
set -eu
flags="-DMA_NO_DEVICE_IO -DMA_NO_THREADING -DMA_NO_RESOURCE_MANAGER -DMA_NO_NODE_GRAPH -DMA_NO_ENGINE -DMA_NO_GENERATION -DMA_DR_MP3_NO_SIMD"
cat >implementation.c <<'END'
#define STB_VORBIS_HEADER_ONLY
#include "stb_vorbis.c"
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"
#undef STB_VORBIS_HEADER_ONLY
#include "stb_vorbis.c"
END
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c11 -D_GNU_SOURCE -O2 -fPIC -ffp-contract=off -fno-strict-aliasing -fvisibility=hidden -DNDEBUG $flags \
    -Iminiaudio -c implementation.c -o implementation.o
ar rcD "$OUT/lib/libminiaudio.a" implementation.o
cp miniaudio/miniaudio.h miniaudio/stb_vorbis.c "$OUT/include/"
echo "$flags" >"$OUT/FLAGS"
