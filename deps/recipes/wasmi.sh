#!/bin/sh
# The command of wasmi, an interpreter, from its Rust source, with the versions of its Cargo.lock. Runs in the unpacked crate
# with OUT and JOBS set; Rust has to be there.
set -eu

command -v cargo >/dev/null || { echo "wasmi: there is no cargo; install Rust 1.86 or newer" >&2; exit 1; }
cargo build --locked --release --no-default-features --features stable,run,wasi,simd,auto-dispatch \
    --config 'profile.release.lto = "thin"' --target-dir target -j "$JOBS"
mkdir "$OUT/bin"
cp target/release/wasmi "$OUT/bin/wasmi"
"$OUT/bin/wasmi" --version
