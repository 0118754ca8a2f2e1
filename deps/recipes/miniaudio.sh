#!/bin/sh
# The decoder of MP3, and the converters. Whoever includes the header defines the same words: they
# stand in FLAGS beside it. docs/dependencies.md says why each was chosen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
flags="-DMA_NO_DEVICE_IO -DMA_NO_THREADING -DMA_NO_RESOURCE_MANAGER -DMA_NO_NODE_GRAPH -DMA_NO_ENGINE -DMA_NO_GENERATION"
flags="$flags -DMA_NO_WAV -DMA_NO_FLAC -DMA_NO_ENCODING -DMA_DR_MP3_FLOAT_OUTPUT"
# In WASM -Os decodes as fast as -O2 and is a quarter smaller.
optimize=-O2
[ "$TARGET" != wasm ] || optimize=-Os
# MP3 by vectors of the compiler instead of a processor's: the same bits on every host, at the same speed.
cp "$here/miniaudio-vector.h" miniaudio/
sed -i -e 's|^#if !defined(MA_DR_MP3_NO_SIMD)$|#if 1\n#include "miniaudio-vector.h"\n#elif 0|' \
    -e 's/_mm_store_ss(\(.*\), _mm_shuffle_ps(\([ab]\), [ab], _MM_SHUFFLE(\([0-3]\),.*$/*(\1) = \2[\3];/' \
    -e 's/^\(#define MA_DR_MP3_VSAVE2(i, v)\) _mm_storel_pi.*/\1 (y[(i)*18] = (v)[0], y[(i)*18 + 1] = (v)[1])/' \
    -e '/^MA_API void ma_dr_mp3dec_f32_to_s16(.*)$/,/^}/s/^#if MA_DR_MP3_HAVE_SIMD$/#if 0/' miniaudio/miniaudio.h
[ "$(grep -c '^#include "miniaudio-vector.h"$\|^            \*(dst[lr].*[ab]\[[0-3]\];$\|VSAVE2(i, v) (y' miniaudio/miniaudio.h)" = 10 ]
cat >implementation.c <<'END'
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"
END
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c11 -D_GNU_SOURCE $optimize $PIC -ffp-contract=off -fno-strict-aliasing -fvisibility=hidden -DNDEBUG $flags \
    -Iminiaudio -c implementation.c -o implementation.o
$AR rcD "$OUT/lib/libminiaudio.a" implementation.o
cp miniaudio/miniaudio.h "$OUT/include/"
# The MP3 decoder is declared only inside of the implementation.
{
    printf '#include <miniaudio.h>\n'
    sed -n '/^\/\* dr_mp3_h begin \*\/$/,/^\/\* dr_mp3_h end \*\/$/p' miniaudio/miniaudio.h
} >"$OUT/include/miniaudio_mp3.h"
grep -q ma_dr_mp3dec_decode_frame "$OUT/include/miniaudio_mp3.h"
echo "$flags" >"$OUT/FLAGS"
