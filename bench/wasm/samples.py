"""Takes the samples of bench/wasm/run: {key: [values]}, each list in the order in which it was measured. What is
compared is measured in turn, so that it meets the same load. What is not installed leaves its keys out."""

import array
import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import time
import wave

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOSTS = ROOT / "tests/support/hosts"
WARM_UP, MEASURED = 15, 10  # items of a kernel
HOP_ITEMS = 300_000
JSON_ITEMS = {"few": 150, "many": 600}
AUDIO_SECONDS = {"few": 60, "many": 600}


def output(command, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise RuntimeError(f"{words[:400]}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def took(command, stdin=None):
    """{"wall", "cpu"}: the milliseconds of a whole process; "cpu" is that of all its threads."""
    with open(stdin or os.devnull, "rb") as source:
        started = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdin=source, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:400]}\nended with {process.returncode}")
    return {"wall": wall * 1000, "cpu": (usage.ru_utime + usage.ru_stime) * 1000}


def manifest(*nodes):
    ids = [node["id"] for node in nodes]
    connections = [{"from": a, "to": b} for a, b in zip(ids, ids[1:])]
    return {"version": "v1", "metadata": {"name": "bench"}, "nodes": list(nodes), "connections": connections}


def node(id, node_type, **params):
    return {"id": id, "node_type": node_type, "params": params}


def chain(n):
    return manifest(*(node(f"n{i}", "PassThrough") for i in range(n)))


class Talk:
    """A process that answers each line with a line."""

    def __init__(self, command, env=None):
        words = [str(word) for word in command]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[:2]} has ended")
        answer = json.loads(line)
        if isinstance(answer, dict) and (answer.get("trouble") or answer.get("exit")):
            raise RuntimeError(f"{self.process.args[:2]}: {answer}"[:2000])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def dependency(target, name):
    try:
        text = output([sys.executable, ROOT / "deps/deps.py", "--target", target, "path", name])
        return pathlib.Path(text.strip())
    except RuntimeError:
        return None


