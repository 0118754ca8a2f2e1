#!/bin/sh
# jco with what it stands on, as its lock file beside this says; without what it needs only to compile JavaScript. Runs in the
# unpacked package with OUT set.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cp "$here/jco-package.json" "$OUT/package.json"
cp "$here/jco-package-lock.json" "$OUT/package-lock.json"
cd "$OUT"
npm ci --ignore-scripts --no-audit --no-fund
cd node_modules
rm -rf @bytecodealliance/componentize* @bytecodealliance/wizer* @bytecodealliance/weval* @andreiltd @typescript typescript \
    typescript-compiler-api binaryen
.bin/jco --version
