"""Parameters and fields of nodes: what clashes, what is copied, and what the errors of wrong values say."""
import math
import sys
import types
import unittest

import remotemedia as rm
from manifests import numpy, row

MODULE = """
import remotemedia as rm

@rm.node
def scale(item, factor: float = 2.0, mode: "str | None" = None):
    return item * factor

@rm.node
class Counter:
    def __init__(self, start: int = 0):
        self.count = start
    def process(self, item):
        self.count += 1
        return self.count

class Plain:
    def __init__(self, x=1):
        self.x = x
    def process(self, item):
        return self.x

class Open:
    def __init__(self, **options):
        self.options = options
    def process(self, item):
        return self.options
"""
module = types.ModuleType("nodes_with_params")
exec(MODULE, module.__dict__)


def setUpModule():
    sys.modules[module.__name__] = module


def tearDownModule():
    del sys.modules[module.__name__]


class Clashes(unittest.TestCase):
    def test_the_type_is_given_once(self):
        for what in (abs, module.Plain, module.Plain(), "PassThrough", rm.nodes.Multiply(), module.scale()):
            self.assertRaisesRegex(TypeError, r"the first argument: add\('Multiply'\)", rm.Graph().add, what, node_type="Multiply")

    def test_a_parameter_is_given_once(self):
        graph = rm.Graph()
        self.assertRaisesRegex(TypeError, "'factor' of Multiply is given twice", graph.add, rm.nodes.Multiply(factor=2), params={"factor": 3})
        self.assertRaisesRegex(TypeError, "functools.partial", graph.add, abs, params={"x": 1})
        self.assertRaisesRegex(TypeError, "parameters already", graph.add, module.scale(factor=2), params={"factor": 3})
        self.assertEqual(graph._nodes, {})
        graph.add(rm.nodes.Multiply(), params={"factor": 3})
        graph.add(module.Plain, params={})
        graph.add(abs, params={})
        self.assertEqual(graph.pipeline().run([-2]), {"Multiply": [-6], "Plain": [1], "abs": [2]})

    def test_params_are_a_dict_with_names(self):
        for what in ("Multiply", module.Plain, abs, rm.nodes.Multiply()):
            for wrong, kind in ((None, "NoneType"), ([("factor", 2)], "list"), ("x", "str")):
                self.assertRaisesRegex(TypeError, f"params must be a dict.*, not {kind}", rm.Graph().add, what, params=wrong)
            self.assertRaisesRegex(TypeError, "names of parameters are strings, not int", rm.Graph().add, what, params={1: 2})
        self.assertRaisesRegex(TypeError, "params must be a dict", rm.Graph().add, rm.Step("Multiply", 5))
        graph = rm.Graph()
        graph.add("Multiply", params=types.MappingProxyType({"factor": 3}))
        self.assertEqual(graph.pipeline().run([1]), {"Multiply": [3]})

    def test_the_ends_of_a_connection(self):
        graph = rm.Graph()
        one, other = graph.add(abs), graph.add(abs)
        for name in ("from", "to"):
            self.assertRaisesRegex(TypeError, f"without '{name}'", graph.connect, one, other, **{name: "x"})
        self.assertRaisesRegex(ValueError, "no place of this graph", graph.connect, one, "x")


def spoil(value):
    """Empties all that can be changed."""
    if isinstance(value, (dict, list)):
        for each in list(value.values() if isinstance(value, dict) else value):
            spoil(each)
        value.clear()


class Copies(unittest.TestCase):
    def test_the_manifest_is_the_callers(self):
        graph = rm.Graph("t")
        graph.add(module.scale(factor=3)) >> graph.add("Multiply", params={"factor": 2}, execution={"placement": "auto"})
        graph.connect(graph.add("PassThrough"), graph.add(module.Open, params={"x": [1]}), queue={"packets": 4})
        before, manifest = repr(graph.to_dict()), graph.to_dict()
        spoil(manifest)
        self.assertEqual((repr(graph.to_dict()), manifest), (before, {}))

    def test_the_graph_keeps_what_was_given(self):
        values, nested, queue = {"x": [1, {"y": 2}]}, [1], {"packets": 4}
        graph = rm.Graph()
        one = graph.add(module.Plain, params=values)
        graph.connect(one, graph.add(rm.Step("nodes_with_params:Plain", {"x": nested})), queue=queue)
        before = repr(graph.to_dict())
        values["x"][1]["y"], values["z"], queue["packets"] = 3, 1, 5
        nested.append(2)
        self.assertEqual(repr(graph.to_dict()), before)

    def test_numbers_of_numpy_become_pythons(self):
        np = numpy()
        graph = rm.Graph()
        graph.add("Multiply", params={"factor": np.float32(2.5)})
        graph.add(module.Plain, params={"x": (np.int64(3), np.bool_(True))})
        params = [node["params"] for node in graph.to_dict()["nodes"]]
        self.assertEqual((params, type(params[0]["factor"]), type(params[1]["x"][1])), ([{"factor": 2.5}, {"x": [3, True]}], float, bool))


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


def nested(depth):
    whole = inner = {}
    for _ in range(depth):
        inner["a"] = inner = {}
    return whole


