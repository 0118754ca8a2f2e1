"""Random graphs against a model of the documented order (tests/support/graphs): results, failures, ends, in every mode
that an application or the command line has. What fails is shrunk; tests/e2e/random_graphs runs more of them.

RM_RANDOM_GRAPHS graphs, or as many as RM_RANDOM_SECONDS allow, from RM_RANDOM_SEED on: RM_RANDOM_SEED=$(date +%s) tries others.
"""

import os
import unittest

from support import BUILD, PROGRAM, SLOWNESS
from graphs.check import check_graphs
from graphs.generate import generate
from graphs.model import expected

SECONDS = float(os.environ.get("RM_RANDOM_SECONDS", "60"))
GRAPHS = int(os.environ.get("RM_RANDOM_GRAPHS", "1000000"))
SEED = int(os.environ.get("RM_RANDOM_SEED", "5000000"))  # always the same, so that a failure is the change's own
JOBS = int(os.environ.get("RM_RANDOM_JOBS", "2"))


def graph(nodes, chains, given):
    """nodes: {id: (kind, args, policy)}; chains: "a > b > c"."""
    edges = []
    for chain in chains:
        ids = chain.split(" > ")
        edges += [{"from": a, "to": b} for a, b in zip(ids, ids[1:])]
    entries = [{"id": id, "kind": kind, "args": args, **more} for id, (kind, args, more) in nodes.items()]
    return {"nodes": entries, "edges": edges, "input": given}


class Model(unittest.TestCase):
    """The model itself, by examples whose outcome is plain."""

    def check(self, nodes, chains, given, outputs, error=None, failed=()):
        outcome = expected(graph(nodes, chains, given))
        self.assertEqual(outcome.outputs, outputs)
        self.assertEqual(outcome.error, error)
        self.assertEqual(outcome.failed, list(failed))

    def test_a_failure_behind_what_take_asks_for_is_none(self):
        filter = ("Filter", {"operation": "ge", "value": 0}, {})
        self.check({"f": filter, "t": ("Take", {"count": 1}, {})}, ["f > t"], [1, "s"], {"t": [1]})
        error = {"code": "type", "node": "f", "item": 1}
        self.check({"f": filter, "t": ("Take", {"count": 2}, {})}, ["f > t"], [1, "s", 2], {"t": [1]}, error)

    def test_a_failure_leaves_the_item_to_the_others_and_flushes_nothing(self):
        nodes = {"y": ("PyYield", {"count": 3, "choice": [2, 3]}, {}), "n": ("PyFailNth", {"nth": 2}, {})}
        nodes["h"] = ("PyHold", {}, {})
        error = {"code": "python", "node": "n", "item": 1}
        outputs = {"y": [5, [1, 5], [2, 5], 6, [1, 6], [2, 6]], "n": [5], "h": []}
        self.check(nodes, [], [5, 6, 7], outputs, error)

    def test_collected_failures(self):
        entry = {"code": "arithmetic", "node": "d", "item": 1}
        nodes = {"d": ("Divide", {"operation": "modulo", "operand": 0}, {"on_error": "collect"})}
        self.check(nodes, [], ["a", 1], {"d": ["a"]}, None, [entry])

    def test_what_comes_after_the_end_is_of_no_item(self):
        nodes = {"s": ("StreamSum", {}, {}), "q": ("Pass", {}, {}), "m": ("Merge", {"several": "error"}, {})}
        maps = [{"s": [1, "a"], "q": "a"}, {"s": [2, "b"], "q": "b"}, {"s": ["end", 2]}]
        self.check(nodes, ["s > m", "q > m"], ["a", "b"], {"m": maps})

    def test_attempts_that_fail_give_nothing(self):
        nodes = {"y": ("PyYieldFlaky", {"failures": 1}, {"retry": {"attempts": 1}})}
        self.check(nodes, [], [1], {"y": [1, ["ok"]]})
        nodes = {"y": ("PyYieldFlaky", {"failures": 2}, {"retry": {"attempts": 1}})}
        self.check(nodes, [], [1], {"y": []}, {"code": "python", "node": "y", "item": 0})

    def test_connections_order_what_is_of_one_item(self):
        nodes = {"a": ("PyWrap", {}, {}), "b": ("Pass", {}, {}), "c": ("Pass", {}, {})}
        self.check(nodes, ["b > a > c", "b > c"], [1, 2], {"c": [[1], 1, [2], 2]})

    def test_a_seed_names_a_graph(self):
        self.assertEqual(generate(7), generate(7))


class RandomGraphs(unittest.TestCase):
    def test_random_graphs(self):
        driver = BUILD / "tests" / "graph_driver"
        self.assertTrue(driver.is_file(), f"there is no {driver}: build it")
        options = {"program": str(PROGRAM), "driver": str(driver), "limit": 30 * SLOWNESS, "slowness": SLOWNESS}
        failures = []
        print(f"random graphs from seed {SEED} on", flush=True)
        seconds = None if "RM_RANDOM_GRAPHS" in os.environ else SECONDS
        run, found = check_graphs(SEED, GRAPHS, options, JOBS, seconds, 3, failures.append)
        print(f"{run} random graphs", flush=True)
        self.assertFalse(found, "\n".join(["", *failures]))
        self.assertGreater(run, 0)


if __name__ == "__main__":
    unittest.main()
