"""Takes the samples: every function measures once and returns {key: value}; bench/run calls them in turn, so
that what is compared has been measured at the same time. What is not installed leaves its keys out."""

import json
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
GST_ITEMS = 30_000
JSON_ITEMS = 300_000
STARTS = 10


def output(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise RuntimeError(f"{words}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def pairs(text, prefix):
    """Lines "name value"."""
    return {prefix + name: float(value) for name, value in (line.split() for line in text.splitlines())}


def manifest(*nodes):
    ids = [node["id"] for node in nodes]
    return {
        "version": "v1",
        "metadata": {"name": "bench"},
        "nodes": list(nodes),
        "connections": [{"from": a, "to": b} for a, b in zip(ids, ids[1:])],
    }


def node(id, node_type, **params):
    return {"id": id, "node_type": node_type, "params": params}


INTS = manifest(node("a", "MultiplyNode", factor=3), node("b", "AddNode", addend=1), node("c", "PassThrough"))
DICTS = manifest(
    node("a", "PassThrough"),
    node("b", "Filter", pointer="/value", operation="ge", value=0),
    node("c", "PassThrough"),
)
NATIVE = manifest(node("a", "PassThrough"), node("b", "AddNode", addend=1), node("c", "PassThrough"))
PYTHON = manifest(node("p", "Python", code="def process(item):\n    return item + 1\n"))


class Bench:
    def __init__(self, build):
        self.build = build.resolve()
        self.program = self.build / "bin/remotemedia"
        self.python = self.build / "bin/python3.13"
        self.programs = self.build / "bench"
        self.data = self.build / "bench/data"
        self.gst = shutil.which("gst-launch-1.0")
        if not self.python.exists():
            self.python = None
        self.data.mkdir(parents=True, exist_ok=True)

    # ---- What is measured with: files

    def prepare(self):
        def item(i):
            return {"id": i, "name": f"item {i}", "value": i * 0.5}

        kinds = {"ints": (INTS, range(JSON_ITEMS)), "dicts": (DICTS, [item(i) for i in range(JSON_ITEMS)])}
        for kind, (pipeline, items) in kinds.items():
            (self.data / f"{kind}-manifest.json").write_text(json.dumps(pipeline))
            whole = {"manifest": pipeline, "input_data": list(items)}
            (self.data / f"{kind}.json").write_text(json.dumps(whole, separators=(",", ":")))
            with open(self.data / f"{kind}.jsonl", "w") as file:
                file.writelines(json.dumps(i, separators=(",", ":")) + "\n" for i in items)
        starts = {"native": NATIVE, "python": PYTHON}
        for name, pipeline in starts.items():
            text = json.dumps({"manifest": pipeline, "input_data": [1]})
            (self.data / f"start-{name}.json").write_text(text)

    def write_lines(self, count):
        path = self.data / f"{count}.jsonl"
        with open(path, "w") as file:
            for start in range(0, count, 100_000):
                file.write("".join(f"{i}\n" for i in range(start, min(count, start + 100_000))))
        return path

    # ---- One sample of each

    def streams(self):
        return pairs(output([self.programs / "bench_stream"]), "")

    def memory(self):
        def most(items):
            return pairs(output([self.programs / "bench_stream", "--memory", items]), "")["memory"]

        return {"memory_short": most(100_000) / 1024, "memory_long": most(1_000_000) / 1024}

    def builds(self):
        return pairs(output([self.programs / "bench_whole"]), "")

    def gstreamer(self):
        """Nanoseconds a hop through identity, a delivery by tee, and one of the two in tee, identity, funnel;
        microseconds to start and end a hundred elements. Always long less short: the start drops out."""
        if self.gst is None:
            return {}

        def took(tail, items=GST_ITEMS, times=1):
            command = [self.gst, "-q", "fakesrc", f"num-buffers={items}", *tail.split()]
            runs = sorted(milliseconds for milliseconds, _ in self.spawn(times, command))
            return runs[times // 2] * 1e6 / items

        def chain(n, **how):
            return took("! identity silent=true " * n + "! fakesink", **how)

        def tee(n):
            return took("! tee name=t " + "t. ! fakesink async=false " * n)

        def diamond(n):
            return took("! tee name=t funnel name=f ! fakesink " + "t. ! identity silent=true ! f. " * n)

        return {
            "gst_hop": (chain(110) - chain(10)) / 100,
            "gst_delivery": (tee(60) - tee(10)) / 50,
            "gst_diamond": (diamond(30) - diamond(10)) / 20 / 2,
            "gst_build_100": (chain(101, items=1, times=STARTS) - chain(1, items=1, times=STARTS)) / 1e3,
        }

    def python_nodes(self):
        if self.python is None:
            return {}
        ours = output([self.programs / "bench_python", self.build, HERE / "python"])
        loop = output([self.python, "-I", "-S", HERE / "python/loop.py"])
        return pairs(ours, "") | pairs(loop, "loop_")

    def json(self):
        """Nanoseconds an item: in process, by the JSON library alone, the program by document or lines."""
        result = {}
        target = self.data / "output"
        for kind in ("ints", "dicts"):
            whole, lines, bare = (self.data / f"{kind}{end}" for end in (".json", ".jsonl", "-manifest.json"))
            text = output([self.programs / "bench_whole", "--json", whole])
            result[f"json_{kind}"] = float(text.split()[-1])
            text = output([self.programs / "bench_floor", JSON_ITEMS, whole])
            result[f"floor_{kind}"] = float(text.split()[-1])
            run = [self.program, "run", whole, "--output", target]
            result[f"program_{kind}"] = self.spawn(1, run)[0][0] * 1e6 / JSON_ITEMS
            run = [self.program, "run", bare, "--input", lines, "--format", "jsonl", "--output", target]
            result[f"lines_{kind}"] = self.spawn(1, run)[0][0] * 1e6 / JSON_ITEMS
            if self.python is None:
                continue
            loop = [self.python, "-I", "-S", HERE / "python/json_loop.py", kind]
            result[f"loop_json_{kind}"] = float(output([*loop, whole, target]))
            result[f"loop_program_{kind}"] = self.spawn(1, [*loop, whole, target])[0][0] * 1e6 / JSON_ITEMS
            result[f"loop_lines_{kind}"] = self.spawn(1, [*loop, lines, target])[0][0] * 1e6 / JSON_ITEMS
        return result

    def starts(self):
        """Milliseconds from fork to exit, the median of a few, and MiB, the most of them."""
        commands = {"native": [self.program, "run", self.data / "start-native.json"]}
        if self.gst is not None:
            commands["gst"] = [self.gst, "-q", *"fakesrc num-buffers=1 ! identity ! fakesink".split()]
        if self.python is not None:
            commands["python"] = [self.program, "run", self.data / "start-python.json"]
            commands["bare_python"] = [self.python, "-I", "-S", "-c", "pass"]
        result = {}
        for name, command in commands.items():
            runs = sorted(self.spawn(STARTS, command))
            result[f"start_{name}"] = runs[len(runs) // 2][0]
            result[f"start_{name}_mib"] = max(kib for _, kib in runs) / 1024
        return result

    def long_stream(self, count):
        """MiB resident and seconds for `count` items, JSONL in and out."""
        source, target = self.write_lines(count), self.data / "output"
        bare = self.data / "ints-manifest.json"
        run = [self.program, "run", bare, "--input", source, "--format", "jsonl", "--output", target]
        milliseconds, kib = self.spawn(1, run)[0]
        with open(target, "rb") as file:
            results = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        source.unlink()
        target.unlink()
        if results != count:
            raise RuntimeError(f"{results} results instead of {count}")
        return {f"stream_{count}_mib": kib / 1024, f"stream_{count}_s": milliseconds / 1000}

    def spawn(self, times, command):
        """[(milliseconds, KiB)] of `times` runs."""
        text = output([self.programs / "bench_spawn", times, *command])
        return [tuple(map(float, line.split())) for line in text.splitlines()]
