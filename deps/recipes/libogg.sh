#!/bin/sh
# Only what finds pages and checks their sums; packets are put together by the reader, which holds none longer than it must.
set -eu
mkdir -p "$OUT/include/ogg" "$OUT/lib"
cat >include/ogg/config_types.h <<'END'
#include <stdint.h>
typedef int16_t ogg_int16_t;
typedef uint16_t ogg_uint16_t;
typedef int32_t ogg_int32_t;
typedef uint32_t ogg_uint32_t;
typedef int64_t ogg_int64_t;
typedef uint64_t ogg_uint64_t;
END
$CC -std=c99 -O2 $PIC -ffunction-sections -fdata-sections -fvisibility=hidden -Iinclude -c src/framing.c -o framing.o
$AR rcD "$OUT/lib/libogg.a" framing.o
cp include/ogg/ogg.h include/ogg/os_types.h include/ogg/config_types.h "$OUT/include/ogg/"
