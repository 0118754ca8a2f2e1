"""Random graphs, and what a graph is as a manifest."""

import random

from graphs.kinds import KINDS, SLEEPS
from graphs.model import Unfit, expected

COUNTS = [0, 1, 2, 3, 3, 10, 10, 10, 70, 70, 200]
TIMEOUT_MS = 400  # of a node in which some items sleep for 10 s
SLOWEST = 400  # ms that a graph may sleep


def manifest_of(graph):
    nodes, connections = [], []
    for node in graph["nodes"]:
        entry = {"id": node["id"], **KINDS[node["kind"]](node["id"], node["args"]).entry()}
        for name in ("on_error", "retry", "timeout_ms", "max_in_flight"):
            if name in node:
                entry[name] = node[name]
        if node.get("output"):
            entry["is_output_node"] = True
        nodes.append(entry)
    for edge in graph["edges"]:
        queue = {name: edge[name] for name in ("packets", "bytes") if name in edge}
        connections.append({"from": edge["from"], "to": edge["to"], **({"queue": queue} if queue else {})})
    return {"version": "v1", "metadata": {"name": "random"}, "nodes": nodes, "connections": connections}


def value(rnd):
    if rnd.random() < 0.75:
        return rnd.randint(-9, 20)
    return rnd.choice(["", "a", "word", "größe", [], [1], [1, "x"], [2, 3], {"k": 1}])