class Bench:
    """Measures into `samples`. `needed`: files without which there is nothing to measure."""

    peers = ("pyodide", "wasmtime", "playwright")
    kernel_code = HERE / "kernels.py"

    def __init__(self, name, build, wasm, say):
        self.name = name
        self.program, self.spawn = build / "bin/remotemedia", build / "bench/bench_spawn"
        self.full = wasm / "pipeline_executor_wasm.wasm"
        self.snapshot = wasm / "pipeline_executor_wasm_snapshot.wasm"
        self.lite = wasm / "pipeline_executor_lite.wasm"
        self.data, self.cache = ROOT / "build" / name, ROOT / "build/test/cwasm"
        self.say, self.samples = say, {}
        self.pyodide = dependency("bench", "pyodide")
        self.wasmtime = dependency("test", "wasmtime")
        self.playwright = dependency("test", "playwright-core")
        self.needed = [self.program, self.spawn, self.full, self.lite, self.snapshot]
        self.data.mkdir(parents=True, exist_ok=True)

    def missing(self):
        return [name for name in self.peers if getattr(self, name) is None]

    def add(self, key, *values):
        self.samples.setdefault(key, []).extend(values)

    def node_command(self, file, *words):
        """Files are mapped under their own names, so that the words are those of the native program."""
        return ["node", ROOT / "wasm/run.mjs", "--dir", f"{self.data}={self.data}", file, *words]

    def chromium_command(self, file):
        return ["node", HERE / "chromium.mjs", file, self.playwright]

    def pyodide_command(self, code):
        return ["node", HERE / "pyodide.mjs", self.pyodide, code]

    def wasmtime_command(self, file):
        return [sys.executable, HOSTS / "wasmtime_host.py", file, self.cache]

    def wasmtime_env(self):
        return os.environ | {"PYTHONPATH": str(self.wasmtime)}

    def wasmtime_job(self, stdin, target, *words):
        streams = {"stdin": str(stdin), "stdout": str(target), "stderr": os.devnull}
        return {"args": ["remotemedia", *map(str, words)], "env": {}, "preopens": {}, **streams}

    def in_rounds(self, part, rounds, seconds, shortest=3):
        """Calls `part` `rounds` times, or fewer, at least `shortest`, where that would take longer than `seconds`."""
        started = time.monotonic()
        for done in range(rounds):
            if done >= shortest and (time.monotonic() - started) * (done + 1) / done > seconds:
                self.say(f"{self.name}: {done} rounds of {rounds}: the machine is slow")
                break
            part()

    # ---- What is measured with: files

    def write(self, name, document):
        path = self.data / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def prepare(self):
        self.write("plus.py", "def process(item):\n    return item + 1\n")
        python = manifest(node("p", "Python", code=(self.data / "plus.py").read_text()))
        self.write("start-python.json", {"manifest": python, "input_data": [1]})
        self.write("start-native.json", {"manifest": chain(1), "input_data": [1]})
        self.write("items.txt", "[1]\n")
        for n in (10, 100):
            self.write(f"hop-{n}.json", {"manifest": chain(n), "input_data": list(range(HOP_ITEMS))})
        numbers = [i * 0.37 for i in range(4000)]
        names = {f"key{i}": [i, None, True, "x" * 20] for i in range(800)}
        item = json.dumps({"names": [f"item {i}" for i in range(2000)], "numbers": numbers, "more": names})
        self.write("chain.json", chain(3))
        for name, count in JSON_ITEMS.items():
            self.write(f"json-{name}.jsonl", (item + "\n") * count)
        for name, seconds in AUDIO_SECONDS.items():
            sound = self.sound(name, seconds)
            nodes = [node("s", "AudioFileSource", path=str(sound)), node("b", "AudioBuffer", frames=480)]
            self.write(f"audio-{name}.json", {"manifest": manifest(*nodes, node("l", "AudioLevel"))})

    def sound(self, name, seconds):
        path = self.data / f"{name}.wav"
        period = array.array("h", [int(12000 * math.sin(i * math.pi / 240)) for i in range(48000)])
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, 48000, 0, "NONE", ""))
            file.writeframes(period.tobytes() * (2 * seconds))
        return path

    # ---- Sizes

    def sizes(self):
        """MB, raw and by `brotli -q 11`; what was compressed once is remembered by its hash, since it takes minutes."""
        groups = self.size_groups()
        packed = self.packed([path for kind, paths in groups.items() if "reactor" not in kind for path in paths])
        for kind, paths in groups.items():
            self.add(f"size {kind}", sum(path.stat().st_size for path in paths) / 1e6)
            if all(path in packed for path in paths):
                self.add(f"brotli {kind}", sum(packed[path] for path in paths) / 1e6)

    def size_groups(self):
        """{name: the files that are shipped together}"""
        groups = {"full": [self.full], "lite": [self.lite], "snapshot": [self.snapshot]}
        for kind, end in (("lite", "lite"), ("full", "wasm"), ("snapshot", "wasm_snapshot")):
            groups[f"reactor {kind}"] = [self.full.parent / f"remotemedia_reactor_{end}.wasm"]
        if self.pyodide:
            files = ("pyodide.asm.wasm", "pyodide.asm.mjs", "pyodide.asm.js", "python_stdlib.zip")
            groups["pyodide"] = [self.pyodide / name for name in files if (self.pyodide / name).is_file()]
        return groups

    def packed(self, paths):
        if shutil.which("brotli") is None:
            self.say(f"{self.name}: brotli is not installed; no compressed sizes")
            return {}
        kept = self.data / "brotli.json"
        known = json.loads(kept.read_text()) if kept.is_file() else {}
        hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

        def compress(path):
            self.say(f"{self.name}: brotli -q 11 of {path.name}")
            done = subprocess.run(["brotli", "-q", "11", "-c", str(path)], stdout=subprocess.PIPE, check=True)
            known[hashes[path]] = len(done.stdout)
            kept.write_text(json.dumps(known))

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compress, [path for path in paths if hashes[path] not in known]))
        return {path: known[hashes[path]] for path in paths}

    # ---- Start

    def starts(self):
        python, native = self.data / "start-python.json", self.data / "start-native.json"
        commands = {
            "node": (["node", "-e", "0"], None),
            "snapshot": (self.node_command(self.snapshot), python),
            "full": (self.node_command(self.full), python),
            "lite": (self.node_command(self.lite), native),
            "native python": ([self.program], python),
            "native lite": ([self.program], native),
        }
        if self.pyodide:
            plus = self.data / "plus.py"
            commands["pyodide"] = (self.pyodide_command(plus), self.data / "items.txt")
        self.start(commands)

    def start(self, commands):
        """{name: (command, its standard input)}, each measured once, in turn."""
        for name, (command, stdin) in commands.items():
            for kind, milliseconds in took(command, stdin).items():
                self.add(f"start {name} {kind}", milliseconds)

    # ---- Python kernels

    def kernels(self):
        """Milliseconds of each kernel in each host, one host after the other before the next kernel."""
        names = {}
        exec(compile(self.kernel_code.read_text(), "kernels.py", "exec"), names)
        for kernel in self.in_hosts(names["KERNELS"]):
            self.kernel_cpu(kernel, self.kernel_job([kernel]))

    def kernel_job(self, items):
        return {"manifest": manifest(node("p", "Python", code=self.kernel_code.read_text())), "input_data": items}

    def in_hosts(self, kernels):
        """Measures each kernel in all hosts, and yields it then."""
        hosts = self.kernel_hosts()
        try:
            for kernel in kernels:
                items = [kernel] * (WARM_UP + MEASURED)
                path = self.write("kernel.json", self.kernel_job(items))
                for host, (_, run) in hosts.items():
                    seconds = run(path, items)[WARM_UP:]
                    self.add(f"kernel {kernel} {host}", *(1000 * value for value in seconds))
                yield kernel
        finally:
            for talk, _ in hosts.values():
                if talk is not None:
                    talk.close()

    def kernel_cpu(self, kernel, job):
        """CPU time of whole processes, whose difference other load disturbs little."""
        for amount, count in (("few", WARM_UP), ("many", WARM_UP + MEASURED)):
            path = self.write("kernel.json", job | {"input_data": [kernel] * count})
            self.add(f"cpu {kernel} {amount} native", took([self.program], path)["cpu"])
            self.add(f"cpu {kernel} {amount} node", took(self.node_command(self.full), path)["cpu"])
            if self.wasmtime:
                asked = self.write("kernel.job", self.wasmtime_job(path, os.devnull))
                command = ["env", f"PYTHONPATH={self.wasmtime}", *self.wasmtime_command(self.full)]
                self.add(f"cpu {kernel} {amount} wasmtime", took(command, asked)["cpu"])

    def kernel_hosts(self):
        """{host: (process that lives on or None, function of the job's file and the items)}."""

        def results(text):
            return json.loads(text)["outputs"]["p"]

        hosts = {
            "native": (None, lambda path, _: results(output([self.program, "run", path]))),
            "node": (None, lambda path, _: results(output(self.node_command(self.full, "run", path)))),
        }
        if self.wasmtime:
            wasmtime = Talk(self.wasmtime_command(self.full), self.wasmtime_env())

            def in_wasmtime(path, _):
                target = self.data / "kernel.out"
                wasmtime.ask(self.wasmtime_job(path, target))
                return results(target.read_text())

            hosts["wasmtime"] = (wasmtime, in_wasmtime)
        if self.playwright:
            chromium = Talk(self.chromium_command(self.full))

            def in_chromium(path, _):
                return results(chromium.ask({"stdin": path.read_text(), "fresh": False})["stdout"])

            hosts["chromium"] = (chromium, in_chromium)
        if self.pyodide:
            pyodide = Talk(self.pyodide_command(self.kernel_code))
            hosts["pyodide"] = (pyodide, lambda _, items: pyodide.ask(items))
        return hosts

    # ---- Native nodes, and the hop: CPU time of whole processes; a difference of two leaves start-up out

    def native_nodes(self):
        run = {"native": lambda *words: [self.program, *words], "node": lambda *words: self.node_command(self.lite, *words)}
        for amount in ("few", "many"):
            lines = ["run", self.data / "chain.json", "--input", self.data / f"json-{amount}.jsonl", "--format", "jsonl"]
            for host, command in run.items():
                self.add(f"json {amount} {host}", took(command(*lines))["cpu"])
            for host, command in run.items():
                self.add(f"audio {amount} {host}", took(command("run", self.data / f"audio-{amount}.json"))["cpu"])

    def hops(self):
        for n in (10, 100):
            path = self.data / f"hop-{n}.json"
            self.add(f"hop {n} native", took([self.program], path)["cpu"])
            self.add(f"hop {n} node", took(self.node_command(self.lite), path)["cpu"])
            if self.wasmtime:
                job = self.write("hop.job", self.wasmtime_job(path, os.devnull))
                command = ["env", f"PYTHONPATH={self.wasmtime}", *self.wasmtime_command(self.lite)]
                if n == 10 and "hop 10 wasmtime" not in self.samples:
                    took(command, job)  # compiles the file and keeps it
                self.add(f"hop {n} wasmtime", took(command, job)["cpu"])

    # ---- Memory

    def memory(self):
        """MiB: of the WASM memory, and resident in the native program at most."""
        lines = ["run", self.data / "chain.json", "--input", self.data / "json-few.jsonl", "--format", "jsonl"]
        jobs = {
            "json": (self.lite, [*lines, "--output", self.data / "output"]),
            "python": (self.full, ["run", self.data / "start-python.json", "--output", self.data / "output"]),
            "hop": (self.lite, ["run", self.data / "hop-10.json", "--output", self.data / "output"]),
        }
        for name, (file, words) in jobs.items():
            text = output(["node", "--no-warnings", HERE / "memory.mjs", file, self.data, *words])
            self.add(f"memory {name} wasm", int(text.split()[-1]) / 2**20)
            resident = output([self.spawn, 1, self.program, *words]).split()[1]
            self.add(f"memory {name} native", float(resident) / 1024)

    # ---- Chromium

    def first_results(self, times):
        if not self.playwright:
            return
        chromium = Talk(self.chromium_command(self.snapshot))
        job = {"stdin": (self.data / "start-python.json").read_text(), "fresh": True}
        chromium.ask(job)  # puts the file into the cache
        for _ in range(times):
            answer = chromium.ask(job)
            self.add("first result", answer["total"])
            self.add("first result, run alone", answer["run"])
        chromium.close()
