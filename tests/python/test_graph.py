"""Graphs that are built in Python, @node, the older names."""
import asyncio
import functools
import inspect
import sys
import types
import unittest

import remotemedia as rm
import remotemedia_runtime
from manifests import multiply, row

MODULE = """
import remotemedia as rm

@rm.node
def scale(item, factor: float = 2.0, *, offset: int = 0):
    "Scales."
    return item * factor + offset

@rm.node
class Counter:
    def __init__(self, start: int = 0):
        self.count = start
    def process(self, item):
        self.count += 1
        return self.count

class Plain(rm.Node):
    def __init__(self, add=1):
        self.add = add
    def process(self, item):
        return item + self.add
"""


class Graphs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.module = sys.modules["nodes_of_the_test"] = types.ModuleType("nodes_of_the_test")
        exec(MODULE, cls.module.__dict__)

    def test_all_kinds_of_nodes(self):
        def twice(item):
            yield item
            yield item

        async def later(item):
            await asyncio.sleep(0)
            return item + 1

        class Minus:
            def process(self, item):
                return -item

        graph = rm.Graph("t")
        first = graph.add(rm.nodes.Multiply(factor=3))
        first >> graph.add(twice) >> graph.add(later) >> graph.add(Minus) >> graph.add(Minus()) >> graph.add(abs, id="end")
        self.assertEqual(graph.pipeline().run([1, 2]), {"end": [4, 4, 7, 7]})

    def test_branches_and_ports(self):
        @rm.node(outputs=("low", "high"))
        def split(item):
            return rm.Packet(item, port="high" if item > 5 else "low")

        graph = rm.Graph()
        place = graph.add(split)
        place["low"] >> graph.add(rm.nodes.Multiply(factor=10), id="small")
        place["high"] >> graph.add("PassThrough", id="large")
        self.assertEqual(graph.pipeline().run([1, 9, 2]), {"small": [10, 20], "large": [9]})
        graph = rm.Graph()
        ends = [graph.add("PassThrough", id="x"), graph.add("PassThrough", id="y")]
        graph.add("PassThrough") >> ends >> graph.add("PassThrough", id="z")
        self.assertEqual(graph.pipeline().run([1]), {"z": [1, 1]})

    def test_sources(self):
        @rm.node(source=True)
        def numbers(count: int = 2):
            yield from range(count)

        graph = rm.Graph()
        graph.add(numbers(count=3)) >> graph.add(rm.nodes.Multiply())
        self.assertEqual(graph.pipeline().run(), {"Multiply": [0, 2, 4]})

    def test_to_dict_is_a_manifest(self):
        module = self.module
        graph = rm.Graph("t")
        graph.add(module.scale(factor=3)) >> graph.add(module.Counter(start=5)) >> graph.add(module.Plain, params={"add": 2}) \
            >> graph.add(module.Plain(add=1)) >> graph.add(rm.nodes.Multiply(factor=2), on_error="skip")
        manifest = graph.to_dict()
        self.assertEqual(manifest["nodes"][0], {"id": "scale", "node_type": "nodes_of_the_test:scale", "params": {"factor": 3}})
        self.assertEqual(rm.Pipeline.from_dict(manifest).run([1, 1]), graph.pipeline().run([1, 1]))

    def test_to_dict_says_what_has_no_name(self):
        def mine(item):
            return item

        for what, word in ((mine, "function"), (type("C", (), {"process": mine}), "cannot import")):
            graph = rm.Graph()
            graph.add(what, id="here")
            self.assertRaisesRegex(ValueError, f"'here'.*{word}", graph.to_dict)

    def test_parameters_have_types(self):
        scale = self.module.scale
        self.assertEqual((scale.function(2, 3), scale.__doc__), (6, "Scales."))
        self.assertRaisesRegex(TypeError, "factor must be float, not str", scale, factor="3")
        self.assertRaisesRegex(TypeError, "fact", scale, fact=3)
        self.assertRaises(TypeError, rm.nodes.Multiply, fact=3)
        with self.assertRaises(rm.ManifestError) as raised:
            rm.Pipeline.from_dict(row({"node_type": "nodes_of_the_test:scale", "params": {"factor": "3"}}))
        self.assertEqual((raised.exception.code, raised.exception.pointer), ("type", "/nodes/0/params/factor"))
        with self.assertRaises(rm.ManifestError) as raised:
            rm.Pipeline.from_dict(row({"node_type": "nodes_of_the_test:scale", "params": {"offse": 3}}))
        self.assertIn("offset", str(raised.exception))

    def test_parameters_of_classes_have_types(self):
        counter = self.module.Counter
        self.assertRaisesRegex(TypeError, "start must be int, not str", counter, start="1")
        self.assertRaisesRegex(TypeError, "start must be int, not str", counter, "1")
        self.assertRaisesRegex(TypeError, "strat", counter, strat=1)
        graph = rm.Graph()
        graph.add(counter(5))
        self.assertEqual(graph.to_dict()["nodes"][0]["params"], {"start": 5})
        with self.assertRaises(rm.ManifestError) as raised:
            rm.Pipeline.from_dict(row({"node_type": "nodes_of_the_test:Counter", "params": {"start": "1"}}))
        self.assertEqual(raised.exception.pointer, "/nodes/0/params/start")

        @rm.node
        class Free:
            def __init__(self, *numbers, **more):
                self.numbers, self.more = numbers, more

            def process(self, item):
                return item

        self.assertEqual((Free(1, 2).numbers, Free(1).config, Free(a=1).config), ((1, 2), None, {"a": 1}))

        @rm.node
        class Derived(rm.Node):
            def __init__(self, size: "int | None" = None):
                self.size = size

        self.assertEqual((Derived().config, Derived(size=3).config), ({}, {"size": 3}))
        self.assertRaisesRegex(TypeError, "size must be int or None, not str", Derived, size="3")

    def test_unions_and_literals(self):
        from typing import Literal, Optional

        @rm.node
        def cut(item, mode: Literal["low", "high"] = "low", size: Optional[int] = None, more: "list[int] | dict[str, int]" = [],
                free: "NotThere" = None, number: float = 0):  # noqa: F821
            return (mode, size, number)

        for wrong, words in (({"mode": "mid"}, "mode must be 'low' or 'high', not 'mid'"), ({"size": "1"}, "size must be int or None, not str"),
                             ({"size": True}, "not bool"), ({"more": 1}, "more must be list or dict, not int"), ({"number": "1"}, "float")):
            self.assertRaisesRegex(TypeError, words, cut, **wrong)
        cut(mode="high", size=3, more={}, free=object(), number=1)
        cut(size=None, more=[1])

    def test_what_is_no_place_is_added(self):
        graph = rm.Graph()
        end = graph.add("PassThrough") >> rm.nodes.Multiply(factor=3) >> [abs, str] >> graph.add(rm.nodes.Merge(), id="end")
        self.assertEqual(graph.pipeline().run([-1, 2]), {"end": [{"abs": 3, "str": "-3"}, {"abs": 6, "str": "6"}]})
        self.assertEqual([node["id"] for node in graph._manifest(lambda id, what: (id, {}))["nodes"]], ["PassThrough", "Multiply", "abs", "str", "end"])
        (lambda: 1) >> graph.add("PassThrough", id="other")
        self.assertRaises(TypeError, lambda: end >> "other")
        self.assertRaises(TypeError, lambda: end >> 5)

    def test_classes_of_python_are_functions(self):
        graph = rm.Graph()
        graph.add(int) >> graph.add(str)
        self.assertEqual(graph.pipeline().run(["1", 2.5]), {"str": ["1", "2"]})
        self.assertRaisesRegex(ValueError, "'int'.*callable", graph.to_dict)
        self.assertRaisesRegex(TypeError, "process", rm.Graph().add, type("Misspelt", (), {"proces": None}))

    def test_callables_cannot_be_named(self):
        import functools

        class Called:
            def __call__(self, item):
                return item

            def method(self, item):
                return item

        for what in (Called(), Called().method, functools.partial(max, 1), len, str.upper, lambda item: item):
            graph = rm.Graph()
            graph.add(what, id="here")
            self.assertRaisesRegex(ValueError, "'here' is the (function|callable) .*cannot name", graph.to_dict)

    def test_wrong_uses(self):
        self.assertRaises(TypeError, rm.Graph().add, abs, id=5)
        self.assertRaisesRegex(TypeError, r"Multiply\(\) .*'fact'", rm.nodes.Multiply, fact=3)
        graph, other = rm.Graph(), rm.Graph()
        place = graph.add("PassThrough")
        self.assertRaises(ValueError, lambda: place >> other.add("PassThrough"))
        self.assertRaises(ValueError, graph.add, "PassThrough", id="PassThrough")
        self.assertRaises(TypeError, graph.add, 5)
        self.assertRaises(AttributeError, lambda: rm.nodes.Nothing)
        graph.add(lambda item: item) >> place >> graph.add("PassThrough", id="x") >> place
        with self.assertRaises(rm.ManifestError) as raised:
            graph.pipeline()
        self.assertEqual(raised.exception.code, "cycle")

    def test_native_types_are_listed(self):
        self.assertIn("AudioResample", dir(rm.nodes))
        self.assertIn("factor", str(rm.nodes.Multiply.__signature__))


