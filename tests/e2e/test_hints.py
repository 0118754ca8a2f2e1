"""What hints say works: each value that cannot leave a node is tried, and then what its hint says is tried with it."""

import json
import os
import pty
import re
import select
import signal
import time
import unittest

from support import PROGRAM, ROOT, SLOWNESS, ProgramTest, environment, manifest, node

from ports import dependency

PRELUDE = """
import abc, array, asyncio, base64, collections, ctypes, dataclasses, datetime, decimal, enum, fractions, functools, io
import ipaddress, itertools, operator, pathlib, re, types, uuid
@dataclasses.dataclass
class Point:
    x: int
    y: list
class Colour(enum.Enum):
    RED = 7
class Pair(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_double)]
class Plain:
    def __init__(self):
        self.a = 1
class Slots:
    __slots__ = ("a",)
class Model:
    def model_dump(self):
        return {"a": 1}
class Path2(pathlib.PurePosixPath):
    pass
class date:
    pass
def function():
    return 5
async def coroutine():
    return 6
async def numbers():
    yield 7
"""

# The value, what its hint says to write, and what that gives (as a native node passes it on).
VALUES = [
    ("{1, 'a'}", "sorted(x, key=repr)", "['a', 1]"),
    ("frozenset([2, 1])", "sorted(x, key=repr)", "[1, 2]"),
    ("1 - 2j", "[x.real, x.imag]", "[1.0, -2.0]"),
    ("(i for i in 'ab')", "list(x)", "['a', 'b']"),
    ("map(str, [1])", "list(x)", "['1']"),
    ("filter(None, [0, 1])", "list(x)", "[1]"),
    ("zip([1], [2])", "list(x)", "[[1, 2]]"),
    ("enumerate('a')", "list(x)", "[[0, 'a']]"),
    ("reversed([1, 2])", "list(x)", "[2, 1]"),
    ("iter({3: 4})", "list(x)", "[3]"),
    ("range(2)", "list(x)", "[0, 1]"),
    ("{1: 2}.keys()", "list(x)", "[1]"),
    ("{1: 2}.values()", "list(x)", "[2]"),
    ("{1: 2}.items()", "list(x)", "[[1, 2]]"),
    ("collections.deque([1])", "list(x)", "[1]"),
    ("collections.UserList([1])", "list(x)", "[1]"),
    ("collections.UserDict(a=1)", "dict(x)", "{'a': 1}"),
    ("collections.ChainMap({'a': 1}, {'b': 2})", "dict(x)", "{'b': 2, 'a': 1}"),
    ("types.MappingProxyType({'a': 1})", "dict(x)", "{'a': 1}"),
    ("types.SimpleNamespace(a=1)", "vars(x)", "{'a': 1}"),
    ("Plain()", "vars(x)", "{'a': 1}"),
    ("itertools.count(3)", "list(itertools.islice(x, 10))", "[3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"),
    ("itertools.cycle([1])", "list(itertools.islice(x, 10))", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"),
    ("itertools.repeat(1)", "list(itertools.islice(x, 10))", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"),
    ("itertools.chain([1])", "list(x)", "[1]"),
    ("memoryview(b'ab')", "remotemedia.Tensor(x)", "Tensor(shape=(2,), dtype=uint8)"),
    ("memoryview(b'ab')", "bytes(x)", "b'ab'"),
    ("memoryview(array.array('w', 'a'))", "bytes(x)", "b'a\\x00\\x00\\x00'"),
    ("array.array('w', 'ab')", "x.tolist()", "['a', 'b']"),
    ("array.array('d', [1])", "x.tolist()", "[1.0]"),
    ("ctypes.c_int(3)", "x.value", "3"),
    ("(ctypes.c_int * 2)(1, 2)", "remotemedia.Tensor(x)", "Tensor(shape=(2,), dtype=int32)"),
    ("(Pair * 1)()", "bytes(x)", repr(bytes(16))),
    ("Pair(1, 2)", "{name: getattr(x, name) for name, *_ in x._fields_}", "{'a': 1, 'b': 2.0}"),
    ("decimal.Decimal('1.10')", "str(x)", "'1.10'"),
    ("decimal.Decimal('1.5')", "float(x)", "1.5"),
    ("fractions.Fraction(1, 3)", "str(x)", "'1/3'"),
    ("fractions.Fraction(1, 2)", "float(x)", "0.5"),
    ("datetime.datetime(2020, 1, 2)", "x.isoformat()", "'2020-01-02T00:00:00'"),
    ("datetime.date(2020, 1, 2)", "x.isoformat()", "'2020-01-02'"),
    ("datetime.time(1)", "x.isoformat()", "'01:00:00'"),
    ("datetime.timedelta(minutes=1)", "x.total_seconds()", "60.0"),
    ("datetime.timezone.utc", "str(x)", "'UTC'"),
    ("uuid.UUID(int=1)", "str(x)", "'00000000-0000-0000-0000-000000000001'"),
    ("pathlib.Path('/a')", "str(x)", "'/a'"),
    ("Path2('/a')", "str(x)", "'/a'"),
    ("ipaddress.ip_address('::1')", "str(x)", "'::1'"),
    ("ipaddress.ip_network('10.0.0.0/8')", "str(x)", "'10.0.0.0/8'"),
    ("Colour.RED", "x.name", "'RED'"),
    ("Colour.RED", "x.value", "7"),
    ("re.compile('a+')", "x.pattern", "'a+'"),
    ("re.match('a+', 'aab')", "x.group()", "'aa'"),
    ("slice(1, 2)", "[x.start, x.stop, x.step]", "[1, 2, None]"),
    ("ValueError('no')", "str(x)", "'no'"),
    ("int", "x.__name__", "'int'"),
    ("Colour", "x.__name__", "'Colour'"),
    ("re", "x.__name__", "'re'"),
    ("Point(1, [2])", "dataclasses.asdict(x)", "{'x': 1, 'y': [2]}"),
    ("Model()", "x.model_dump()", "{'a': 1}"),
    ("io.BytesIO(b'a')", "x.getvalue()", "b'a'"),
    ("io.StringIO('a')", "x.getvalue()", "'a'"),
    ("open(__import__('os').devnull)", "x.read()", "''"),
    ("'a\\ud800'", "x.encode('utf-8', 'replace').decode()", "'a?'"),
    ("{b'a': 1, (1, 2): 2}", "{str(k): v for k, v in x.items()}", '{"b\'a\'": 1, \'(1, 2)\': 2}'),
    ("{1: 'a', '1': 'b'}", "list(x.items())", "[[1, 'a'], ['1', 'b']]"),
    ("__import__('remotemedia').Packet(3)", "x.value", "3"),
    ("function", "call it", None),
    ("[].sort", "call it", None),
    ("Plain().__init__", "call it", None),
    ("coroutine()", "await it, in an async node", None),
    ("numbers()", "[item async for item in x] makes it a list, in an async node", None),
    ("date()", "vars(x)", "{}"),  # no datetime.date
    ("Slots()", "return a dict, list, string or number made from it", None),
]
VALUES_OF_NUMPY = [
    ("np.complex64(1 + 2j)", "[float(x.real), float(x.imag)]", "[1.0, 2.0]"),
    ("np.clongdouble(1)", "[float(x.real), float(x.imag)]", "[1.0, 0.0]"),
    ("np.datetime64('2020-01-02')", "str(x)", "'2020-01-02'"),
    ("np.datetime64('NaT')", "str(x)", "'NaT'"),
    ("np.timedelta64(3, 'Y')", "x.astype('int64')", "3"),
    ("np.void(b'ab')", "x.item()", "b'ab'"),
    ("np.zeros(1, 'i4,f4')[0]", "x.item()", "[0, 0.0]"),
    ("np.zeros(1, 'i4,f4')[0]", "numpy.asarray(x)", "Tensor(shape=(), dtype=opaque)"),
    ("np.rec.array([(1, 2.0)])[0]", "x.item()", "[1, 2.0]"),
    ("np.dtype('<i4')", "str(x)", "'int32'"),
    ("np.poly1d([1.0, 2.0])", "numpy.asarray(x)", "Tensor(shape=(2,), dtype=float64)"),
    ("np.nditer(np.zeros(2))", "list(x)", "[Tensor(shape=(), dtype=float64), Tensor(shape=(), dtype=float64)]"),
    ("np.array([1, 'a', None], object)", "x.tolist()", "[1, 'a', None]"),
    ("np.array([(1, 'a')], [('i', 'i4'), ('o', object)])", "x.tolist()", "[[1, 'a']]"),
    ("np.array(['a', 'bb'], np.dtypes.StringDType())", "x.tolist()", "['a', 'bb']"),
    ("np.zeros(1, 'V0')", "x.tolist()", "[b'']"),
    ("np.zeros(1, {'names': ['a', 'b'], 'formats': ['i4', 'i4'], 'offsets': [4, 0]})",
     "numpy.lib.recfunctions.repack_fields(x)", "Tensor(shape=(1,), dtype=opaque)"),
    ("np.zeros(1, {'names': ['a', 'b'], 'formats': ['i4', 'i4'], 'offsets': [0, 2]})",
     "numpy.lib.recfunctions.repack_fields(x)", "Tensor(shape=(1,), dtype=opaque)"),
    ("np.ma.array([1.0], mask=[True])", "x.filled(0)", "Tensor(shape=(1,), dtype=float64)"),
    ("np.longdouble(1) / 3", "float(x)", repr(1 / 3)),
    ("np.longdouble(1) / 3", "numpy.asarray(x)", "Tensor(shape=(), dtype=<f16)"),
]
SINK = node("sink", "Python", {"code": "def process(x):\n    return repr(x)\n"})


def advice_in_sources():
    """The texts that src/python/convert/advice.c can give."""
    text = (ROOT / "src/python/convert/advice.c").read_text()
    return set(re.findall(r'^    \{"[^"]*",\s+(?:"[^"]*"|NULL),\s+"([^"]*)"', text, re.M))


class Values(ProgramTest):
    def hints(self, values, *words, prelude=PRELUDE):
        """The hint for each value, in a list so that a node takes no generator apart."""
        code = prelude + f"\ndef process(i):\n    return [eval({[value for value, *_ in values]!r}[i])]\n"
        nodes = [node("p", "Python", {"code": code}), node("native", "Select", {"pointer": ""}, on_error="collect"), SINK]
        done = self.run_program("run", "-", *words, stdin={
            "manifest": manifest(nodes, ["p > native > sink"]), "input_data": list(range(len(values)))})
        self.assertEqual(done.exit, 0, done.stdout + done.stderr)
        failed = done.document.get("failed", [])
        self.assertEqual([error["item"] for error in failed], list(range(len(values))), done.document["outputs"])
        return [error["hint"] for error in failed]

    def check(self, values, *words, prelude=PRELUDE):
        hints = self.hints(values, *words, prelude=prelude)
        steps = []
        for (value, expression, wanted), hint in zip(values, hints):
            self.assertIn(expression.replace("x.filled(0)", "x.filled("), hint, value)
            if wanted is not None:
                steps.append((value, expression, wanted))
        code = prelude + (f"import remotemedia\ndef process(i):\n    value, expression = {[s[:2] for s in steps]!r}[i]\n"
                          "    return eval(expression, globals() | {'x': eval(value)})\n")
        nodes = [node("p", "Python", {"code": code}), node("native", "Select", {"pointer": ""}), SINK]
        done = self.run_program("run", "-", *words, stdin={
            "manifest": manifest(nodes, ["p > native > sink"]), "input_data": list(range(len(steps)))})
        self.assertEqual(done.exit, 0, done.stdout + done.stderr)
        for (value, expression, wanted), got in zip(steps, done.document["outputs"]["sink"], strict=True):
            self.assertEqual(got, wanted, f"{expression} with {value}")
        return hints

    def test_of_the_library(self):
        seen = set(self.check(VALUES))
        elsewhere = (ROOT / "tests/libraries/arrays.py").read_text()
        of_numpy = {hint for hint in self.hints(VALUES_OF_NUMPY, "--path", dependency("numpy-wheel"),
                                                prelude=PRELUDE + "import numpy as np\n")}
        untried = [advice for advice in advice_in_sources() - seen - of_numpy
                   if f'"{advice.split(" makes ")[0].split(" says ")[0]}"' not in elsewhere]
        self.assertEqual(untried, [])

    def test_of_numpy(self):
        prelude = PRELUDE + "import numpy, numpy as np, numpy.lib.recfunctions\n"
        self.check(VALUES_OF_NUMPY, "--path", dependency("numpy-wheel"), prelude=prelude)

    def test_what_is_called_and_awaited(self):
        code = PRELUDE + """
async def process(i):
    if i == 0:
        return function()
    if i == 1:
        return await coroutine()
    x = numbers()
    return [item async for item in x]
"""
        done = self.run_program("run", "-", stdin={"manifest": manifest([node("p", "Python", {"code": code})]),
                                                   "input_data": [0, 1, 2]})
        self.assertEqual(done.document["outputs"]["p"], [5, 6, [7]], done.stderr)

    def test_bytes_in_json(self):
        code = "import base64\ndef process(i):\n    x = b'\\xff'\n    return base64.b64encode(x).decode() if i else x\n"
        given = {"manifest": manifest([node("p", "Python", {"code": code}, on_error="collect")]), "input_data": [0, 1]}
        done = self.run_program("run", "-", stdin=given)
        self.assertIn("base64.b64encode(x).decode()", done.stdout + done.stderr)
        given["input_data"] = [1]
        self.assertEqual(self.run_program("run", "-", stdin=given).document["outputs"]["p"], ["/w=="])


class Tensors(ProgramTest):
    def of_code(self, code, *words, items=(0,), more=(), connections=()):
        nodes = [node("p", "Python", {"code": code}), *more]
        return self.run_program("run", "-", *words, stdin={"manifest": manifest(nodes, connections),
                                                           "input_data": list(items)})

    def test_what_a_tensor_is_made_of(self):
        code = "import array, remotemedia\ndef process(i):\n    x = [1, 2]\n    return remotemedia.Tensor({})\n"
        done = self.of_code(code.format("x"))
        self.assertIn("array.array('f', x) and numpy.array(x)", done.document["error"]["message"])
        self.assertEqual(self.of_code(code.format("array.array('f', x)"), "--arrays", "list").document["outputs"]["p"],
                         [[1.0, 2.0]])
        done = self.of_code(code.format("__import__('numpy').array(x)"), "--arrays", "list", "--path",
                            dependency("numpy-wheel"))
        self.assertEqual(done.document["outputs"]["p"], [[1, 2]])

    def test_audio_that_is_not_contiguous(self):
        code = ("import numpy, remotemedia\ndef process(i):\n    x = numpy.ones((2, 3), 'f4').T\n"
                "    return remotemedia.Tensor({}, sample_rate=8000)\n")
        sink = node("file", "AudioFileSink", {"path": "out.wav"})
        words = ("--path", dependency("numpy-wheel"))
        done = self.of_code(code.format("x"), *words, more=[sink], connections=["p > file"])
        if done.exit != 0:
            self.assertIn("numpy.ascontiguousarray(x)", done.document["error"]["hint"])
        done = self.of_code(code.format("numpy.ascontiguousarray(x)"), *words, more=[sink], connections=["p > file"])
        self.assertEqual(done.exit, 0, done.stderr)

    def test_numpy_that_is_missing(self):
        item = {"__numpy__": True, "array": {"meta": {"shape": [1], "dtype": "uint8"}, "data": "AQ=="}}
        given = {"manifest": manifest([node("p", "Python", {"code": "def process(t):\n    return t.tolist()\n"})]),
                 "input_data": [item]}
        done = self.run_program("run", "-", "--compat", "v1", stdin=given)
        self.assertIn('"arrays": "tensor"', done.document["error"]["hint"])
        given["manifest"]["nodes"][0]["arrays"] = "tensor"
        self.assertEqual(self.run_program("run", "-", stdin=given).document["outputs"]["p"], [[1]])


class Exceptions(ProgramTest):
    def failed(self, code, is_streaming=False):
        more = {"is_streaming": True} if is_streaming else {}
        done = self.run_program("run", "-", stdin={"manifest": manifest([node("p", "Python", {"code": code}, **more)]),
                                                   "input_data": [1]})
        return done.document

    def test_the_end_of_a_program(self):
        self.assertIn("return None to drop the item",
                      self.failed("import sys\ndef process(x):\n    sys.exit(3)\n")["error"]["hint"])
        self.assertEqual(self.failed("def process(x):\n    return None\n")["outputs"], {"p": []})
        self.assertEqual(self.failed("def process(x):\n    raise ValueError('no')\n")["error"]["message"], "ValueError: no")

    def test_an_asynchronous_node_reads_its_stream_with_async_for(self):
        wrong = "async def process(stream):\n    for x in stream:\n        yield x\n"
        self.assertIn("async for", self.failed(wrong, True)["error"]["hint"])
        self.assertEqual(self.failed(wrong.replace("    for", "    async for"), True)["outputs"]["p"], [1])

    def test_only_questions_get_the_hint_about_questions(self):
        self.assertNotIn("hint", self.failed("import io, pickle\ndef process(x):\n    pickle.load(io.BytesIO())\n")["error"])

    def test_questions_at_a_terminal(self):
        for ask, answer, says in (("return input()", b"yes\n", '"p":["yes"]'),
                                  ("breakpoint()\n    return y", b"y = 5\nc\n", '"p":[5]')):
            code = f"def process(x):\n    y = 1\n    {ask}\n"
            self.assertIn("sys.stdin = open('/dev/tty')", self.failed(code)["error"]["hint"])
            with self.subTest(ask):
                self.write("p.json", manifest([node("p", "Python", {"code": f"import sys\nsys.stdin = open('/dev/tty')\n{code}"})]))
                self.write("in.json", "[1]")
                self.assertIn(says, self.at_a_terminal(answer))

    def at_a_terminal(self, answer):
        """What the program prints at a terminal of its own, with the answer typed."""
        child, terminal = pty.fork()
        if child == 0:
            try:
                os.chdir(self.folder)
                os.execve(PROGRAM, [str(PROGRAM), "run", "p.json", "--input", "in.json"], environment())
            finally:
                os._exit(127)
        os.write(terminal, answer)
        shown, until = b"", time.monotonic() + 60 * SLOWNESS
        try:
            while select.select([terminal], [], [], max(0, until - time.monotonic()))[0]:
                shown += os.read(terminal, 4096)
            os.kill(child, signal.SIGKILL)
        except OSError:  # the program has ended, and its terminal with it
            pass
        finally:
            os.waitpid(child, 0)
            os.close(terminal)
        return shown.decode(errors="replace")


if __name__ == "__main__":
    unittest.main()
