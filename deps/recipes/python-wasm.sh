#!/bin/sh
# CPython as a static library for WASI. Everything it can have there is built in; its standard library is
# the native one's, frozen by the project. Runs in the unpacked source with OUT, JOBS, CC and DEP_* set.
set -eu

here=$(dirname "$0")
python3 "$here/python-edit.py"

# Node's WASI never returns from the absolute sleep that clock_nanosleep asks for.
cat >config.site <<END
. Tools/wasm/config.site-wasm32-wasi
ac_cv_func_clock_nanosleep=no
ac_cv_lib_rt_clock_nanosleep=no
END
CONFIG_SITE=config.site HOSTRUNNER=true PKG_CONFIG=false \
    ZLIB_CFLAGS="-I$DEP_ZLIB/include" ZLIB_LIBS="-L$DEP_ZLIB/lib -lz" \
    ./configure -q --prefix=/ --host=wasm32-wasip1 --build="$(uname -m)-pc-linux-gnu" \
    --with-build-python="$DEP_NATIVE_PYTHON/bin/python3.13" \
    --with-hash-algorithm=siphash13 --with-pymalloc --with-system-libmpdec=no --disable-test-modules \
    --without-ensurepip CC="$CC" CPP="$CC -E" AR="$AR" RANLIB="$RANLIB" \
    OPT="-DNDEBUG -O3 -fwrapv -Wall" CPPFLAGS="-DPy_C_RECURSION_LIMIT=500"
make -s -j "$JOBS" libpython3.13.a pybuilddir.txt Modules/_decimal/libmpdec/libmpdec.a Modules/expat/libexpat.a \
    Modules/_hacl/libHacl_Hash_SHA2.a

mkdir -p "$OUT/lib/python3.13" "$OUT/include/python3.13"
cp libpython3.13.a Modules/_decimal/libmpdec/libmpdec.a Modules/expat/libexpat.a \
    Modules/_hacl/libHacl_Hash_SHA2.a "$OUT/lib/"
cp "$(cat pybuilddir.txt)"/_sysconfigdata__*.py "$OUT/lib/python3.13/"
cp -R Include/. pyconfig.h "$OUT/include/python3.13/"
