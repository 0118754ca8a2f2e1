#!/bin/sh
# Only the math functions of musl, as a static archive: they give the bits that wasi-libc's give, glibc's do not.
# The generic C files are taken; assembly twins would differ. sqrt and fabs are exact everywhere, so they may
# use the machine's instruction. Runs in the unpacked source with OUT, JOBS and CC set.
set -eu

arch=$(uname -m)
./configure --disable-shared CC="$CC" >configure.log
make -s obj/include/bits/alltypes.h obj/include/bits/syscall.h

flags="-std=c99 -nostdinc -ffreestanding -O2 -fPIC -ffp-contract=off -fno-builtin -frounding-math -fno-strict-aliasing
 -fexcess-precision=standard -w -D_XOPEN_SOURCE=700 -Iarch/$arch -Iarch/generic -Isrc/include -Isrc/internal
 -Iobj/include -Iinclude"
exact="sqrt sqrtf fabs fabsf"

mkdir -p build
for file in src/math/*.c; do
    name=$(basename "$file" .c)
    case " $exact " in
    *" $name "*) [ ! -f "src/math/$arch/$name.c" ] || file=src/math/$arch/$name.c ;;
    esac
    echo "$file build/$name.o"
done | xargs -P "$JOBS" -n 2 sh -c "$CC $(echo $flags) -c \"\$0\" -o \"\$1\""

mkdir -p "$OUT/lib"
ar rcD "$OUT/lib/libmuslm.a" build/*.o
