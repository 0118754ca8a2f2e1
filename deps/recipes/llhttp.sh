#!/bin/sh
# The three files that llhttp's generator has made, as they are in the sources of httptools.
set -eu
cd vendor/llhttp
mkdir -p "$OUT/include" "$OUT/lib"
$CC -std=c99 -O2 $PIC -fvisibility=hidden -Iinclude -c src/api.c src/http.c src/llhttp.c
$AR rcD "$OUT/lib/libllhttp.a" api.o http.o llhttp.o
cp include/llhttp.h "$OUT/include/"
