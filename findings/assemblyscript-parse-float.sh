#!/bin/sh
# AssemblyScript's parseFloat reads numbers of many digits between 1e38 and 1e54 as about 1e38.
#
# assemblyscript 0.28.20, binaryen 132.0.0. "1.4863756283822065e+51" is read as 1.4863756283822065e+38: the exponent
# is lost, not the digits. The same value with fewer digits is read right, and so are larger and smaller ones. It is
# the text that String(x) and Python's repr(x) write for such doubles, so these do not survive a way through text.
. "$(dirname "$0")/support"
npm_packages assemblyscript@0.28.20 binaryen@132.0.0 long@5.3.2

echo 'export function read(text: string): f64 { return parseFloat(text); }' >probe.ts
node node_modules/assemblyscript/bin/asc.js probe.ts -o probe.wasm --bindings esm
cat >show.js <<'END'
import { read } from "./probe.js";

for (const text of ["1.4863756283822065e+37", "1.2345678901234568e+45", "1.4863756283822065e+51", "1.4863756283822065e+60", "1.4863e+51"])
  console.log(text, read(text), Number(text) === read(text) ? "right" : "wrong");
END
node show.js >seen
expect <<'END'
1.4863756283822065e+37 1.4863756283822065e+37 right
1.2345678901234568e+45 1.2345678901234568e+38 wrong
1.4863756283822065e+51 1.4863756283822065e+38 wrong
1.4863756283822065e+60 1.4863756283822065e+60 right
1.4863e+51 1.4863e+51 right
END
