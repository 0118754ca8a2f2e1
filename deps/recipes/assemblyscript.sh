#!/bin/sh
# The compiler beside what it imports: Node looks for packages nowhere else.
set -eu
mkdir -p "$OUT/node_modules" "$OUT/bin"
cp -r . "$OUT/node_modules/assemblyscript"
ln -s "$DEP_LONG" "$OUT/node_modules/long"
ln -s "$DEP_TOOL_BINARYEN" "$OUT/node_modules/binaryen"
ln -s ../node_modules/assemblyscript/bin/asc.js "$OUT/bin/asc"
chmod +x "$OUT/node_modules/assemblyscript/bin/asc.js"
