"""Runs commands in wasmtime, each in a fresh instance, as node.mjs does in Node (the same jobs and answers;
"memory" limits the bytes of an instance's memory).

Usage: python3 wasmtime_host.py FILE.wasm CACHE, with the package `wasmtime` on PYTHONPATH. Compiling takes long, so the
compiled module is kept in the folder CACHE under the file's sha256.
"""
import hashlib
import importlib.metadata
import json
import os
import pathlib
import sys
import threading

import wasmtime

WASM_STACK = 1 << 20  # as much as Node's main thread has; more than 2 MiB would need another setting
HOST_STACK = 64 << 20


def load(engine, file, cache):
    data = pathlib.Path(file).read_bytes()
    version = importlib.metadata.version("wasmtime")
    name = f"{hashlib.sha256(data).hexdigest()}-{version}.cwasm"
    kept = pathlib.Path(cache) / name
    if kept.is_file():
        return wasmtime.Module.deserialize_file(engine, str(kept))
    module = wasmtime.Module(engine, data)
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_bytes(module.serialize())
    os.replace(part, kept)
    return module


def run(store, linker, module, job):
    if "memory" in job:
        store.set_limits(memory_size=job["memory"])
    wasi = wasmtime.WasiConfig()
    wasi.argv = job["args"]
    wasi.env = list(job["env"].items())
    for guest, host in job["preopens"].items():
        wasi.preopen_dir(host, guest)
    wasi.stdin_file, wasi.stdout_file, wasi.stderr_file = job["stdin"], job["stdout"], job["stderr"]
    store.set_wasi(wasi)
    try:
        linker.instantiate(store, module).exports(store)["_start"](store)
        return {"exit": 0}
    except wasmtime.ExitTrap as end:
        return {"exit": end.code}
    except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
        return {"trouble": f"a trap: {trap}"[:4000]}


def serve(file, cache):
    config = wasmtime.Config()
    config.max_wasm_stack = WASM_STACK
    engine = wasmtime.Engine(config)
    module = load(engine, file, cache)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    for line in sys.stdin:
        print(json.dumps(run(wasmtime.Store(engine), linker, module, json.loads(line))), flush=True)


def main():
    threading.stack_size(HOST_STACK)  # deep guests must trap, not crash the host
    thread = threading.Thread(target=serve, args=sys.argv[1:3])
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
