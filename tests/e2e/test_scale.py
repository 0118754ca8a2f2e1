"""Huge graphs, long streams with constant memory, the same bytes every time."""

import json
import os
import subprocess
import sys
import time
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

from ports import dependency

# Starts the program, feeds it nothing, and prints the exit code and the peak memory of the child in KiB.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Graphs(ProgramTest):
    def run_graph(self, nodes, edges, items, **more):
        pipeline = manifest(nodes)
        pipeline["connections"] = [{"from": a, "to": b} for a, b in edges]
        done = self.run_program("run", "-", stdin={"manifest": pipeline, "input_data": items}, **more)
        self.assertEqual(done.exit, 0, done.stderr[-2000:] + done.stdout[:2000])
        return done.document

    def test_a_chain_of_10000(self):
        nodes = [node(f"n{i}", "PassThrough") for i in range(10000)]
        started = time.monotonic()
        document = self.run_graph(nodes, [(f"n{i}", f"n{i + 1}") for i in range(9999)], list(range(100)))
        self.assertEqual(document["outputs"], {"n9999": list(range(100))})
        self.assertEqual(document["graph_info"]["execution_order"], [f"n{i}" for i in range(10000)])
        self.assertLess(time.monotonic() - started, 20 * SLOWNESS, "building a long chain is not linear")

    def test_a_chain_of_10000_written_backwards(self):
        nodes = [node(f"n{i}", "AddNode", {"addend": 1}) for i in reversed(range(10000))]
        started = time.monotonic()
        document = self.run_graph(nodes, [(f"n{i}", f"n{i + 1}") for i in reversed(range(9999))], [0, 5])
        self.assertEqual(document["outputs"], {"n9999": [10000, 10005]})
        self.assertLess(time.monotonic() - started, 20 * SLOWNESS, "building a reversed chain is not linear")

    def test_a_fan_out_of_1000(self):
        nodes = [node("s", "PassThrough")] + [node(f"b{i}", "AddNode", {"addend": i}) for i in range(1000)]
        document = self.run_graph(nodes, [("s", f"b{i}") for i in range(1000)], [1, 2])
        self.assertEqual(document["outputs"], {f"b{i}": [1 + i, 2 + i] for i in range(1000)})
        self.assertEqual(list(document["outputs"]), [f"b{i}" for i in range(1000)])

    def test_a_fan_in_of_1000_in_reverse_order(self):
        nodes = [node("s", "PassThrough")] + [node(f"b{i}", "AddNode", {"addend": i}) for i in range(1000)]
        edges = [("s", f"b{i}") for i in range(1000)] + [(f"b{i}", "j") for i in reversed(range(1000))]
        document = self.run_graph(nodes + [node("j", "PassThrough")], edges, [0, 10000])
        self.assertEqual(
            document["outputs"], {"j": [x + i for x in (0, 10000) for i in reversed(range(1000))]}
        )

    def test_ten_diamonds_in_a_row(self):
        nodes, edges = [node("j0", "PassThrough")], []
        for i in range(10):
            nodes += [
                node(f"l{i}", "PassThrough"),
                node(f"r{i}", "PassThrough"),
                node(f"j{i + 1}", "PassThrough"),
            ]
            edges += [(f"j{i}", f"l{i}"), (f"j{i}", f"r{i}"), (f"l{i}", f"j{i + 1}"), (f"r{i}", f"j{i + 1}")]
        document = self.run_graph(nodes, edges, [1, 2, 3])
        self.assertEqual(document["outputs"], {"j10": [x for x in (1, 2, 3) for _ in range(1024)]})

    def test_a_thousand_parts(self):
        nodes = [node(f"n{i}", "PassThrough") for i in range(1000)]
        document = self.run_graph(nodes, [], [7])
        self.assertEqual(document["outputs"], {f"n{i}": [7] for i in range(1000)})

    def test_a_cycle_of_10000_is_told_shortly(self):
        pipeline = manifest([node(f"n{i}", "PassThrough") for i in range(10000)])
        pipeline["connections"] = [{"from": f"n{i}", "to": f"n{(i + 1) % 10000}"} for i in range(10000)]
        done = self.run_program("run", "-", stdin=pipeline)
        self.assertEqual(done.exit, 3)
        self.assertEqual(done.document["error"]["code"], "cycle")
        self.assertIn("Pipeline contains a cycle - cannot execute", done.document["error"]["message"])

    def test_a_hundred_thousand_items_in_a_batch(self):
        document = self.run_graph(
            [node("a", "PassThrough"), node("b", "AddNode", {"addend": 1})], [("a", "b")], list(range(100000))
        )
        self.assertEqual(document["outputs"], {"b": list(range(1, 100001))})

    def test_an_item_of_ten_megabytes(self):
        text = "é" * 5000000
        document = self.run_graph([node("a", "PassThrough"), node("b", "PassThrough")], [("a", "b")], [text])
        self.assertEqual(document["outputs"], {"b": [text]})


