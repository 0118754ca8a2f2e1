#!/bin/sh
# The release keeps its two files in src/, the Python package in yyjson/.
set -eu
dir=src
[ -f src/yyjson.c ] || dir=yyjson
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c99 -O3 $PIC -ffp-contract=off -fvisibility=hidden -DNDEBUG -c "$dir/yyjson.c" -o yyjson.o
$AR rcD "$OUT/lib/libyyjson.a" yyjson.o
cp "$dir/yyjson.h" "$OUT/include/"
