"""Modules for "node_type": "wasm:FILE" that do not mean well, made from parts of WebAssembly text."""
import struct
import sys

from support import ROOT  # noqa: F401 (it makes the next ones findable)

from ports import dependency

sys.path.insert(0, str(dependency("wasmtime")))
import wasmtime  # noqa: E402

EXCHANGE, INPUT, ERROR, OUTPUT = 64, 4096, 20480, 32768
INPUT_SIZE = 16384
NO_TIME = -(1 << 63)

# What an honest module exports: name, signature, body. This one takes all packets and emits nothing.
HONEST = {
    "rm_node_interface": ("(result i32)", "(i32.const 1)"),
    "rm_node_exchange": ("(result i32)", f"(i32.const {EXCHANGE})"),
    "rm_node_reserve": ("(param i32) (result i32)", f"(i32.gt_u (local.get 0) (i32.const {INPUT_SIZE}))"),
    "rm_node_open": ("(param i32) (result i32)", "(call $quiet) (i32.const 0)"),
    "rm_node_process": ("(param i32 i32) (result i32)", "(call $quiet) (call $take) (i32.const 0)"),
}
OPTIONAL = {
    "_initialize": "",
    "rm_node_describe": "(param i32) (result i32)",
    "rm_node_more": "(result i32)",
    "rm_node_generate": "(result i32)",
    "rm_node_poll": "(result i32)",
    "rm_node_end": "(result i32)",
    "rm_node_flush": "(result i32)",
    "rm_node_abandon": "(param i64) (result i32)",
    "rm_node_close": "(result i32)",
}
# $quiet: no output, no error. $take: done is what the input area counts. $say: the output is that of a data segment.
HELPERS = f"""
  (func $set (param i32 i32) (i32.store (i32.add (i32.const {EXCHANGE}) (local.get 0)) (local.get 1)))
  (func $done (param i32) (call $set (i32.const 16) (local.get 0)))
  (func $output (param i32 i32) (call $set (i32.const 8) (local.get 0)) (call $set (i32.const 12) (local.get 1)))
  (func $error (param i32 i32) (call $set (i32.const 20) (local.get 0)) (call $set (i32.const 24) (local.get 1)))
  (func $quiet (call $output (i32.const {OUTPUT}) (i32.const 0)) (call $error (i32.const {ERROR}) (i32.const 0)))
  (func $count (result i32) (i32.load (i32.const {INPUT})))
  (func $take (call $done (call $count)))
  (func $value (result i64) (i64.load (i32.const {INPUT + 8 + 32 + 1})))
  (func $forever (loop $again (br $again)))
  (func $deep (call $deep) (call $deep))
"""
SPIN, TRAP, DEEP = "(call $forever) (unreachable)", "(unreachable)", "(call $deep) (unreachable)"


def text(data):
    return "".join(f"\\{byte:02x}" for byte in data)


def exchange(input=INPUT, input_size=INPUT_SIZE, output=OUTPUT, length=0, done=0, error=ERROR, error_length=0, wait=0.0):
    return struct.pack("<8Id", input, input_size, output, length, done, error, error_length, 0, wait)


def says(events):
    """Instructions after which `events`, which stand at OUTPUT, are the output."""
    return f"(call $output (i32.const {OUTPUT}) (i32.const {len(events)}))"


def module(functions=None, without=(), events=b"", error=b"", area=None, memory='(memory (export "memory") 2)', more="",
           imports=""):
    """The bytes of a module: `functions` maps exports to bodies, or to (signature, body)."""
    parts = dict(HONEST)
    for name, body in (functions or {}).items():
        signature = parts[name][0] if name in parts else OPTIONAL[name]
        parts[name] = body if isinstance(body, tuple) else (signature, body)
    bodies = "\n".join(f'  (func (export "{name}") {signature} {body})' for name, (signature, body) in parts.items()
                       if name not in without)
    data = ((EXCHANGE, area if area is not None else exchange()), (OUTPUT, events), (ERROR, error))
    segments = "\n".join(f'  (data (i32.const {at}) "{text(content)}")' for at, content in data if content)
    if not memory:
        segments = ""
    return bytes(wasmtime.wat2wasm(f"(module\n  {imports}\n  {memory}\n{HELPERS}\n{bodies}\n{segments}\n  {more})"))


# ---- Records

def emit(value=b"\0", port=0, seq=-1, timestamp=NO_TIME, duration=NO_TIME, flags=0, metadata=b"\0"):
    return struct.pack("<IIqqqII", 1, port, seq, timestamp, duration, flags, 0) + value + metadata


def integer(number):
    return struct.pack("<Bq", 3, number)


def string(content):
    data = content.encode() if isinstance(content, str) else content
    return struct.pack("<BI", 6, len(data)) + data


def listed(*items):
    return struct.pack("<BI", 8, len(items)) + b"".join(items)


def mapped(**entries):
    head = struct.pack("<BI", 9, len(entries))
    return head + b"".join(struct.pack("<I", len(key)) + key.encode() + value for key, value in entries.items())


def suspend(token):
    return struct.pack("<IIQ", 2, 0, token)


def resume(token):
    return struct.pack("<IIQ", 3, 0, token)


def finish(token, code=0, error=b"\0"):
    return struct.pack("<IIQi", 4, 0, token, code) + error


def log(level, content):
    return struct.pack("<II", 5, level) + string(content)


def process(events, take="(call $take)", answer=0):
    """A module whose node, given a packet, answers with these events."""
    return module({"rm_node_process": f"(call $quiet) {take} {says(events)} (i32.const {answer})"}, events=events)
