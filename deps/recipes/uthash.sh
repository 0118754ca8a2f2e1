#!/bin/sh
set -eu
mkdir -p "$OUT/include"
cp src/*.h "$OUT/include/"
