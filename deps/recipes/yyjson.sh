#!/bin/sh
# The release keeps its two files in src/, the Python package in yyjson/. The WASM files are to be small: -O2 is as fast
# there, and what JSON does not have (comments, NaN), which nobody asks for, is left out.
set -eu
optimize=-O3
[ "$TARGET" != wasm ] || optimize="-O2 -DYYJSON_DISABLE_NON_STANDARD"
dir=src
[ -f src/yyjson.c ] || dir=yyjson
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c99 $optimize $PIC -ffp-contract=off -fvisibility=hidden -DNDEBUG -c "$dir/yyjson.c" -o yyjson.o
$AR rcD "$OUT/lib/libyyjson.a" yyjson.o
cp "$dir/yyjson.h" "$OUT/include/"