def itself(container):
    container.update(a=container) if isinstance(container, dict) else container.append(container)
    return container


class Values(unittest.TestCase):
    """Each wrong value of a parameter, in a manifest, in a graph and in to_dict."""

    WRONG = (("a set", {1}, "unsupported", r"'set'.*sorted\(x"), ("a dict in itself", itself({}), "circular", "holds itself"),
             ("a list in itself", itself([]), "circular", "holds itself"), ("deep", nested(100_000), "limit", "at most 200 levels"),
             ("nan", math.nan, "value", "no word for nan .*finite"), ("infinity", -math.inf, "value", "no word for infinity"),
             ("inside", [{"a": (1, math.nan)}], "value", "/0/a/1: JSON has no word for nan"), ("bytes", b"x", "unsupported", "base64"),
             ("bytearray", bytearray(b"x"), "unsupported", "base64"), ("object", object(), "unsupported", "'object'"),
             ("no repr", Unspeakable(), "unsupported", "'Unspeakable'"), ("key int", {1: 2}, "type", "a key is of type 'int'.*strings"),
             ("key None", {None: 2}, "type", "'NoneType'"), ("key bad", {Unspeakable(): 2}, "type", "'Unspeakable'"),
             ("surrogate", "\ud800", "unsupported", "surrogate"), ("key surrogate", {"\ud800": 1}, "unsupported", "surrogate"),
             ("long int", 10 ** 5000, "limit", "4300 digits"), ("function", len, "unsupported", "call it"), ("complex", 1j, "unsupported", "complex"))

    def errors(self, value):
        def graph(node, **fields):
            made = rm.Graph()
            made.add("PassThrough") >> made.add(node, **fields)
            return made

        for make in (lambda: rm.Pipeline.from_dict(row({"node_type": "PassThrough"}, {"node_type": "Multiply", "params": {"factor": value}})),
                     lambda: rm.Pipeline.from_dict(row({"node_type": "PassThrough"}, {"node_type": "nodes_with_params:Open", "params": {"factor": value}})),
                     graph("Multiply", params={"factor": value}).pipeline, graph(rm.nodes.Multiply(factor=value)).pipeline,
                     graph(module.Open, params={"factor": value}).pipeline, graph("Multiply", params={"factor": value}).to_dict):
            with self.assertRaises(rm.ManifestError) as raised:
                make()
            yield raised.exception

    def test_wrong_values(self):
        for name, value, code, words in self.WRONG:
            with self.subTest(name):
                for error in self.errors(value):
                    self.assertRegex(str(error), f"(?s)/nodes/1/params/factor.*{words}")
                    self.assertEqual((error.code, error.pointer.startswith("/nodes/1/params/factor")), (code, True))
                    self.assertNotIn("_held", str(error))

    def test_wrong_values_of_numpy(self):
        for error in self.errors(numpy().float64("nan")):
            self.assertEqual((error.code, error.pointer), ("value", "/nodes/1/params/factor"))

    def test_elsewhere(self):
        for pointer, fields in (("/nodes/0/on_error", {"on_error": {1}}), ("/nodes/0/timeout_ms", {"timeout_ms": math.nan})):
            with self.assertRaises(rm.ManifestError) as raised:
                graph = rm.Graph()
                graph.add("PassThrough", **fields)
                graph.pipeline()
            self.assertEqual(raised.exception.pointer, pointer)
        for wrong in ({1: 2}, {"metadata": {"x": {1}}}, itself({})):
            self.assertRaises(rm.ManifestError, rm.Pipeline.from_dict, wrong)

    def test_what_fits(self):
        graph = rm.Graph()
        graph.add(module.Open, params={"int": 2 ** 70, "none": None, "tuple": (1, "a"), "float": 1e300})
        self.assertEqual(graph.pipeline().run([0]), {"Open": [{"int": 2 ** 70, "none": None, "tuple": [1, "a"], "float": 1e300}]})


class Types(unittest.TestCase):
    """@node's annotations count in manifests too, before anything runs."""

    def test_errors_have_the_place(self):
        for node, params, words in (("scale", {"factor": "3"}, "'factor' of scale must be float, not str"), ("scale", {"mode": 1}, "str or None, not int"),
                                    ("Counter", {"start": 1.5}, "'start' of Counter must be int, not float"),
                                    ("Counter", {"start": None}, "not NoneType"), ("Counter", {"start": True}, "not bool")):
            graph = rm.Graph()
            graph.add("PassThrough") >> graph.add(getattr(module, node), params=params)
            for make in (graph.pipeline, lambda: rm.Pipeline.from_dict(
                    row({"node_type": "PassThrough"}, {"node_type": f"nodes_with_params:{node}", "params": params}))):
                with self.assertRaises(rm.ManifestError) as raised:
                    make()
                self.assertEqual((raised.exception.code, raised.exception.pointer), ("type", f"/nodes/1/params/{min(params)}"))
                self.assertIn(words, str(raised.exception))
        self.assertEqual(rm.Pipeline.from_dict(row({"node_type": "nodes_with_params:scale", "params": {"factor": 3, "mode": None}})).run([2]), {"a": [6]})


if __name__ == "__main__":
    unittest.main()