class Memory(ProgramTest):
    def peak(self, *args):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(PROGRAM), *map(str, args)],
            capture_output=True,
            cwd=self.folder,
            env=environment(),
            timeout=300 * SLOWNESS,
            check=False,
        )
        code, kib = done.stdout.split()
        self.assertEqual(int(code), 0, done.stderr.decode()[-2000:])
        return int(kib)

    def assert_constant(self, make, small=20000, large=400000, slack=4096):
        """The peak with many items is that with few, but for a little."""
        few, many = self.peak(*make(small)), self.peak(*make(large))
        self.assertLess(many, few + slack, f"{few} KiB for {small} items, {many} KiB for {large}")

    def lines(self, count):
        path = self.folder / f"in{count}.jsonl"
        with open(path, "w") as f:
            f.writelines(f'{{"n":{i},"text":"some words"}}\n' for i in range(count))
        return path

    def setUp(self):
        super().setUp()
        if SLOWNESS > 1:
            self.skipTest("memory is not measured under sanitizers")

    def test_jsonl_through_a_chain(self):
        path = self.write("m.json", manifest([node("a", "PassThrough"), node("b", "PassThrough")], ["a > b"]))
        self.assert_constant(lambda n: ("run", path, "--input", self.lines(n), "--format", "jsonl"))

    def test_jsonl_through_a_diamond(self):
        path = self.write(
            "m.json", manifest([node(i, "PassThrough") for i in "slrj"], ["s > l > j", "s > r > j"])
        )
        self.assert_constant(lambda n: ("run", path, "--input", self.lines(n), "--format", "jsonl"))

    def test_a_branch_that_drops_everything_holds_nothing_up(self):
        drop = node("l", "Skip", {"count": 2**62})
        path = self.write(
            "m.json",
            manifest(
                [node("s", "PassThrough"), drop, node("r", "PassThrough"), node("j", "PassThrough")],
                ["s > l > j", "s > r > j"],
            ),
        )
        self.assert_constant(lambda n: ("run", path, "--input", self.lines(n), "--format", "jsonl"))

    def test_a_generator(self):
        def make(n):
            return (
                "run",
                self.write(
                    f"m{n}.json",
                    manifest(
                        [
                            node("s", "SimpleSource", {"count": n, "value": ["x", 1.5]}),
                            node("p", "PassThrough"),
                        ],
                        ["s > p"],
                    ),
                ),
                "--format",
                "jsonl",
            )

        self.assert_constant(make)

    def test_a_python_node(self):
        code = "def process(x):\n    x['n'] += 1\n    return x\n"
        path = self.write(
            "m.json", manifest([node("a", "Python", {"code": code}), node("b", "PassThrough")], ["a > b"])
        )
        self.assert_constant(
            lambda n: ("run", path, "--input", self.lines(n), "--format", "jsonl"), 5000, 60000
        )

    def test_large_arrays_between_python_nodes(self):
        nodes = [node("a", "Python", {"code": "import numpy\ndef process(n):\n    for i in range(n):\n        yield numpy.full(1 << 20, i + 0.5)"}),
                 node("b", "Python", {"code": "import asyncio\nasync def process(x):\n    await asyncio.sleep(0.002)\n    return x"}),
                 node("c", "Python", {"code": "def process(x):\n    return x[0]"})]

        def make(n):
            pipeline = {"manifest": manifest(nodes, ["a > b > c"]), "input_data": [n]}
            return "run", self.write(f"m{n}.json", pipeline), "--path", numpy

        numpy = dependency("numpy-wheel")
        self.assert_constant(make, 20, 200, 65536)

    def test_one_python_call_that_yields_a_million(self):
        code = "def process(n):\n    for i in range(n):\n        yield str(i)\n"

        def make(n):
            pipeline = manifest([node("a", "Python", {"code": code}), node("b", "PassThrough")], ["a > b"])
            return (
                "run",
                self.write(f"m{n}.json", {"manifest": pipeline, "input_data": [n]}),
                "--format",
                "jsonl",
            )

        self.assert_constant(make, 10000, 500000)

    def test_a_native_run_is_small(self):
        path = self.write("m.json", {"manifest": manifest([node("a", "PassThrough")]), "input_data": [1]})
        self.assertLess(self.peak("run", path), 16384)


