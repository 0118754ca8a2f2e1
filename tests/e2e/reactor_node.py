"""The reactors as nodes: what a host sees that runs one node in an instance. docs/wasm-node.md."""
import struct
import time
import unittest

from support import ProgramTest
from wasm_products import path_of

from guest_node import (DONE, MORE, NO_TIME, OK, OUT_OF_MEMORY, PENDING, PYTHON, TYPE, USAGE, VALUE, Guest, Tensor,
                        is_forever)

LITE, SNAPSHOT = "remotemedia_reactor_lite", "remotemedia_reactor_wasm_snapshot"
ALL = (LITE, "remotemedia_reactor_wasm", SNAPSHOT, "remotemedia_reactor_numpy_snapshot")
WILD = (0, 1, 7, 8, 40, 1000, 1 << 20, (1 << 31) - 1, -(1 << 31), -1)


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


class Native(ProgramTest):
    product = LITE

    def guest(self, **more):
        return Guest(path_of(self.product), **more)

    def test_what_it_is(self):
        found = self.guest().describe("Merge", inputs=[["a", None], ["b", "in"]])
        expected = {"inputs": ["in"], "outputs": ["out"], "variadic": True, "process": True, "streaming": False,
                    "generates": False, "pending": False, "slow": False, "flush": True, "live": False,
                    "max_in_flight": 1, "advance": True}
        self.assertEqual(found, expected)

    def test_what_no_longer_comes_is_waited_for_no_longer(self):
        guest = self.guest()
        self.assertEqual(guest.open("Merge", inputs=[["a", None], ["b", None]]).code, OK)
        self.assertEqual(guest.process(["x"]).events, [])
        self.assertEqual(guest.call("advance", 0).events, [])
        self.assertEqual(guest.call("advance", 4).events, [("emit", 0, {"a": "x"}, 0)])
        self.assertEqual(guest.call("advance", 5).events, [])

    def test_packets_keep_what_they_carry(self):
        guest = self.guest()
        self.assertEqual(guest.open("PassThrough").code, OK)
        items = [None, True, -5, 1 << 70, -(1 << 63), 0.1, "ü\0", b"\xff", [[]], {"b": 1, "a": {}}, {}]
        answer = guest.process(items, timestamp=5, duration=7, flags=3, metadata={"k": [1]})
        self.assertEqual((answer.code, answer.done), (OK, len(items)))
        self.assertEqual(answer.events, [("emit", 0, item, i) for i, item in enumerate(items)])
        self.assertEqual(answer.packet[1:], (len(items) - 1, 5, 7, 3, {"k": [1]}))
        sound = Tensor(12, 4, [2, 1], floats(0.5, -1), rate=16000, layout=4)
        bare = Tensor(8, 4, [2, 2], bytes(range(16)))
        self.assertEqual(guest.process([sound, bare, 1.5]).values, [sound, bare, 1.5])
        answer = guest.process([1])
        self.assertEqual((answer.values, answer.packet[2:]), ([1], (NO_TIME, NO_TIME, 0, None)))

    def test_the_end(self):
        guest = self.guest()
        self.assertEqual(guest.open("Batch", {"size": 2}).code, OK)
        self.assertEqual(guest.process([1, 2, 3]).events, [("emit", 0, [1, 2], 1)])
        self.assertEqual(guest.call("flush").events, [("emit", 0, [3], -1)])
        self.assertEqual(guest.call("close").code, OK)
        self.assertEqual(guest.process([1]).code, USAGE)
        self.assertEqual(guest.open("Take", {"count": 1}).code, OK)
        answer = guest.process([7, 8])
        self.assertEqual((answer.code, answer.done, answer.values), (DONE, 1, [7]))

    def test_inputs_are_numbered_as_they_are_connected(self):
        guest = self.guest()
        self.assertEqual(guest.open("Merge", inputs=[["left", None], ["right", "in"]]).code, OK)
        self.assertEqual(guest.process([1]).values, [])
        guest.seq = 0
        guest.process([2], port=1)
        self.assertEqual(guest.process([3]).values, [{"left": 1, "right": 2}])
        self.assertEqual(guest.process([3], port=2).code, USAGE)

    def test_an_item_that_fails(self):
        guest = self.guest()
        guest.open("UppercaseTransform")
        answer = guest.process(["a", 2, "c"])
        self.assertEqual((answer.code, answer.done, answer.values), (TYPE, 1, ["A"]))
        self.assertEqual(answer.error, {"code": "type", "message": "UppercaseTransform 'n' takes string, got int"})
        self.assertEqual(guest.process(["c"]).events, [("emit", 0, "C", 2)])
        self.assertEqual(guest.process([]).events, [])

    def test_sources(self):
        guest = self.guest()
        self.assertEqual(guest.open("SimpleSource", {"count": 2, "value": "x"}, is_source=True, generates=True).code, OK)
        answers = [guest.call("generate") for _ in range(3)]
        self.assertEqual([answer.code for answer in answers][-1], DONE)
        self.assertEqual(sum((answer.events for answer in answers), []), [("emit", 0, "x", -1)] * 2)

    def test_what_is_wrong_is_told_with_its_place(self):
        for node_type, params, code, pointer in (
                ("Multiplyer", None, "unknown_node_type", "/node_type"),
                ("MultiplyNode", {"facter": 3}, "unknown_parameter", "/params/facter"),
                ("MultiplyNode", {"factor": "x"}, "type", "/params/factor"),
                ("MultiplyNode", 3, "type", "/params")):
            for name in ("describe", "open"):
                error = self.guest().configure(name, node_type, params).error
                self.assertEqual((error["code"], error["pointer"]), (code, pointer))

    def test_options_of_python_do_not_matter_to_a_native_node(self):
        guest = self.guest()
        self.assertEqual(guest.open("Echo", paths=["/nowhere"], seed=3, more=[1]).code, OK)

    def test_large_packets_grow_the_areas(self):
        guest = self.guest()
        guest.open("PassThrough")
        for size in (10, 5000, 3_000_000, 20_000_000, 10):
            (value,) = guest.process([bytes(size)]).values
            self.assertEqual(len(value), size)

    def test_no_memory_is_an_answer(self):
        guest = self.guest(memory=100 << 20)
        guest.open("PassThrough")
        self.assertEqual(guest.raw("rm_node_reserve", 1 << 30), OUT_OF_MEMORY)
        answer = guest.process([bytes(30 << 20)])
        self.assertEqual((answer.code, answer.done, answer.values), (OUT_OF_MEMORY, 0, []))
        self.assertEqual(guest.process([1]).values, [1])