class Generator:
    """`without`: names of kinds, or of their marks (is_async, streaming, times_out, ...), that a host cannot have."""

    def __init__(self, seed, without=()):
        self.rnd = random.Random(seed)
        self.without = set(without)

    def allowed(self, kind):
        return kind.__name__ not in self.without and not any(getattr(kind, name, False) for name in self.without)

    def weights(self):
        """Each graph has its own mixture of kinds."""
        rnd = self.rnd
        has = {name: rnd.random() < p for name, p in [("is_async", 0.5), ("streaming", 0.5), ("fails", 0.7)]}
        python = rnd.random() < 0.8
        weights = {}
        for name, kind in KINDS.items():
            left_out = any(getattr(kind, mark) and not has[mark] for mark in has)
            if left_out or kind.generates or kind.endless or not self.allowed(kind) or not (kind.native or python):
                continue
            weights[name] = kind.weight * rnd.random() ** 2 * (1.5 if kind.fails else 1)
        return weights

    def node(self, id, name):
        rnd, kind = self.rnd, KINDS[name]
        node = {"id": id, "kind": name, "args": kind.arguments(rnd)}
        if hasattr(kind, "times_out"):
            node["timeout_ms"] = TIMEOUT_MS
        if kind.fails and rnd.random() < 0.6:
            node["on_error"] = rnd.choice(["skip", "collect", "collect", "fail"])
        elif rnd.random() < 0.05:
            node["on_error"] = rnd.choice(["skip", "collect"])
        tries = hasattr(kind, "flaky") or kind.fails and rnd.random() < 0.3 or rnd.random() < 0.05
        if tries and not kind.streaming and not kind.endless and name not in ("Merge", "PyFlushFails", "AsyncTimeout"):
            node["retry"] = {"attempts": rnd.randint(1, 3), "backoff_ms": rnd.choice([0, 0, 1, 2])}
        if kind.is_async and not kind.streaming and not kind.endless and rnd.random() < 0.5:
            node["max_in_flight"] = rnd.randint(1, 4)
            # Several under way may count each other's attempts at the same value.
            if hasattr(kind, "flaky") and node["args"]["failures"] > node["retry"]["attempts"]:
                node["max_in_flight"] = 1
        return node

    def graph(self):
        rnd = self.rnd
        weights = self.weights()
        count = rnd.choice([1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9])
        names = rnd.choices(list(weights), list(weights.values()), k=count)
        ids = [f"n{i}" for i in range(count)]
        place = rnd.sample(range(count), count)  # connections go up in this, so that ids say nothing of the order
        pairs = [(a, b) for a in range(count) for b in range(count) if place[a] < place[b]]
        chosen = rnd.sample(pairs, rnd.randint(min(len(pairs), count // 2), min(len(pairs), count + 2)))
        edges = [{"from": ids[a], "to": ids[b]} for a, b in chosen]
        for edge in edges:
            if rnd.random() < 0.3:
                edge["packets"] = rnd.randint(1, 3)
            if rnd.random() < 0.1:
                edge["bytes"] = rnd.choice([1, 64, 1000])
        nodes = [self.node(id, name) for id, name in zip(ids, names)]
        for node in nodes:
            if rnd.random() < 0.12:
                node["output"] = True
        graph = {"nodes": nodes, "edges": edges}
        self.unwanted(graph)
        sources = [node for node in nodes if all(edge["to"] != node["id"] for edge in edges)]
        for node in sources:
            if node["kind"] == "Merge":
                node.update(kind="Pass", args={})
        graph["input"] = given = self.input(graph, sources)
        if isinstance(given, list) and given and rnd.random() < 0.02:
            graph["broken"] = rnd.randrange(len(given) + 1)
        return graph

    def replace(self, graph, id, name, **args):
        i = next(i for i, node in enumerate(graph["nodes"]) if node["id"] == id)
        graph["nodes"][i] = self.node(id, name)
        graph["nodes"][i]["args"].update(args)

    def unwanted(self, graph):
        """Sometimes one node with consumers never stops, or fails; behind it, perhaps after a plain node, stand nodes
        that read no more after a while."""
        rnd = self.rnd
        if rnd.random() > 0.3:
            return
        stops = rnd.random() < 0.6
        names = [n for n, kind in KINDS.items() if self.allowed(kind) and (kind.fails if stops else kind.endless)]
        names = [n for n in names if n not in ("Merge", "Upper", "AsyncTimeout") and not KINDS[n].generates]
        after = {node["id"]: [e["to"] for e in graph["edges"] if e["from"] == node["id"]] for node in graph["nodes"]}
        places = [id for id, consumers in after.items() if consumers]
        if not places or not names:
            return
        id = rnd.choice(places)
        self.replace(graph, id, rnd.choices(names, [KINDS[name].weight for name in names])[0])
        last = ["Take", "Take", *(["StreamFirst", "AsyncStreamFirst", "StreamOne"] if stops else [])]
        last = [name for name in last if self.allowed(KINDS[name])]
        for consumer in after[id]:
            if after[consumer] and rnd.random() < 0.4:
                self.replace(graph, consumer, rnd.choice(["Pass", "Add", "PyPass", "PyYield"]))
                for end in after[consumer]:
                    self.replace(graph, end, rnd.choice(last))
            else:
                self.replace(graph, consumer, rnd.choice(last))

    def input(self, graph, sources):
        rnd = self.rnd
        if rnd.random() < 0.1:
            names = [n for n, kind in KINDS.items() if kind.generates and self.allowed(kind) and not kind.endless]
            for node in sources:
                if rnd.random() < 0.8:
                    self.replace(graph, node["id"], rnd.choice([*names, "SourceEndless"]))
            return None
        count = rnd.choice(COUNTS)
        if count and rnd.random() < 0.05:
            self.replace(graph, rnd.choice(sources)["id"], "SourceCalled")
        if rnd.random() < 0.15:
            given = {node["id"]: [value(rnd) for _ in range(rnd.choice([count, count, 2]))] for node in sources}
            return given if any(given.values()) else []
        return [value(rnd) for _ in range(count)]


def slowness(graph, outcome):
    """The ms that a run sleeps, at most and about."""
    total = 0
    for node in graph["nodes"]:
        calls = outcome.calls[node["id"]]
        args = node["args"]
        total += 1000 * calls * max(args.get("sleeps", [0]))
        total += 3 * calls * args.get("slow", 0)
        if "timeout_ms" in node:
            total += node["timeout_ms"] * calls / 2
        total += calls * node.get("retry", {}).get("backoff_ms", 0) * (KINDS[node["kind"]].fails)
    return total


def hurry(graph):
    for node in graph["nodes"]:
        if "sleeps" in node["args"]:
            node["args"]["sleeps"] = SLEEPS[0]
        if "slow" in node["args"]:
            node["args"]["slow"] = 0
        if "retry" in node:
            node["retry"]["backoff_ms"] = 0


def generate(seed, without=()):
    """(graph, outcome) of this seed; the first of its graphs that fits."""
    generator = Generator(seed, without)
    while True:
        graph = generator.graph()
        try:
            outcome = expected(graph)
        except Unfit:
            continue
        if slowness(graph, outcome) > SLOWEST / 4:
            hurry(graph)
        if slowness(graph, outcome) <= 4 * SLOWEST:
            return graph, outcome
