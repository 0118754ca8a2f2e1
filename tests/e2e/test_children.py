"""Processes that Python nodes start with multiprocessing: they find the code of the nodes."""

from support import ProgramTest, manifest, node

METHODS = ("fork", "spawn", "forkserver")

CODE = """
from __future__ import annotations
import concurrent.futures, dataclasses, inspect, multiprocessing

@dataclasses.dataclass
class Point:
    x: int

def scale(point: Point) -> Point:
    return Point(point.x * params["factor"])

def tell(queue, point):
    queue.put([scale(point), __name__, inspect.getsource(scale).count("\\n"), name])

def process(item):
    context = multiprocessing.get_context(params["method"])
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        points = list(pool.map(scale, [Point(item)]))
    queue = context.SimpleQueue()
    child = context.Process(target=tell, args=(queue, Point(item + 1)))
    child.start()
    answer = queue.get()
    child.join()
    return [points[0].x, answer[0].x, *answer[1:], child.exitcode]
"""

# A child that starts a child.
NESTED = """
import multiprocessing
context = multiprocessing.get_context("spawn")

def double(queue, x):
    queue.put(x * 2)

def start(queue, x):
    child = context.Process(target=double, args=(queue, x))
    child.start()
    child.join()

class Node:
    def process(self, item):
        queue = context.SimpleQueue()
        child = context.Process(target=start, args=(queue, item))
        child.start()
        result = queue.get()
        child.join()
        return result
"""

# A module that only children import, after the working directory has changed.
FILE = """
import multiprocessing, os

def double(x):
    import helper
    return helper.double(x)

class Node:
    def process(self, item):
        os.chdir("/")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.map(double, [item])
"""
HELPER = "def double(x): return x * 2\n"

FAILING = """
import multiprocessing
def double(x): return x * 2
def process(item):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(fail, [item])
def fail(x):
    raise ValueError(double(x))
"""


class Children(ProgramTest):
    def outputs(self, document, *args):
        run = self.run_program("run", "-", *args, stdin=document)
        self.assertEqual(run.exit, 0, run.stderr)
        return run.document["outputs"]

    def test_functions_and_classes_in_code_reach_children(self):
        nodes = [node(f"by-{method}", "Python", {"code": CODE, "method": method, "factor": i + 2})
                 for i, method in enumerate(METHODS)]
        outputs = self.outputs({"manifest": manifest(nodes), "input_data": [1]})
        for i, method in enumerate(METHODS):
            self.assertEqual(outputs[f"by-{method}"], [[i + 2, 2 * (i + 2), f"__node_by-{method}__", 2, f"by-{method}", 0]])

    def test_children_of_children(self):
        self.assertEqual(self.outputs({"manifest": manifest([node("p", "Python", {"code": NESTED})]), "input_data": [3]}),
                         {"p": [6]})

    def test_no_file_is_written(self):
        empty = self.folder / "temporary"
        empty.mkdir()
        document = {"manifest": manifest([node("p", "Python", {"code": CODE, "method": "spawn", "factor": 2})]), "input_data": [1]}
        run = self.run_program("run", "-", stdin=document, env={"TMPDIR": str(empty)})
        self.assertEqual(run.exit, 0, run.stderr)
        self.assertEqual(list(empty.iterdir()), [])

    def test_files_in_a_directory(self):
        self.write("nodes/mine.py", FILE)
        self.write("nodes/helper.py", HELPER)
        document = {"manifest": manifest([node("p", "mine:Node")]), "input_data": [2]}
        self.assertEqual(self.outputs(document, "--path", "nodes"), {"p": [[4]]})

    def test_files_beside_the_manifest(self):
        self.write("mine.py", FILE)
        self.write("helper.py", HELPER)
        self.write("m.json", {"manifest": manifest([node("p", "mine:Node")]), "input_data": [2]})
        run = self.run_program("run", "m.json")
        self.assertEqual(run.exit, 0, run.stderr)
        self.assertEqual(run.document["outputs"], {"p": [[4]]})

    def test_the_traceback_of_a_child_has_the_lines_of_the_code(self):
        run = self.run_program("run", "-", stdin={"manifest": manifest([node("p", "Python", {"code": FAILING})]), "input_data": [2]})
        self.assertEqual(run.exit, 1)
        self.assertIn('  File "<code of p>", line 8, in fail\n    raise ValueError(double(x))', run.stderr)
        self.assertEqual(run.document["error"]["message"], "ValueError: 4")
