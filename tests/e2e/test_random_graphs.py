"""Random graphs against a model of what they must give: order by (seq, connection, emission), drops, flush, ends.

The model works node by node over whole streams, which the program must not do; the results have to be the same.
"""

import json
import os
import random
import unittest

from support import ProgramTest

END = 1 << 62
DROP = """
class Node:
    n = 0
    def process(self, x):
        self.n += 1
        return x if self.n % 2 else None
"""
TWICE = "def process(x):\n    yield x\n    yield [x]\n"
COUNT = """
class Node:
    n = 0
    def process(self, x):
        self.n += 1
        return x
    def flush(self):
        return f'{self.name} {self.n}'
"""


def add(x, addend):
    number = lambda v: isinstance(v, int)
    if number(x):
        return x + addend
    return [v + addend for v in x] if isinstance(x, list) and all(map(number, x)) else x


class Model:
    """One node: what it emits for a value, and at the end, as lists of values."""

    def __init__(self, id, kind, k):
        self.id, self.kind, self.k = id, kind, k
        self.seen, self.held = 0, []

    def process(self, x):
        self.seen += 1
        if self.kind == "add":
            return [add(x, self.k)]
        if self.kind == "drop":
            return [x] if self.seen % 2 else []
        if self.kind == "twice":
            return [x, [x]]
        if self.kind == "take":
            return [x] if self.seen <= self.k else []
        if self.kind == "skip":
            return [x] if self.seen > self.k else []
        if self.kind in ("batch", "window"):
            self.held.append(x)
            if len(self.held) < self.k:
                return []
            whole, self.held = self.held, self.held[1:] if self.kind == "window" else []
            return [list(whole)]
        return [x]

    def flush(self):
        if self.kind == "batch" and self.held:
            return [self.held]
        return [f"{self.id} {self.seen}"] if self.kind == "count" else []

    def entry(self):
        types = {"pass": "PassThrough", "add": "AddNode", "take": "Take", "skip": "Skip", "batch": "Batch"}
        types["window"] = "Window"
        params = {"add": {"addend": self.k}, "take": {"count": self.k}, "skip": {"count": self.k}}
        params.update({"batch": {"size": self.k}, "window": {"size": self.k}})
        code = {"drop": DROP, "twice": TWICE, "count": COUNT}.get(self.kind)
        if code is not None:
            return {"id": self.id, "node_type": "Python", "params": {"code": code}}
        return {"id": self.id, "node_type": types[self.kind], "params": params.get(self.kind, {})}


def expected(nodes, edges, outputs, items, order):
    """{id: [(seq, value)]} of every node; edges are (from, to) pairs by index, in manifest order."""
    streams = {}
    for rank, i in enumerate(order):
        incoming = [(n, a) for n, (a, b) in enumerate(edges) if b == i]
        if incoming:
            merged = []
            for n, a in incoming:
                merged += [((seq, n, k), value) for k, (seq, value) in enumerate(streams[a])]
            merged.sort(key=lambda pair: pair[0])
            given = [(key[0], value) for key, value in merged]
        else:
            given = list(enumerate(items))
        node, out = nodes[i], []
        for seq, value in given:
            out += [(seq, result) for result in node.process(value)]
        streams[i] = out + [(END + rank, result) for result in node.flush()]
    return {i: streams[i] for i in sorted(outputs)}


def topological(count, edges):
    """Kahn's order, always the ready node that stands first in the manifest."""
    waits, order = [sum(1 for _, b in edges if b == i) for i in range(count)], []
    while len(order) < count:
        i = next(i for i in range(count) if waits[i] == 0)
        waits[i] = -1
        order.append(i)
        for a, b in edges:
            waits[b] -= a == i
    return order


class RandomGraphs(ProgramTest):
    def graph(self, rnd, kinds):
        count = rnd.randint(1, 9)
        nodes = [Model(f"n{i}", rnd.choice(kinds), rnd.randint(1, 4)) for i in range(count)]
        place = rnd.sample(
            range(count), count
        )  # connections go up in this, so that ids say nothing of the order
        pairs = [(a, b) for a in range(count) for b in range(count) if place[a] < place[b]]
        edges = rnd.sample(pairs, rnd.randint(0, min(len(pairs), count + 3)))
        marked = {i for i in range(count) if rnd.random() < 0.15}
        entries = [
            dict(node.entry(), **({"is_output_node": True} if i in marked else {}))
            for i, node in enumerate(nodes)
        ]
        connections = [{"from": f"n{a}", "to": f"n{b}"} for a, b in edges]
        for connection in connections:
            if rnd.random() < 0.3:
                connection["queue"] = {"packets": rnd.randint(1, 3)}
        manifest = {"version": "v1", "metadata": {"name": "t"}, "nodes": entries, "connections": connections}
        sinks = {i for i in range(count) if all(a != i for a, _ in edges)}
        return nodes, edges, sinks | marked, manifest

    def check(self, seed, kinds):
        rnd = random.Random(seed)
        nodes, edges, outputs, manifest = self.graph(rnd, kinds)
        items = [rnd.randint(-9, 9) for _ in range(rnd.choice([0, 1, 2, 3, 10, 70, 200]))]
        order = topological(len(nodes), edges)
        want = expected(nodes, edges, outputs, items, order)
        path = self.write("m.json", manifest)
        lines = self.write("in.jsonl", "".join(f"{x}\n" for x in items))
        document = json.dumps({"manifest": manifest, "input_data": items})
        done = self.run_program("run", path, "--input", lines)
        self.assertEqual(done.exit, 0, f"seed {seed}: {done.stdout[:500]}\n{document}")
        got = done.document
        self.assertEqual(
            got["graph_info"]["execution_order"], [f"n{i}" for i in order], f"seed {seed}: {document}"
        )
        values = {f"n{i}": [value for _, value in stream] for i, stream in want.items()}
        self.assertEqual(got["outputs"], values, f"seed {seed}: {document}")
        self.assertEqual(list(got["outputs"]), list(values), f"seed {seed}: {document}")
        stream = [(seq, i, k, value) for i, s in want.items() for k, (seq, value) in enumerate(s)]
        stream.sort(key=lambda entry: entry[:3])
        out = [value if len(want) == 1 else {"sink": f"n{i}", "value": value} for _, i, _, value in stream]
        done = self.run_program("run", path, "--input", lines, "--format", "jsonl")
        self.assertEqual(
            [json.loads(line) for line in done.stdout.splitlines()], out, f"seed {seed}: {document}"
        )

    def test_native_nodes(self):
        kinds = ["pass", "pass", "add", "add", "take", "skip", "batch", "window"]
        for seed in range(int(os.environ.get("RM_RANDOM_GRAPHS", "150"))):
            self.check(seed, kinds)

    def test_python_nodes_too(self):
        kinds = ["pass", "add", "take", "batch", "drop", "twice", "count"]
        for seed in range(int(os.environ.get("RM_RANDOM_GRAPHS", "150")) // 3):
            self.check(1000000 + seed, kinds)


if __name__ == "__main__":
    unittest.main()
