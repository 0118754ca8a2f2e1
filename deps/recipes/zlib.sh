#!/bin/sh
# Without the functions that read and write .gz files: Python has its own.
set -eu
mkdir -p "$OUT/include" "$OUT/lib"
files="adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil"
for name in $files; do
    $CC -O3 $PIC -DNDEBUG -DHAVE_UNISTD_H -c "$name.c" -o "$name.o"
done
$AR rcD "$OUT/lib/libz.a" $(for name in $files; do echo "$name.o"; done)
cp zlib.h zconf.h "$OUT/include/"
