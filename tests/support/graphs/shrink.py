"""Makes a failing graph smaller while it still fails."""

import time

from graphs.kinds import copied
from graphs.model import Unfit, expected

PLAIN = {"kind": "Pass", "args": {}}


def without_node(graph, id, bridge):
    """Without the node; with `bridge`, what came before it goes to what came after it."""
    edges = graph["edges"]
    kept = [edge for edge in edges if id not in (edge["from"], edge["to"])]
    if bridge:
        pairs = {(edge["from"], edge["to"]) for edge in kept}
        for a in [edge["from"] for edge in edges if edge["to"] == id]:
            for b in [edge["to"] for edge in edges if edge["from"] == id]:
                if (a, b) not in pairs:
                    kept.append({"from": a, "to": b})
    nodes = [node for node in graph["nodes"] if node["id"] != id]
    given = graph["input"]
    if isinstance(given, dict):
        sources = {node["id"] for node in nodes} - {edge["to"] for edge in kept}
        given = {source: given.get(source, []) for source in sources}
    return {**graph, "nodes": nodes, "edges": kept, "input": given}


def with_input(graph, given):
    broken = {"broken": min(graph["broken"], len(given))} if "broken" in graph else {}
    return {**graph, "input": given, **broken}


def smaller_lists(items):
    half = len(items) // 2
    if half > 1:
        yield items[:half]
        yield items[half:]
        quarter = half // 2
        for start in range(0, len(items), max(quarter, 1)):
            yield items[:start] + items[start + max(quarter, 1) :]
    if len(items) <= 12:
        for i in range(len(items)):
            yield items[:i] + items[i + 1 :]
    if any(item != 1 for item in items):
        yield [1] * len(items)
        yield list(range(len(items)))


def candidates(graph):
    """Smaller graphs, the boldest first."""
    for node in graph["nodes"]:
        for bridge in (False, True):
            if len(graph["nodes"]) > 1:
                yield without_node(graph, node["id"], bridge)
    given = graph["input"]
    if isinstance(given, list):
        for items in smaller_lists(given):
            yield with_input(graph, items)
    elif isinstance(given, dict):
        for source in given:
            for items in smaller_lists(given[source]):
                yield with_input(graph, {**given, source: items})
    for i in range(len(graph["edges"])):
        if not isinstance(given, dict):
            yield {**graph, "edges": graph["edges"][:i] + graph["edges"][i + 1 :]}
    for place, fields in (("nodes", ["output", "on_error", "retry", "max_in_flight"]), ("edges", ["packets", "bytes"])):
        for i, entry in enumerate(graph[place]):
            for field in fields:
                if field in entry:
                    changed = copied(graph)
                    del changed[place][i][field]
                    yield changed
    for i, node in enumerate(graph["nodes"]):
        if node["kind"] != "Pass":
            changed = copied(graph)
            changed["nodes"][i].update(PLAIN)
            changed["nodes"][i].pop("timeout_ms", None)
            yield changed
        for name, value in node["args"].items():
            for less in {"sleeps": [[0]], "count": [1, 2, 3], "failures": [1], "before": [1], "nth": [1]}.get(name, []):
                if less != value and (not isinstance(value, int) or less < value):
                    changed = copied(graph)
                    changed["nodes"][i]["args"][name] = less
                    yield changed


def legal(graph):
    """What the generator takes care of."""
    has_input = {edge["to"] for edge in graph["edges"]}
    for node in graph["nodes"]:
        if node["kind"] == "Merge" and node["id"] not in has_input:
            return False
        if node["kind"].startswith("Source") and node["id"] in has_input:
            return False
        tries = node.get("retry", {}).get("attempts", 0)
        if node["args"].get("failures", 0) > tries and node.get("max_in_flight", 1) > 1:
            return False
    called = [node for node in graph["nodes"] if node["kind"] == "SourceCalled"]
    given = graph["input"]
    empty = given is not None and not any(given.values() if isinstance(given, dict) else [bool(given)])
    return not (called and empty) and not ("broken" in graph and empty)


def shrink(graph, fails, seconds=30):
    """The smallest graph found; fails(graph, outcome) says whether one still fails."""
    end = time.monotonic() + seconds
    found = True
    while found and time.monotonic() < end:
        found = False
        for smaller in candidates(graph):
            if time.monotonic() > end:
                break
            try:
                outcome = expected(smaller) if legal(smaller) else None
            except Unfit:
                continue
            if outcome is not None and fails(smaller, outcome):
                graph, found = smaller, True
                break
    return graph
