#!/bin/sh
# CPython as a static, position-independent library with its program, headers and standard library.
# The prefix is a name that exists nowhere: Python finds its files from where its program lies, so the tree can
# be copied. Runs in the unpacked source with OUT, JOBS, CC and DEP_MUSL set.
set -eu

here=$(dirname "$0")
python3 "$here/python-edit.py"

hidden=libmuslm.a:libmpdec.a:libexpat.a:libHacl_Hash_SHA2.a
for name in readline _curses _curses_panel _tkinter _dbm _gdbm _uuid nis; do
    echo "py_cv_module_$name=n/a"
done >config.site

# libmuslm.a stands first among the libraries, or the system's libm would win.
CONFIG_SITE=config.site ./configure -q --prefix=/remotemedia-python \
    --with-hash-algorithm=siphash13 --with-system-libmpdec=no --disable-test-modules --with-ensurepip=install \
    OPT="-DNDEBUG -O3 -fwrapv -Wall" CC="$CC" \
    CFLAGS="-fPIC -fno-semantic-interposition -ffp-contract=off" CPPFLAGS="-DPy_C_RECURSION_LIMIT=500" \
    LDFLAGS_NODIST="-Wl,--exclude-libs,$hidden" LIBS="$DEP_MUSL/lib/libmuslm.a"
make -s -j "$JOBS"
make -s install DESTDIR="$PWD/stage" >install.log

for module in _ssl _ctypes _sqlite3 zlib _bz2 _lzma; do
    ./python -c "import $module" || { echo "python: module $module was not built" >&2; exit 1; }
done

mv stage/remotemedia-python/* "$OUT/"
cp libpython3.13.a Modules/_decimal/libmpdec/libmpdec.a Modules/expat/libexpat.a \
    Modules/_hacl/libHacl_Hash_SHA2.a "$OUT/lib/"

# What nobody needs at run time: tests, the editor, the copy of the library, byte code of other levels.
cd "$OUT/lib/python3.13"
rm -rf test idlelib turtledemo turtle.py tkinter lib2to3 config-3.13-* ../pkgconfig "$OUT/share"
find . \( -name '*.opt-1.pyc' -o -name '*.opt-2.pyc' \) -delete
find . -depth -type d \( -name tests -o -name idle_test \) -exec rm -rf {} +
strip --strip-unneeded lib-dynload/*.so

# The scripts name the prefix; these find the program beside themselves.
cd "$OUT/bin"
find . ! -name python3.13 ! -name . -delete
ln -s python3.13 python3
printf '#!/bin/sh\nexec "$(dirname "$0")/python3.13" -m pip "$@"\n' >pip3
chmod 755 pip3
