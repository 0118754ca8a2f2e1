#!/bin/sh
# One part of miniaudio: what decodes a frame of MP3 (dr_mp3), without what reads files. docs/dependencies.md says why
# each option and each change was chosen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# In WASM -Os decodes as fast as -O2 and is a quarter smaller.
optimize=-O2
[ "$TARGET" != wasm ] || optimize=-Os
mkdir -p "$OUT/include" "$OUT/lib"
# Prints the header (h) or the source (c), up to what comes behind the decoder of a frame.
part() { sed -n "/^\/\* dr_mp3_$1 begin \*\/\$/,/^MA_API void ma_dr_mp3dec_f32_to_s16(/p" miniaudio/miniaudio.h | sed '$d'; }
{
    printf '#include <stdint.h>\ntypedef uint8_t ma_uint8;\ntypedef uint16_t ma_uint16;\ntypedef uint32_t ma_uint32;\n'
    printf 'typedef int16_t ma_int16;\ntypedef int32_t ma_int32;\n#define MA_API extern\n'
    part h
    printf '#endif\n'
} >"$OUT/include/miniaudio_mp3.h"
{
    printf '#include "miniaudio_mp3.h"\n'
    part c
    printf '#endif\n'
} >mp3.c
# Vectors of the compiler instead of a processor's: the same bits on every host, at the same speed.
cp "$here/miniaudio-vector.h" .
sed -i -e 's|^#if !defined(MA_DR_MP3_NO_SIMD)$|#if 1\n#include "miniaudio-vector.h"\n#elif 0|' \
    -e 's/_mm_store_ss(\(.*\), _mm_shuffle_ps(\([ab]\), [ab], _MM_SHUFFLE(\([0-3]\),.*$/*(\1) = \2[\3];/' \
    -e 's/^\(#define MA_DR_MP3_VSAVE2(i, v)\) _mm_storel_pi.*/\1 (y[(i)*18] = (v)[0], y[(i)*18 + 1] = (v)[1])/' mp3.c
# Intensity stereo: the last band has the position of the band before it, whatever the coding of that one is, as in
# FFmpeg.
sed -i 's/^\( *ist_pos\[itop\] = \)(ma_uint8)(max_band\[i\] >= prev ? default_pos : ist_pos\[prev\]);$/\1ist_pos[prev];/' mp3.c
[ "$(grep -c '^#include "miniaudio-vector.h"$\|^            \*(dst[lr].*[ab]\[[0-3]\];$\|VSAVE2(i, v) (y\|^ *ist_pos\[itop\] = ist_pos\[prev\];$' mp3.c)" = 11 ]
$CC -std=c11 $optimize $PIC -ffp-contract=off -fno-strict-aliasing -fvisibility=hidden -DNDEBUG -DMA_DR_MP3_FLOAT_OUTPUT \
    -I"$OUT/include" -I. -c mp3.c -o mp3.o
$AR rcD "$OUT/lib/libminiaudio.a" mp3.o
