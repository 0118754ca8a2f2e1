"""The rows of `bench/package/run --sandbox`: a Python node in a sandbox beside the same node outside."""
import os
import sys

import remotemedia as rm

sys.path.insert(0, os.path.dirname(__file__))
import package_samples as samples  # noqa: E402

NODE = {"id": "a", "node_type": "Python", "params": {"code": "def process(x):\n    return x + 1"}}
MANIFEST = {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [NODE]}
RUNS, ITEMS, ARRAYS = 50, 100_000, 200
BOX = rm.Sandbox()
PLACES = {"inside": BOX.pipeline(MANIFEST, arrays="numpy"), "outside": rm.Pipeline.from_dict(MANIFEST, arrays="numpy")}

FIRST = ("import remotemedia as rm\nmanifest = {'version': 'v1', 'metadata': {'name': 't'}, 'connections': [], 'nodes': [{'id': 'a', "
         "'node_type': 'Python', 'params': {'code': 'def process(x):\\n    return x + 1'}}]}\n%s.run([1])")


def items(where):
    return lambda: samples.drained(PLACES[where].stream(range(ITEMS)), ITEMS, 1e9)


def arrays(where):
    array = samples.numpy.ones(1 << 18, dtype="float32")
    return lambda: samples.each(lambda: PLACES[where].run([array]), ARRAYS, 1e6)


def fresh(make, unit=1e3):
    return lambda: samples.each(lambda: make().run([1]), RUNS, unit)


def further(where):
    return lambda: samples.each(lambda: PLACES[where].run([1]), RUNS, 1e3)


samples.ROWS[:] = [
    ("a process: import, Sandbox, pipeline, run([1])", "ms", samples.import_time(FIRST % "rm.Sandbox().pipeline(manifest)"),
     "without Sandbox", samples.import_time(FIRST % "rm.Pipeline.from_dict(manifest)")),
    ("pipeline and run([1]), Sandbox as before", "ms", fresh(lambda: BOX.pipeline(MANIFEST)), "outside",
     fresh(lambda: rm.Pipeline.from_dict(MANIFEST))),
    ("run([1]), pipeline as before", "ms", further("inside"), "outside", further("outside")),
    ("an int through a stream", "ns", items("inside"), "outside", items("outside")),
    ("1 MiB of numpy through a run", "us", arrays("inside"), "outside", arrays("outside")),
]
samples.main()