class Wild(unittest.TestCase):
    """Whatever a host passes, it gets an answer."""

    def calls(self, guest):
        for number in WILD:
            yield "describe", number
            yield "open", number
            yield "abandon", number
            for port in WILD:
                yield "process", port, number
        for name in ("more", "generate", "poll", "end", "flush"):
            yield (name,)

    def try_all(self, guest):
        for name, *numbers in self.calls(guest):
            answer = guest.call(name, *numbers)
            self.assertLess(answer.code, MORE, (name, numbers))
        for number in WILD:
            if not 0 <= number <= 1 << 20:
                self.assertEqual(guest.call("reserve", number).code, OUT_OF_MEMORY)

    def test_every_export(self):
        for product in ALL:
            with self.subTest(product):
                guest = Guest(path_of(product), memory=1 << 30)  # without a bound 2 GiB may be had
                self.assertEqual(guest.call("close").code, USAGE)
                self.try_all(guest)
                self.assertEqual(guest.open("MultiplyNode", {"factor": 2}).code, OK)
                self.try_all(guest)
                self.assertEqual(guest.process([2]).values, [4])
                self.assertEqual(guest.open("MultiplyNode", {"factor": 3}).code, USAGE)
                self.assertEqual(guest.call("close").code, OK)
                self.assertEqual(guest.call("close").code, USAGE)

    def test_every_cut_of_packets(self):
        guest = Guest(path_of(LITE))
        guest.open("PassThrough")
        data = guest.packets([1, "two", [3, {"four": b"5"}], Tensor(8, 4, [2], bytes(8))], metadata={"k": None})
        for length in range(len(data)):
            answer = guest.call("process", 0, guest.write(data[:length]))
            self.assertEqual((answer.code, answer.done, answer.output), (VALUE, 0, b""), length)
        self.assertEqual(guest.call("process", 0, guest.write(data + b"\0")).code, VALUE)
        self.assertEqual(guest.call("process", 0, guest.write(data)).done, 4)
        for at in range(len(data)):  # any byte is wrong
            for value in (0, 1, 127, 255):
                guest.call("process", 0, guest.write(data[:at] + bytes([value]) + data[at + 1:]))
        self.assertEqual(guest.call("process", 0, guest.write(data)).done, 4)


