#!/bin/sh
# The decoder, in floats. No intrinsics, no choice of instructions at run time and no approximations: the same bits on every host.
set -eu
# Natively as fast as it can be; in WASM smaller, which is as fast there.
optimize="-O3 -fno-trapping-math"
[ "$TARGET" != wasm ] || optimize=-O2
celt="bands celt celt_decoder celt_lpc cwrs entcode entdec entenc kiss_fft laplace mathops mdct modes pitch quant_bands rate vq"
silk="$(sed -n 's/^silk\/\(.*\)\.c.*/\1/p' silk_sources.mk | sed '/^fixed\|^float\|^x86\|^arm/d')"
sources="src/opus.c src/opus_decoder.c src/opus_multistream.c src/opus_multistream_decoder.c src/extensions.c"
for name in $celt; do sources="$sources celt/$name.c"; done
for name in $silk; do sources="$sources silk/$name.c"; done
mkdir -p "$OUT/include" "$OUT/lib" objects
for source in $sources; do
    echo "$source objects/$(echo "$source" | tr / _).o"
done | xargs -P "$JOBS" -n 2 sh -c "$CC -std=c99 $optimize $PIC -ffp-contract=off -fno-math-errno -ffunction-sections -fdata-sections \
    -fvisibility=hidden -w -D_GNU_SOURCE -DNDEBUG -DOPUS_BUILD -DVAR_ARRAYS -DHAVE_LRINT -DHAVE_LRINTF -DHAVE_STDINT_H \
    -DENABLE_HARDENING -Iinclude -Icelt -Isilk -Isilk/float -c \"\$0\" -o \"\$1\""
$AR rcD "$OUT/lib/libopus.a" objects/*.o
cp include/opus.h include/opus_multistream.h include/opus_types.h include/opus_defines.h "$OUT/include/"