class Determinism(ProgramTest):
    def test_the_same_bytes_twice(self):
        code = (
            "def process(x):\n    if x % 3 == 0:\n        return None\n    for i in range(x % 4):\n"
            "        yield {'x': x, 'i': i, 'f': x / 7}\n"
        )
        pipeline = manifest(
            [
                node("s", "PassThrough"),
                node("p", "Python", {"code": code}),
                node("b", "Batch", {"size": 7}),
                node("l", "MultiplyNode", {"factor": 0.1}),
                node("w", "Window", {"size": 3}),
                node("j", "PassThrough"),
                node("x", "Echo"),
            ],
            ["s > p > b > j", "s > l > w > j", "p > j", "s > x"],
        )
        text = json.dumps({"manifest": pipeline, "input_data": list(range(500))})
        runs = {
            self.run_program("run", "-", *args, stdin=text, env={"PYTHONHASHSEED": seed}).stdout
            for args in ([], [])
            for seed in ("1", "2")
        }
        self.assertEqual(len(runs), 1)
        lines = {self.run_program("run", "-", "--format", "jsonl", stdin=text).stdout for _ in range(2)}
        self.assertEqual(len(lines), 1)

    def test_jsonl_and_the_document_agree(self):
        pipeline = manifest(
            [node(i, "PassThrough") for i in "slr"] + [node("b", "Batch", {"size": 4})],
            ["s > l", "s > r", "s > b"],
        )
        text = json.dumps({"manifest": pipeline, "input_data": list(range(100))})
        outputs = self.run_program("run", "-", stdin=text).document["outputs"]
        seen = {sink: [] for sink in outputs}
        for line in self.run_program("run", "-", "--format", "jsonl", stdin=text).stdout.splitlines():
            entry = json.loads(line)
            seen[entry["sink"]].append(entry["value"])
        self.assertEqual(seen, outputs)

    def test_input_in_pieces_gives_the_same_bytes(self):
        path = self.write(
            "m.json",
            manifest(
                [
                    node("s", "PassThrough"),
                    node("l", "AddNode", {"addend": 1}),
                    node("b", "Batch", {"size": 3}),
                    node("j", "PassThrough"),
                ],
                ["s > l > j", "s > b > j"],
            ),
        )
        data = "".join(f"{i}\n" for i in range(50))
        whole = self.run_program(
            "run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl", stdin=data
        ).stdout
        for size in (1, 3, 17):
            process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
            for at in range(0, len(data), size):
                os.write(process.stdin.fileno(), data[at : at + size].encode())
            process.stdin.close()
            self.assertEqual(process.stdout.read().decode(), whole)
            self.assertEqual(process.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
