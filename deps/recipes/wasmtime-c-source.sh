#!/bin/sh
# wasmtime's C library from its Rust source, with what we use of it, and its headers. The versions of all that it links are
# those of its Cargo.lock. Runs in the unpacked crate with OUT, JOBS and CC set; Rust has to be there.
set -eu

here=$(dirname "$0")
features="cranelift parallel-compilation pooling-allocator async wat disable-logging"

command -v cargo >/dev/null || { echo "wasmtime-c-source: there is no cargo; install Rust 1.95 or newer" >&2; exit 1; }
cargo rustc --locked --release --lib --crate-type cdylib --no-default-features --features "$features" \
    --target-dir target -j "$JOBS" --config 'profile.release.panic = "abort"' --config 'profile.release.strip = "symbols"' \
    --config "build.rustflags = ['--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=', '--remap-path-prefix=$PWD=']" \
    -- -C link-arg=-Wl,-soname,libwasmtime.so.48

mkdir "$OUT/lib"
cp target/release/libwasmtime_c_api.so "$OUT/lib/libwasmtime.so.48"
ln -s libwasmtime.so.48 "$OUT/lib/libwasmtime.so"
cmake -DWASMTIME_HEADER_DST="$OUT/include" -DWASMTIME_DISABLE_ALL_FEATURES=ON \
    $(for name in $features; do echo "-DWASMTIME_FEATURE_$(echo "$name" | tr a-z- A-Z_)=ON"; done) \
    -P cmake/install-headers.cmake

cargo metadata --locked --format-version 1 --no-default-features --features "$features" \
    --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" | python3 -B "$here/wasmtime-c-source-licenses.py" >"$OUT/LICENSE.txt"
