"""remotemedia.connect: runs on a server as if they were here."""
import array
import asyncio
import contextlib
import io
import json
import pathlib
import re
import tempfile
import threading
import unittest

import remotemedia
from serving import Server

DOUBLE = {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": "a", "node_type": "MultiplyNode", "params": {"factor": 2}}], "connections": []}
PASS = {**DOUBLE, "nodes": [{"id": "p", "node_type": "PassThrough"}]}
TWO = {**DOUBLE, "nodes": [{"id": "x", "node_type": "MultiplyNode", "params": {"factor": 2}}, {"id": "y", "node_type": "MultiplyNode", "params": {"factor": 3}}]}
SOURCE = {**DOUBLE, "nodes": [{"id": "s", "node_type": "SimpleSource", "params": {"count": 3, "value": 7}}]}
UPPER = {**DOUBLE, "nodes": [{"id": "up", "node_type": "UppercaseTransform"}]}


class Connect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.connection = remotemedia.connect(cls.server.address)
        cls.addClassCleanup(cls.connection.close)

    def same(self, what, *input):
        here = remotemedia.Pipeline.from_json(json.dumps(what)).run(*input)
        there = self.connection.run(what, *input)
        self.assertEqual(there, here)
        return there

    def test_run_is_the_same_as_here(self):
        self.same(DOUBLE, range(100))
        self.same(DOUBLE, [])
        self.same(PASS, [None, True, 1, -2, 3.5, 1 << 70, "große", b"\0\xff", {"a": [1, {"b": None}]}, [], [[1]]])
        self.same(TWO, range(3))
        self.same(TWO, {"x": range(3), "y": [5]})
        self.same(SOURCE)
        self.same({**SOURCE, "nodes": [{"id": "s", "node_type": "SimpleSource", "params": {"count": 1, "value": [7]}}]})
        self.same({"manifest": DOUBLE, "input_data": [1, 2]})

    def test_arrays(self):
        audio = remotemedia.Tensor(array.array("f", [0.5, -0.5] * 320), (320, 2), sample_rate=16000)
        numbers = remotemedia.Tensor(array.array("q", [1, 2, 3, 4]), (2, 2))
        got = self.connection.run(PASS, [audio, numbers])["p"]
        self.assertEqual([(t.tolist(), t.dtype, t.sample_rate) for t in got],
                         [(audio.tolist(), "float32", 16000), (numbers.tolist(), "int64", None)])

    def test_failures_of_the_iterable(self):
        async def endless():
            for i in range(3):
                yield 1 // (1 - i)

        async def in_a_group(items):
            async with asyncio.TaskGroup() as group:
                group.create_task(self.connection.arun(DOUBLE, items))

        for make in (lambda: (1 // (1 - i) for i in range(3)), endless):
            with self.assertRaises(ZeroDivisionError):
                asyncio.run(self.connection.arun(DOUBLE, make()))
            with self.assertRaises(ExceptionGroup) as caught:
                asyncio.run(in_a_group(make()))
            self.assertIsInstance(caught.exception.exceptions[0], ZeroDivisionError)
        with self.assertRaises(ZeroDivisionError):
            self.connection.run(DOUBLE, (1 // (1 - i) for i in range(3)))

    def test_large_results(self):
        texts = ["x" * 5_000_000] * 2
        self.assertEqual(self.connection.run(PASS, texts)["p"], texts)
        self.assertEqual(asyncio.run(self.connection.arun(PASS, texts))["p"], texts)

    def test_stream(self):
        with self.connection.stream(DOUBLE, range(1000)) as results:
            self.assertEqual(list(results), [2 * i for i in range(1000)])
        with self.connection.stream(TWO, [1]) as results:
            self.assertEqual(sorted(results), [("x", 2), ("y", 3)])

        def endless():
            i = 0
            while True:
                yield i
                i += 1

        with self.connection.stream(DOUBLE, endless()) as results:
            self.assertEqual([next(results) for _ in range(100)], [2 * i for i in range(100)])
        running = self.connection.stream(DOUBLE, endless())
        next(running)
        threading.Thread(target=running.cancel).start()
        with self.assertRaises(remotemedia.Cancelled):
            for _ in running:
                pass

    def test_asyncio(self):
        async def items():
            for i in range(50):
                await asyncio.sleep(0)
                yield i

        async def main():
            self.assertEqual([value async for value in self.connection.astream(DOUBLE, items())], [2 * i for i in range(50)])
            self.assertEqual(await self.connection.arun(DOUBLE, range(3)), {"a": [0, 2, 4]})
            self.assertEqual(await self.connection.arun(SOURCE), {"s": [7, 7, 7]})
            results = self.connection.astream(DOUBLE, items())
            self.assertEqual(await anext(results), 0)
            await results.aclose()
            with self.assertRaises(remotemedia.NodeError):
                await self.connection.arun(UPPER, ["a", 5])

        asyncio.run(main())

    def test_failures(self):
        with self.assertRaises(remotemedia.NodeError) as caught:
            self.connection.run(UPPER, ["a", 5, "b"])
        self.assertEqual((caught.exception.node, caught.exception.item, caught.exception.code, caught.exception.results), ("up", 1, "type", {"up": ["A"]}))
        with self.assertRaises(remotemedia.ManifestError) as caught:
            self.connection.run({**DOUBLE, "nodes": [{"id": "a", "node_type": "MultiplyNode", "params": {"facto": 2}}]}, [1])
        self.assertEqual((caught.exception.pointer, caught.exception.code), ("/nodes/0/params/facto", "unknown_parameter"))
        with self.assertRaises(remotemedia.ManifestError) as caught:
            self.connection.run({**DOUBLE, "nodes": [{**DOUBLE["nodes"][0], "on_error": "skip"}]}, [1])
        self.assertIn("on_error", str(caught.exception))
        with self.assertRaises(remotemedia.Timeout):
            self.connection.run({**SOURCE, "nodes": [{"id": "s", "node_type": "SimpleSource", "params": {"count": 1 << 60, "value": 7}},
                                                     {"id": "t", "node_type": "Take", "params": {"count": 1 << 59}}],
                                 "connections": [{"from": "s", "to": "t"}]}, timeout=0.2)

        def wrong():
            yield 1
            raise ZeroDivisionError("mine")

        with self.assertRaisesRegex(ZeroDivisionError, "mine"):
            self.connection.run(DOUBLE, wrong())
        with remotemedia.connect("127.0.0.1:1") as nobody, self.assertRaises(remotemedia.Error) as caught:
            nobody.run(DOUBLE, [1])
        self.assertEqual(caught.exception.code, "io")

    def test_version_and_repr(self):
        self.assertIn("MultiplyNode", self.connection.version()["supported_node_types"])
        self.assertIn(self.server.address, repr(self.connection))

    def test_a_graph(self):
        graph = remotemedia.Graph()
        graph.add(remotemedia.nodes.Multiply(factor=3))
        (values,) = self.connection.run(graph, [1, 2]).values()
        self.assertEqual(values, [3, 6])


class Docs(unittest.TestCase):
    def test_what_the_page_shows(self):
        text = (pathlib.Path(__file__).resolve().parent.parent.parent / "docs/service.md").read_text()
        code, shown = (re.search(rf"^```{kind} connect\n(.*?)^```$", text, re.S | re.M)[1] for kind in ("python", "text"))
        server = Server()
        self.addCleanup(server.stop)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code.replace("127.0.0.1:50051", server.address), "service.md", "exec"), {})
        self.assertEqual(printed.getvalue(), shown)


class Tokens(unittest.TestCase):
    def test_a_token(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            with remotemedia.connect(server.address, token="secret") as connection:
                self.assertEqual(connection.run(DOUBLE, [1]), {"a": [2]})
            for wrong in (None, "other"):
                with remotemedia.connect(server.address, token=wrong) as connection, self.assertRaisesRegex(remotemedia.Error, "token"):
                    connection.run(DOUBLE, [1])