class OlderNames(unittest.IsolatedAsyncioTestCase):
    async def test_coroutines(self):
        import json

        manifest = json.dumps(row(multiply()))
        runtime = remotemedia_runtime
        self.assertEqual(await runtime.execute_pipeline_with_input(manifest, [1, 2]), [2, 4])
        self.assertEqual(await runtime.execute_pipeline_with_input(manifest, [4]), 8)
        self.assertEqual(await runtime.execute_pipeline(json.dumps({"manifest": row(multiply()), "input_data": [3]})), 6)
        with_metrics = await runtime.execute_pipeline_with_input(manifest, [1, 2], enable_metrics=True)
        self.assertEqual(with_metrics["metrics"]["a"]["out"], 2)
        self.assertEqual(runtime.get_runtime_version(), "0.1.0")
        self.assertTrue(runtime.is_available())

    def test_names_of_the_package(self):
        from remotemedia.core.node import Node
        from remotemedia.nodes import MultiplyNode, PassThroughNode

        self.assertIs(Node, rm.Node)
        self.assertTrue(issubclass(MultiplyNode, Node) and issubclass(PassThroughNode, Node))
        graph = rm.Graph()
        graph.add(MultiplyNode(factor=4))
        self.assertEqual(graph.pipeline().run([2]), {"MultiplyNode": [8]})
        self.assertEqual(rm.Pipeline.from_dict(graph.to_dict()).run([2]), {"MultiplyNode": [8]})


