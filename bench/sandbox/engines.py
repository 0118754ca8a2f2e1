"""Runs commands in wasmtime with and without what interrupts a guest: jobs as for tests/support/hosts/wasmtime_host.py, with
one key more, "engine", one of ENGINES. Answers have one more as well: "cpu", the seconds that the thread ran.

Usage: engines.py FILE.wasm CACHE, with the package `wasmtime` and the folder of wasmtime_host.py on PYTHONPATH."""

import json
import pathlib
import sys
import threading
import time

import wasmtime
import wasmtime_host

ENGINES = {"none": (False, False), "epochs": (True, False), "fuel": (True, True)}  # has epochs, counts fuel


class Engine:
    def __init__(self, name, file, cache):
        self.epochs, self.fuel = ENGINES[name]
        config = wasmtime.Config()
        config.max_wasm_stack = wasmtime_host.WASM_STACK
        config.epoch_interruption, config.consume_fuel = self.epochs, self.fuel
        self.engine = wasmtime.Engine(config)
        self.module = wasmtime_host.load(self.engine, file, pathlib.Path(cache) / name)
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()

    def run(self, job):
        """The epoch that would end it never comes, and its fuel lasts."""
        store = wasmtime.Store(self.engine)
        if self.epochs:
            store.set_epoch_deadline(1)
        if self.fuel:
            store.set_fuel(1 << 62)
        started = time.thread_time()
        answer = wasmtime_host.run(store, self.linker, self.module, job)
        return answer | {"cpu": time.thread_time() - started}


def serve(file, cache):
    engines = {name: Engine(name, file, cache) for name in ENGINES}
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(engines[job["engine"]].run(job)), flush=True)


def main():
    threading.stack_size(wasmtime_host.HOST_STACK)
    thread = threading.Thread(target=serve, args=sys.argv[1:3])
    thread.start()
    thread.join()


main()
