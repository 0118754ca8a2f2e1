#!/bin/sh
# numpy as one static library for WASI, its Python files and the table of its extension modules. numpy's own meson
# compiles it, but only the objects: nothing shared is linked. Runs in the unpacked source with OUT, JOBS, CC and DEP_*.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$PWD
python=$DEP_NATIVE_PYTHON/bin/python3.13
export PYTHONPATH="$DEP_TOOL_CYTHON" PYTHONDONTWRITEBYTECODE=1
cp "$here/numpy-gemm.h" numpy/_core/src/umath/rm_gemm.h
cp "$here/numpy-file.h" numpy/_core/include/numpy/rm_file.h
cp "$here/numpy-sort.hpp" numpy/_core/src/npysort/rm_sort.hpp
"$python" "$here/numpy-edit.py"

# Python's headers for WASI come before those meson finds; objects for a shared module are ours to link statically. Code
# that is large and has no inner loops of array work is made small.
cat >wasm-compiler <<END
#!/bin/sh
small=
for flag; do
    shift
    case \$flag in
    */lapack_lite/f2c_*lapack.c) small=-Os ;;
    *.pyx.c | */textreading/*.c* | */multiarray/datetime*.c | */multiarray/dragon4.c | */multiarray/stringdtype/*.c | \\
        */umath/string*.cpp) small=-Oz ;;
    esac
    case \$flag in
    -fPIC | -Wl,--start-group | -Wl,--end-group | -Wl,--as-needed | -Wl,--no-undefined | -Wl,-O1) ;;
    *) set -- "\$@" "\$flag" ;;
    esac
done
exec "$CC" -I"$DEP_PYTHON/include/python3.13" -msimd128 -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID \\
    -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN \\
    -DFE_INVALID=1 -DFE_DIVBYZERO=4 -DFE_OVERFLOW=8 -DFE_UNDERFLOW=16 "\$@" \$small
END
cat >wasm-compiler++ <<END
#!/bin/sh
exec "$root/wasm-compiler" --driver-mode=g++ -stdlib=libc++ -nostdinc++ \\
    -isystem "$DEP_LIBCXX/usr/lib/llvm-19/include/wasm32-wasi/c++/v1" -L"$DEP_LIBCXX/usr/lib/wasm32-wasi" \\
    -L"$DEP_LIBCXXABI/usr/lib/wasm32-wasi" "\$@"
END
mkdir tools-bin
printf '#!/bin/sh\nexec "%s" -m cython --no-docstrings "$@"\n' "$python" >tools-bin/cython
chmod 755 wasm-compiler wasm-compiler++ tools-bin/cython
export PATH="$root/tools-bin:$PATH"
cat >wasm.cross <<END
[binaries]
c = '$root/wasm-compiler'
cpp = '$root/wasm-compiler++'
ar = '$AR'
ranlib = '$RANLIB'
strip = 'llvm-strip-19'
python = '$python'
cython = '$root/tools-bin/cython'
pkg-config = 'false'
[properties]
needs_exe_wrapper = true
skip_sanity_check = true
longdouble_format = 'IEEE_QUAD_LE'
[host_machine]
system = 'wasi'
cpu_family = 'wasm32'
cpu = 'wasm'
endian = 'little'
END
"$python" vendored-meson/meson/meson.py setup made . --cross-file wasm.cross -Dbuildtype=release -Doptimization=2 \
    -Db_ndebug=true -Dallow-noblas=true -Dblas=none -Dlapack=none -Dcpu-baseline=none \
    -Dcpu-dispatch=none -Ddisable-threading=true -Ddisable-svml=true -Ddisable-intel-sort=true --prefix=/usr
"$python" "$here/numpy-objects.py" made

mkdir -p "$OUT/lib" "$OUT/include/tests" "$OUT/python"
for source in numpy-fenv.c numpy-throw.c; do
    ./wasm-compiler -O2 -Wall -Wextra -c "$here/$source" -o "made/${source%.c}.o"
done
(cd made && xargs ninja -j "$JOBS" <targets.txt)
"$python" "$here/numpy-objects.py" made --archive "$AR" --nm llvm-nm-19 --out "$OUT"
cp "$DEP_LIBCXX/usr/lib/wasm32-wasi/libc++.a" "$DEP_LIBCXXABI/usr/lib/wasm32-wasi/libc++abi.a" "$OUT/lib/"
"$python" "$here/numpy-python.py" made "$OUT/python"