class Python(Native):
    product = SNAPSHOT

    def test_values_of_python(self):
        guest = self.guest().python("def process(x):\n    return x\n")
        items = [1, (1, (2,)), {1, 2}, frozenset([3]), {1: "a", (2, 3): b""}, bytearray(b"x"), [(1,)], {"k": {4}},
                 1 << 80, "text", 2.5]
        answer = guest.process(items)
        self.assertEqual(answer.events, [("emit", 0, item, i) for i, item in enumerate(items)])
        for made, kind in zip(answer.values, items):
            self.assertIs(type(made), type(kind))
        guest = self.guest().python("def process(x):\n    return type(x).__name__\n")
        self.assertEqual(guest.process(items[:6]).values, ["int", "tuple", "set", "frozenset", "dict", "bytearray"])

    def test_one_to_many_and_none(self):
        guest = self.guest().python("def process(n):\n    if n == 1:\n        return None\n"
                                    "    return (i for i in range(n)) if n else n\n")
        answer = guest.process([0, 1, 3, 0])
        self.assertEqual((answer.code, answer.done, answer.events), (MORE, 3, [("emit", 0, 0, 0), ("emit", 0, 0, 2)]))
        self.assertEqual(guest.process([5]).code, USAGE)
        rest = []
        while answer.code == MORE:
            answer = guest.call("more")
            rest += answer.events
        self.assertEqual(rest, [("emit", 0, 1, 2), ("emit", 0, 2, 2)])
        self.assertEqual((answer.code, guest.process([0]).values), (OK, [0]))

    def test_failures_have_their_traceback(self):
        guest = self.guest().python("def process(x):\n    return 1 / x\n")
        answer = guest.process([1, 0, 2])
        self.assertEqual((answer.code, answer.done, answer.values), (PYTHON, 1, [1.0]))
        self.assertIn("ZeroDivisionError", answer.error["message"])
        self.assertEqual([frame["line"] for frame in answer.error["traceback"]], [2])
        self.assertIn("Traceback (most recent call last)", answer.error["detail"])
        self.assertEqual(guest.process([2]).events, [("emit", 0, 0.5, 2)])

    def test_what_cannot_leave_is_its_items_failure(self):
        guest = self.guest().python("def process(x):\n    return object() if x == 2 else x\n")
        answer = guest.process([1, 2, 3])
        self.assertEqual((answer.code, answer.done, answer.values), (answer.code, 1, [1]))
        self.assertEqual(answer.error["code"], "unsupported")
        self.assertEqual(guest.process([3]).events, [("emit", 0, 3, 2)])

    def test_what_cannot_leave_is_the_end_of_its_generator(self):
        guest = self.guest().python("def process(x):\n    yield x\n    yield object()\n    yield -x\n")
        answer = guest.process([1])
        while answer.code == MORE:
            answer = guest.call("more")
        self.assertEqual(answer.error["code"], "unsupported")
        self.assertEqual((guest.call("more").code, guest.process([2]).events), (USAGE, [("emit", 0, 2, 1)]))

    def test_what_cannot_leave_is_a_pending_items_failure(self):
        guest = self.guest().python("import asyncio\nasync def process(x):\n    await asyncio.sleep(0)\n"
                                    "    return object() if x else x\n")
        for item, expected in ((1, []), (0, [0])):
            answer = guest.process([item])
            self.assertEqual(answer.code, PENDING)
            while answer.code in (PENDING, MORE):
                answer = guest.call("poll")
            self.assertEqual((answer.code, answer.values), (OK, expected))
            *_, (what, _, code, error) = answer.events
            self.assertEqual((what, code < 0, error and error["code"]), ("finish", item == 1, "unsupported" if item else None))

    def test_async_items_are_pending(self):
        guest = self.guest()
        code = ("import asyncio\nclass Node:\n    max_in_flight = 3\n    async def process(self, x):\n"
                "        await asyncio.sleep(x / 100)\n        return 10 // (x - 1)\n")
        self.assertEqual({name: guest.describe("Python", {"code": code})[name] for name in ("pending", "max_in_flight")},
                         {"pending": True, "max_in_flight": 3})
        guest.python(code)
        tokens = []
        for item in (3, 1, 2):
            answer = guest.process([item, 5])
            ((what, token),) = answer.events
            self.assertEqual((answer.code, answer.done, what), (PENDING, 1, "suspend"))
            tokens.append(token)
        events, codes = [], {}
        while answer.code in (PENDING, MORE):
            self.assertFalse(is_forever(answer))
            time.sleep(answer.wait / 1000)
            answer = guest.call("poll")
            events += answer.events
        self.assertEqual(answer.code, OK)
        for event in events:
            if event[0] == "finish":
                codes[event[1]] = event[2]
        self.assertEqual(codes, {tokens[0]: OK, tokens[1]: PYTHON, tokens[2]: OK})
        self.assertEqual([event[2:] for event in events if event[0] == "emit"], [(10, 2), (5, 0)])
        (error,) = [event[3] for event in events if event[:2] == ("finish", tokens[1])]
        self.assertIn("ZeroDivisionError", error["message"])

    def test_an_abandoned_item_says_no_more(self):
        guest = self.guest().python("import asyncio\nclass Node:\n    max_in_flight = 2\n    async def process(self, x):\n"
                                    "        await asyncio.sleep(x)\n        return x\n")
        ((_, first),) = guest.process([3600]).events
        ((_, second),) = guest.process([0]).events
        self.assertEqual(guest.call("abandon", first).code, OK)
        self.assertEqual(guest.call("abandon", 99).code, OK)
        events, answer = [], guest.call("poll")
        while answer.code in (PENDING, MORE):
            events += answer.events
            answer = guest.call("poll")
        events += answer.events
        self.assertEqual({event[1] for event in events if event[0] != "emit"}, {second})

    def test_streams(self):
        guest = self.guest()
        code = "class Node:\n    is_streaming = True\n    async def process(self, items):\n" \
               "        async for x in items:\n            yield x * 2\n"
        self.assertTrue(guest.describe("Python", {"code": code})["streaming"])
        guest.python(code)
        events, answer = [], guest.process([1, 2])
        while answer.code == MORE:
            events += answer.events
            answer = guest.call("more")
        events += answer.events
        self.assertEqual((answer.code, answer.wait), (PENDING, 0))
        self.assertEqual(events, [("emit", 0, 2, 0), ("emit", 0, 4, 1), ("wants",)])
        answer = guest.call("end")
        self.assertEqual((answer.code, answer.values), (DONE, []))

    def test_a_stream_that_cannot_be_suspended_begins_when_all_is_there(self):
        guest = self.guest().python("def process(items):\n    yield sum(items)\n", is_streaming=True)
        for item in (1, 2):
            answer = guest.process([item])
            self.assertEqual((answer.code, answer.done, answer.events), (OK, 1, [("wants",)]))
        answer = guest.call("end")
        self.assertEqual((answer.code, answer.values), (MORE, [3]))
        self.assertEqual(guest.call("more").code, DONE)

    def test_sources_of_python(self):
        guest = self.guest()
        guest.python("def generate():\n    yield 'a'\n    yield 'b'\n", is_source=True, generates=True)
        answers = [guest.call("generate")]
        while answers[-1].code in (OK, MORE):
            answers.append(guest.call("generate"))
        self.assertEqual(answers[-1].code, DONE)
        self.assertEqual(sum((answer.events for answer in answers), []), [("emit", 0, "a", -1), ("emit", 0, "b", -1)])

    def test_flush_and_several_outputs(self):
        guest = self.guest()
        code = ("from remotemedia import Packet\nclass Node:\n    outputs = ('even', 'odd')\n"
                "    def process(self, x):\n        return Packet(x, port=x % 2)\n"
                "    def flush(self):\n        yield 'end'\n")
        self.assertEqual(guest.describe("Python", {"code": code})["outputs"], ["even", "odd"])
        guest.python(code)
        self.assertEqual(guest.process([1, 2]).events, [("emit", 1, 1, 0), ("emit", 0, 2, 1)])
        events, answer = [], guest.call("flush")
        while answer.code == MORE:
            events += answer.events
            answer = guest.call("flush")
        self.assertEqual(events + answer.events, [("emit", 0, "end", -1)])

    def test_modules_beside_the_manifest_and_in_paths(self):
        (self.folder / "beside.py").write_text("class Double:\n    def process(self, x):\n        return 2 * x\n")
        for more in ({"directory": "/d"}, {"paths": ["/d"]}):
            guest = self.guest(folders={"/d": self.folder})
            self.assertEqual(guest.open("beside:Double", **more).code, OK)
            self.assertEqual(guest.process([4]).values, [8])
        error = self.guest().describe("beside:Double")
        self.assertEqual((error["code"], error["pointer"]), ("unknown_node_type", "/node_type"))

    def test_seed(self):
        drawn = [self.guest().python("import random\ndef process(x):\n    return random.random()\n", seed=seed)
                 .process([1]).values for seed in (1, 1, 2)]
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])

    def test_describe_and_open_are_one_node(self):
        guest = self.guest()
        params = {"code": "import builtins\nbuiltins.count = getattr(builtins, 'count', 0) + 1\n"
                          "def process(x):\n    return builtins.count\n"}
        self.assertTrue(guest.describe("Python", params)["process"])
        self.assertEqual(guest.open("Python", params).code, OK)
        self.assertEqual(guest.process([0]).values, [1])

    def test_open_that_fails_may_be_tried_again(self):
        guest = self.guest()
        params = {"code": "import builtins\nclass Node:\n    def initialize(self):\n"
                          "        builtins.tries = getattr(builtins, 'tries', 0) + 1\n"
                          "        1 / (builtins.tries - 1)\n    def process(self, x):\n        return x\n"}
        answer = guest.open("Python", params)
        self.assertEqual((answer.code, answer.error["node"]), (PYTHON, "n"))
        self.assertEqual(guest.process([1]).code, USAGE)
        self.assertEqual(guest.open("Python", params).code, OK)
        self.assertEqual(guest.process([1]).values, [1])

    def test_a_runtime_hint_means_python(self):
        hints = {hint: self.guest().describe("MultiplyNode", {"factor": 2}, runtime_hint=hint)["slow"]
                 for hint in ("auto", "cpython", "cpython_wasm")}
        self.assertEqual(hints, {"auto": False, "cpython": True, "cpython_wasm": True})

    def test_tensors(self):
        guest = self.guest().python("import remotemedia\ndef process(t):\n    return [t.tolist(), t]\n")
        given = Tensor(12, 4, [2, 2], floats(1, 2, 3, 4))
        self.assertEqual(guest.process([given]).values, [[[[1.0, 2.0], [3.0, 4.0]], given]])


class WithNumpy(ProgramTest):
    def test_arrays_stay_arrays(self):
        guest = Guest(path_of("remotemedia_reactor_numpy_snapshot"))
        guest.python("import numpy\ndef process(a):\n    return a[::2] + 1 if type(a) is numpy.ndarray else type(a)\n")
        given = Tensor(12, 4, [3], floats(1, 2, 3), array=1)
        self.assertEqual(guest.process([given]).values, [Tensor(12, 4, [2], floats(2, 4), array=1)])


class Speed(unittest.TestCase):
    def test_an_item_costs_little_beside_its_call(self):
        guest = Guest(path_of(SNAPSHOT)).python("def process(x):\n    return x\n")
        length = guest.write(guest.packets(list(range(64))))
        address = guest.bytes(guest.exchange, 8)
        started = time.perf_counter()
        for _ in range(200):
            self.assertEqual(guest.raw("rm_node_process", 0, length), OK)
        took = (time.perf_counter() - started) / 200 / 64
        self.assertEqual(guest.bytes(guest.exchange, 8), address)
        self.assertLess(took, 20e-6)


if __name__ == "__main__":
    unittest.main()
