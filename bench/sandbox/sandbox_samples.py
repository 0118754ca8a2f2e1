"""Takes the samples of bench/sandbox/run, in the manner of bench/wasm/samples.py and with its tools."""

import os
import pathlib
import shutil
import time

import samples
from samples import HOSTS, ROOT, Talk, dependency, manifest, node, output

HERE = pathlib.Path(__file__).resolve().parent
STARTS, INSTANCES, STOPS = 3, 10, 3  # in a round
POOL, MANY = 8, 100
STOP_MS, GRACE_MS = 200, 30  # the grace is the program's
SCALARS, CALLS, TENSORS = 60_000, 100_000, 600
MEASURED = 4  # calls of a kernel in a node
TURNS, CALLS_AT_ONCE = 3, 2  # of a kernel in wasmtime's package
ENGINES = ("none", "epochs", "fuel")

PLUS = "def process(item):\n    return item + 1\n"
AS_IT_IS = "def process(item):\n    return item\n"
AS_ARRAY = "import numpy\n\ndef process(item):\n    return numpy.asarray(item)\n"
ENDLESS = "def process(item):\n    while True:\n        pass\n"
LOOP = """import time

def step(item):
    return item + 1

def process(calls):
    started = time.perf_counter_ns()
    for i in range(calls):
        step(i)
    return (time.perf_counter_ns() - started) / calls
"""


def python(code, sandboxed=False, **limits):
    made = node("p", "Python", code=code)
    return made | ({"runtime_hint": "cpython_wasm"} if sandboxed else {}) | ({"limits": limits} if limits else {})


def between(middle):
    return manifest(node("a", "PassThrough"), middle, node("z", "PassThrough"))


