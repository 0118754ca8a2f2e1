#!/bin/sh
# Decoders, the WAV encoder and the converters; no devices, threads or engine. Whoever includes the header
# defines the same words: they stand in FLAGS beside it. MP3 without SIMD: the same bits on every host.
set -eu
flags="-DMA_NO_DEVICE_IO -DMA_NO_THREADING -DMA_NO_RESOURCE_MANAGER -DMA_NO_NODE_GRAPH -DMA_NO_ENGINE -DMA_NO_GENERATION -DMA_DR_MP3_NO_SIMD"
# In WASM -Os decodes as fast as -O2 and is a quarter smaller.
optimize=-O2
[ "$TARGET" != wasm ] || optimize=-Os
# A damaged OGG header must not make it release what it never allocated, or write past a list whose size wrapped.
sed -i -e 's/^   f->comment_list_length = get32_packet(f);$/&\
   if (f->comment_list_length < 0 || f->comment_list_length > 65536) {\
      f->comment_list_length = 0;\
      return error(f, VORBIS_invalid_setup);\
   }/' -e 's/^   for (i=0; i < p->comment_list_length; ++i) {$/   for (i=0; p->comment_list \&\& i < p->comment_list_length; ++i) {/' \
    miniaudio/stb_vorbis.c
[ "$(grep -c 'comment_list_length > 65536\|p->comment_list && i' miniaudio/stb_vorbis.c)" = 2 ]
cat >implementation.c <<'END'
#define STB_VORBIS_HEADER_ONLY
#include "stb_vorbis.c"
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"
#undef STB_VORBIS_HEADER_ONLY
#define malloc(size) calloc(1, size)
#include "stb_vorbis.c"
END
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c11 -D_GNU_SOURCE $optimize $PIC -ffp-contract=off -fno-strict-aliasing -fvisibility=hidden -DNDEBUG $flags \
    -Iminiaudio -c implementation.c -o implementation.o
$AR rcD "$OUT/lib/libminiaudio.a" implementation.o
cp miniaudio/miniaudio.h miniaudio/stb_vorbis.c "$OUT/include/"
echo "$flags" >"$OUT/FLAGS"