class Coroutines(unittest.TestCase):
    """What gives coroutines works on several items at once, however that is seen."""

    def most_at_once(self, what, **fields):
        graph = rm.Graph()
        graph.add(what, id="node", **fields)
        counts.clear()
        results = graph.pipeline().run(range(20))["node"]
        self.assertEqual(results, list(range(20)))
        return max(counts)

    def test_max_in_flight(self):
        class Called:
            async def __call__(self, item):
                return await waits(item)

        @functools.wraps(waits)
        def wrapped(item):
            return waits(item)

        @rm.node(max_in_flight=5)
        async def delayed(item, delay: float = 0.001):
            return await waits(item, delay)

        for what in (waits, functools.partial(waits, delay=0.001), Called(), inspect.markcoroutinefunction(wrapped)):
            self.assertEqual(self.most_at_once(what, max_in_flight=5), 5)
        self.assertEqual(self.most_at_once(delayed(delay=0.002)), 5)
        self.assertEqual(self.most_at_once(delayed()), 5)

    def test_names_of_parameters(self):
        @rm.node
        def speech(item, partial: bool = False, function=1, check=2, types=3, dict=4, params=5, self=6):
            return [partial, function, check, types, dict, params, self]

        graph = rm.Graph()
        graph.add(speech(partial=True, self=7))
        self.assertEqual(graph.pipeline().run([0]), {"speech": [[True, 1, 2, 3, 4, 5, 7]]})

    def test_a_place_is_no_list(self):
        place = rm.Graph().add(abs)
        for wrong in (lambda: list(place), lambda: 1 in place, lambda: [*place]):
            self.assertRaises(TypeError, wrong)

    def test_a_node_of_the_runtime_has_to_be_called(self):
        with self.assertRaisesRegex(TypeError, "has to be called"):
            rm.Graph().add(rm.nodes.Multiply)

    def test_many_nodes_of_one_name(self):
        graph = rm.Graph()
        ids = [graph.add(abs).id for _ in range(300)]
        self.assertEqual((ids[0], ids[1], ids[299], len(set(ids))), ("abs", "abs_2", "abs_300", 300))


counts, at_once = [], 0


async def waits(item, delay=0.001):
    global at_once
    at_once += 1
    counts.append(at_once)
    await asyncio.sleep(delay)
    at_once -= 1
    return item


if __name__ == "__main__":
    unittest.main()