class Bench(samples.Bench):
    peers = ("wasmtime", "cli")
    kernel_code = ROOT / "bench/wasm/kernels.py"

    def __init__(self, name, build, wasm, say):
        super().__init__(name, build, wasm, say)
        self.build, self.modules = build, wasm
        self.python = build / "bin/python3.13"
        self.engine, self.driver = build / "lib/libremotemedia_wasmtime.so", build / "bench/bench_sandbox"
        cli = dependency("bench", "wasmtime-cli")
        self.cli = cli / "bin/wasmtime" if cli else None
        self.needed = [self.program, self.spawn, self.driver, self.engine, self.full, self.snapshot, self.python]

    def drive(self, part, *words, pool=0):
        """{name: [values]} of what the driver prints."""
        text = output([self.driver, self.engine, self.modules, self.build, pool, part, *words])
        values = {}
        for name, value in (line.split() for line in text.splitlines()):
            values.setdefault(name, []).append(float(value))
        return values

    def drive_into(self, prefix, part, *words, pool=0):
        for name, values in self.drive(part, *words, pool=pool).items():
            self.add(f"{prefix} {name}", *values)

    def prepare(self):
        pipelines = {
            "plus": manifest(python(PLUS)),
            "plus-node": manifest(python(PLUS, True)),
            "endless": manifest(python(ENDLESS)),
            "endless-node": manifest(python(ENDLESS, True, timeout_ms=STOP_MS)),
            "scalar-sandboxed": between(python(PLUS, True)),
            "scalar-native": between(python(PLUS)),
            "loop-sandboxed": manifest(python(LOOP, True)),
            "loop-native": manifest(python(LOOP)),
            "tensor-sandboxed": between(python(AS_IT_IS, True)),
            "array-sandboxed": between(python(AS_ARRAY, True)),
            "tensor-native": between(python(AS_IT_IS)),
        }
        for name, pipeline in pipelines.items():
            self.write(f"{name}.json", pipeline)
        for name in ("plus", "plus-node", "endless"):
            self.write(f"{name}-whole.json", {"manifest": pipelines[name], "input_data": [1]})
        code = self.kernel_code.read_text()
        for name, middle in (
            ("native", python(code)),
            ("sandboxed", python(code, True)),
            ("fuel", python(code, True, fuel=1 << 62)),
        ):
            self.write(f"kernel-{name}.json", manifest(middle))
        self.compile()

    def compile(self):
        """What is not in a cache yet, so that the parts measure and do not compile."""
        self.say(f"{self.name}: compiling what is not cached, minutes the first time")
        for pool in (0, POOL):
            self.drive("commands", 0, self.data / "plus-whole.json", pool=pool)
            self.drive("nodes", 0, self.data / "plus-node.json", pool=pool)
        self.drive("kernels", 0, "calls", *self.pipelines(fuel="kernel-fuel"))
        for command in self.start_commands().values():
            output(command)
        if self.wasmtime:
            self.engines().close()

    def pipelines(self, **files):
        return [f"{name}={self.data / file}.json" for name, file in files.items()]

    # ---- Start

    def compiled(self, file):
        """The code that wasmtime's command makes of it, made anew where the file is newer."""
        code = self.data / f"{file.stem}.cwasm"
        if not code.is_file() or code.stat().st_mtime < file.stat().st_mtime:
            self.say(f"{self.name}: wasmtime compiles {file.name}")
            output([self.cli, "compile", "-o", code, file])
        return code

    def start_commands(self):
        """{name: command}; wasmtime's own with what it has compiled."""
        job, in_node = self.data / "plus-whole.json", self.data / "plus-node-whole.json"
        commands = {
            "sandbox": [self.program, "run", "--sandbox", job],
            "small": [self.program, "run", "--sandbox", "--wasm", self.snapshot, job],
            "plain": [self.program, "run", "--sandbox", "--wasm", self.full, job],
            "node": [self.program, "run", in_node],
            "native": [self.program, "run", job],
            "python": [self.python, "-c", "pass"],
        }
        if self.cli:
            cli = [self.cli, "run", "--allow-precompiled", "--dir", self.data]
            commands["cli plain"] = [*cli, self.compiled(self.full), "run", job]
            commands["cli small"] = [*cli, self.compiled(self.snapshot), "run", job]
        return commands

    def starts(self, rounds):
        commands = self.start_commands()
        self.in_rounds(lambda: self.start_each(commands), rounds, 30)
        self.uncached(commands["sandbox"])

    def start_each(self, commands):
        for name, command in commands.items():
            for line in output([self.spawn, STARTS, *command]).splitlines():
                milliseconds, kib = map(float, line.split())
                self.add(f"start {name}", milliseconds)
                self.add(f"start {name} mib", kib / 1024)

    def uncached(self, command):
        empty = self.data / "empty-cache"
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir(mode=0o700)
        started = time.monotonic()
        output(command, env=os.environ | {"REMOTEMEDIA_CACHE_DIR": str(empty)})
        self.add("start uncached", time.monotonic() - started)
        shutil.rmtree(empty)

    # ---- Further instances, and their end

    def instances(self):
        for pool in (0, POOL):
            self.drive_into(f"command {pool}", "commands", INSTANCES, self.data / "plus-whole.json", pool=pool)
            self.drive_into(f"node {pool}", "nodes", INSTANCES, self.data / "plus-node.json", pool=pool)

    def stops(self):
        endless = self.data / "endless-whole.json"
        for grace in (0, GRACE_MS):
            self.drive_into(f"stop {grace}", "stop-command", STOPS, STOP_MS, grace, endless)
        self.drive_into("stop node", "stop-node", STOPS, STOP_MS, self.data / "endless-node.json")
        started = time.perf_counter()
        command = [self.program, "run", "--sandbox", "--timeout", f"{STOP_MS}ms", endless]
        text = output(["sh", "-c", '"$@" >/dev/null 2>&1; echo $?', "sh", *command])
        if text.strip() != "5":
            raise RuntimeError(f"a run that should time out ended with {text}")
        self.add("stop program", (time.perf_counter() - started) * 1000 - STOP_MS)

    def memory(self):
        for pool in (0, MANY):
            self.drive_into(f"memory {pool}", "memory", MANY, self.data / "plus-node.json", pool=pool)

    # ---- Items

    def scalars(self):
        files = self.pipelines(sandboxed="scalar-sandboxed", native="scalar-native")
        for way, at_once in (("stream", 0), ("lone", 1)):
            self.drive_into(way, "crossing", SCALARS, at_once, *files)
        self.drive_into("loop", "loop", CALLS, *self.pipelines(sandboxed="loop-sandboxed", native="loop-native"))

    def tensors(self):
        files = self.pipelines(sandboxed="tensor-sandboxed", array="array-sandboxed", native="tensor-native")
        for way, at_once in (("stream", 0), ("lone", 1)):
            self.drive_into(f"tensor {way}", "tensor", TENSORS, at_once, *files)

    # ---- Kernels

    def kernels(self):
        names = {}
        exec(compile(self.kernel_code.read_text(), "kernels.py", "exec"), names)
        files = self.pipelines(native="kernel-native", sandboxed="kernel-sandboxed", fuel="kernel-fuel")
        wasmtime = self.engines() if self.wasmtime else None
        for kernel in names["KERNELS"]:
            self.drive_into(f"kernel {kernel}", "kernels", MEASURED, kernel, *files)
            if wasmtime:
                self.kernel_in(wasmtime, kernel)
        if wasmtime:
            wasmtime.close()

    def engines(self):
        path = os.pathsep.join((str(self.wasmtime), str(HOSTS)))
        command = ["python3", HERE / "engines.py", self.snapshot, self.cache]
        return Talk(command, os.environ | {"PYTHONPATH": path})

    def kernel_in(self, wasmtime, kernel):
        """Milliseconds a call in each engine, often by turns; runs without a call tell what is not the kernel."""
        jobs = [self.write(f"kernel-{count}.json", self.kernel_job([kernel] * count)) for count in (0, CALLS_AT_ONCE)]
        cpu = {engine: ([], []) for engine in ENGINES}
        for _ in range(TURNS):
            for engine in ENGINES:
                for taken, job in zip(cpu[engine], jobs):
                    taken.append(wasmtime.ask(self.wasmtime_job(job, os.devnull) | {"engine": engine})["cpu"])
        for engine, (starts, runs) in cpu.items():
            calls = [1000 * (run - min(starts)) / CALLS_AT_ONCE for run in runs]
            self.add(f"kernel {kernel} wasmtime-{engine}", *calls)
