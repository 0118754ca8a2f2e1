#!/bin/sh
# The header alone, from the source of numpy, which carries it.
set -eu
mkdir -p "$OUT/include"
cp -R numpy/_core/src/common/dlpack "$OUT/include/"
