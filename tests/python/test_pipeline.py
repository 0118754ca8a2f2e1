"""Pipelines in the caller's interpreter: runs, streams, failures, threads."""
import asyncio
import gc
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
import types
import unittest
import weakref

import remotemedia as rm
from manifests import code, multiply, row


def graph_that_closes(ended):
    """A graph of one node, which passes items on and notes its end."""
    class Node:
        def process(self, item):
            return item

        def cleanup(self):
            ended.append(True)

    graph = rm.Graph()
    graph.add(Node)
    return graph


class Runs(unittest.TestCase):
    def test_results_by_their_node(self):
        pipeline = rm.Pipeline.from_dict(row(multiply(3)))
        self.assertEqual(pipeline.run([1, 2.5, 10 ** 30]), {"a": [3, 7.5, 3 * 10 ** 30]})
        self.assertEqual(pipeline.run(iter([7])), {"a": [21]})

    def test_items_of_several_sources(self):
        manifest = row(multiply(), multiply(), multiply())
        manifest["connections"] = [{"from": "a", "to": "c"}, {"from": "b", "to": "c"}]
        self.assertEqual(rm.Pipeline.from_dict(manifest).run({"a": [1, 2], "b": (10,)}), {"c": [4, 40, 8]})
        with self.assertRaises(rm.Error) as raised:
            rm.Pipeline.from_dict(manifest).run({"aa": [1]})
        self.assertEqual(raised.exception.code, "unknown_node")

    def test_sources_generate_without_items(self):
        source = code("def generate():\n    yield from (1, 2, 3)")
        pipeline = rm.Pipeline.from_dict(row(source, multiply()))
        self.assertEqual(pipeline.run(), {"b": [2, 4, 6]})
        self.assertEqual(pipeline.run(input=None), {"b": [2, 4, 6]})
        self.assertEqual(list(pipeline.stream(input=None)), [2, 4, 6])

    def test_any_mapping_names_sources(self):
        items = types.MappingProxyType({"a": [1, 2]})
        pipeline = rm.Pipeline.from_dict(row(multiply()))
        self.assertEqual(pipeline.run(input=items), {"a": [2, 4]})
        self.assertEqual(asyncio.run(pipeline.arun(input=items)), {"a": [2, 4]})

    def test_items_beside_the_manifest(self):
        document = {"manifest": row(multiply()), "input_data": [1, 2]}
        self.assertEqual(rm.Pipeline.from_dict(document).run(), {"a": [2, 4]})

    def test_items_wait_for_room(self):
        slow = code("import asyncio\nclass Node:\n    max_in_flight = 1\n    async def process(self, x):\n        await asyncio.sleep(0)\n"
                    "        return x")
        expected = {"a": list(range(300))}
        self.assertEqual(rm.Pipeline.from_dict({"manifest": row(slow), "input_data": list(range(300))}).run(), expected)
        pipeline = rm.Pipeline.from_dict(row(slow))
        for items in (range(300), iter(range(300)), (i for i in range(300))):
            self.assertEqual(pipeline.run(items), expected)
        self.assertEqual(list(pipeline.stream({"a": range(300)})), expected["a"])

    def test_objects_of_nodes_arrive_as_they_are(self):
        class Thing:
            pass

        made = []

        def make(item):
            made.append(Thing())
            return made[-1]

        graph = rm.Graph()
        graph.add(make, id="made")
        results = graph.pipeline().run([1, 2])["made"]
        self.assertEqual(list(map(id, results)), list(map(id, made)))

    def test_metrics_are_filled_when_asked_for(self):
        pipeline = rm.Pipeline.from_dict(row(multiply(), code("import time\ndef process(x):\n    time.sleep(0.001)")))
        pipeline.run([1, 2], metrics=True)
        self.assertEqual((pipeline.metrics["a"]["out"], pipeline.metrics["b"]["in"]), (2, 2))
        self.assertGreaterEqual(pipeline.metrics["b"]["ns"], 2_000_000)
        self.assertEqual(pipeline.graph_info["execution_order"], ["a", "b"])

    def test_collected_failures(self):
        pipeline = rm.Pipeline.from_dict(row(code("def process(x):\n    return 1 / x", on_error="collect")))
        self.assertEqual(pipeline.run([1, 0, 2]), {"a": [1.0, 0.5]})
        self.assertEqual([(each["item"], each["code"]) for each in pipeline.failures], [(1, "python")])


class Streams(unittest.TestCase):
    def test_an_item_is_read_when_a_result_is_asked_for(self):
        read = []

        def items():
            for i in range(5):
                read.append(i)
                yield i

        stream = rm.Pipeline.from_dict(row(multiply(), code("def process(x):\n    return [x]"))).stream(items())
        self.assertEqual(read, [])
        for i in range(5):
            self.assertEqual((next(stream), read), ([2 * i], list(range(i + 1))))
        self.assertRaises(StopIteration, next, stream)

    def test_results_may_come_back_as_items(self):
        waiting = [1]

        def items():
            while waiting:
                yield waiting.pop()

        results = []
        for result in rm.Pipeline.from_dict(row(multiply())).stream(items()):
            results.append(result)
            if result < 1000:
                waiting.append(result)
        self.assertEqual(results, [2 ** i for i in range(1, 11)])

    def test_several_outputs_are_named(self):
        manifest = row(multiply(), multiply(10))
        manifest["connections"] = []
        self.assertEqual(list(rm.Pipeline.from_dict(manifest).stream([1])), [("a", 2), ("b", 10)])

    def test_memory_is_flat(self):
        pipeline = rm.Pipeline.from_dict(row(multiply(), multiply()))
        for stream in (pipeline.stream(range(20000)), pipeline.stream(iter(range(20000)))):
            sum(1 for _ in stream)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.assertEqual(sum(1 for _ in pipeline.stream(iter(range(1_000_000)))), 1_000_000)
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 2048)

    def test_closing_early_closes_every_node(self):
        ended = []
        pipeline = graph_that_closes(ended).pipeline()

        def close(stream):
            stream.close()
            self.assertRaises(StopIteration, next, stream)

        def leave(stream):
            with stream:
                pass

        def drop(stream):
            pass

        for end in (close, leave, drop):
            ended.clear()
            stream = pipeline.stream(iter(range(10)))
            next(stream)
            end(stream)
            del stream
            self.assertEqual(ended, [True], end)

    def test_a_failing_iterable(self):
        ended = []
        graph = graph_that_closes(ended)

        def items():
            yield 1
            raise LookupError("mine")

        for run in (lambda pipeline: pipeline.run(items()), lambda pipeline: list(pipeline.stream(items()))):
            ended.clear()
            try:
                run(graph.pipeline())
            except LookupError as error:
                frames = traceback.extract_tb(error.__traceback__)
            self.assertEqual(ended, [True])
            self.assertEqual({frame.filename for frame in frames}, {__file__})
            self.assertEqual(frames[-1].name, "items")

    def test_a_stream_is_collected(self):
        class Node:
            def process(self, item):
                return item

        graph = rm.Graph()
        graph.add(Node)
        pipeline = graph.pipeline()
        kept = weakref.ref(Node)

        def items():
            yield stream

        stream = pipeline.stream(items())
        del stream, graph, pipeline, Node, items
        gc.collect()
        self.assertIsNone(kept())


class Failures(unittest.TestCase):
    def raised_by(self, function):
        """The exception with its traceback."""
        try:
            function()
        except Exception as error:
            return error
        self.fail("nothing was raised")

    def test_a_wrong_manifest(self):
        with self.assertRaises(rm.ManifestError) as raised:
            rm.Pipeline.from_dict(row({"node_type": "Multiply", "params": {"facto": 1}}))
        error = raised.exception
        self.assertEqual((error.code, error.pointer, error.node), ("unknown_parameter", "/nodes/0/params/facto", "a"))
        self.assertIn("factor", error.hint)
        self.assertIsInstance(error, ValueError)
        for text in ("{", b"\xff", '{"version": "v1"}'):
            self.assertRaises(rm.ManifestError, rm.Pipeline.from_json, text)
        self.assertRaises(rm.ManifestError, rm.Pipeline.from_file, "/nowhere.json")

    def test_an_exception_of_a_node_is_the_cause(self):
        def fail(item):
            raise KeyError("mine")

        graph = rm.Graph()
        graph.add(rm.nodes.Multiply()) >> graph.add(fail)
        error = self.raised_by(lambda: graph.pipeline().run([1]))
        self.assertIsInstance(error, rm.NodeError)
        self.assertEqual((error.node, error.item, error.code, error.results), ("fail", 0, "python", {"fail": []}))
        self.assertEqual(repr(error.__cause__), "KeyError('mine')")
        for part in (error, error.__cause__):
            frames = traceback.extract_tb(part.__traceback__)
            self.assertEqual({frame.filename for frame in frames}, {__file__})
        self.assertEqual(frames[-1].name, "fail")
        self.assertEqual(pickle.loads(pickle.dumps(error)).document, error.document)

    def test_a_native_node_fails(self):
        manifest = row({"node_type": "CalculatorNode", "params": {"operation": "divide", "operand": 0}})
        with self.assertRaises(rm.NodeError) as raised:
            rm.Pipeline.from_dict(manifest).run([1])
        self.assertEqual((raised.exception.code, raised.exception.__cause__), ("arithmetic", None))

    def test_initialize_fails(self):
        manifest = row(code("class Node:\n    def initialize(self):\n        raise OSError('no model')\n    def process(self, x):\n        pass"))
        with self.assertRaises(rm.NodeError) as raised:
            rm.Pipeline.from_dict(manifest).run([1])
        self.assertIsInstance(raised.exception.__cause__, OSError)

    def test_a_timeout(self):
        pipeline = rm.Pipeline.from_dict(row(code("import time\ndef process(x):\n    time.sleep(30)")))
        with self.assertRaises(TimeoutError) as raised:
            pipeline.run([1], timeout=0.05)
        self.assertIsInstance(raised.exception, rm.Timeout)
        for wrong in (0, -1, float("nan")):
            self.assertRaises(ValueError, pipeline.run, [1], timeout=wrong)

    def test_wrong_arguments(self):
        pipeline = rm.Pipeline.from_dict(row(multiply()))
        self.assertRaises(TypeError, pipeline.run, 5)
        self.assertRaises(TypeError, pipeline.run, {"a": 5})
        self.assertRaises(TypeError, pipeline.run, {1: []})
        self.assertRaises(ValueError, pipeline.diagram, "svg")

        async def items():
            yield 1

        self.assertRaisesRegex(TypeError, "arun", pipeline.run, items())
        self.assertRaises(TypeError, rm.Pipeline)
        self.assertRaises(ValueError, rm.Pipeline.from_dict, row(multiply()), arrays="torch")

    def test_an_iterable_may_not_use_its_own_run(self):
        def items():
            yield 1
            next(stream)

        stream = rm.Pipeline.from_dict(row(multiply())).stream(items())
        self.assertEqual(next(stream), 2)
        self.assertRaises(RuntimeError, next, stream)


class Interrupts(unittest.TestCase):
    """In processes of their own: a signal is for a whole process. One that comes just before a call of the system begins is
    seen when that call ends, so that no call here is long."""

    def interrupted(self, text):
        text = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs may ignore it\n" + text
        process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   cwd=os.path.dirname(__file__))
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def test_in_code_of_a_node(self):
        status, out, err = self.interrupted(
            "import remotemedia as rm\nfrom manifests import *\n"
            "text = '''import time\nclass Node:\n  def process(self, x):\n    print(\"ready\", flush=True)\n    for _ in range(3000): time.sleep(.01)\n"
            "  def cleanup(self): print(\"closed\", flush=True)'''\n"
            "rm.Pipeline.from_dict(row(code(text, on_error='skip'))).run([1])")
        self.assertEqual((status, out), (-signal.SIGINT, "closed\n"), err)
        self.assertIn("KeyboardInterrupt", err)

    def test_while_a_coroutine_waits(self):
        status, out, err = self.interrupted(
            "import remotemedia as rm\nfrom manifests import *\n"
            "text = '''import asyncio\nasync def process(x):\n  try:\n    print(\"ready\", flush=True)\n    await asyncio.sleep(30)\n"
            "  finally: print(\"closed\", flush=True)'''\n"
            "rm.Pipeline.from_dict(row(code(text))).run([1])")
        self.assertEqual((status, out), (-signal.SIGINT, "closed\n"), err)

    def test_between_the_steps_of_the_loop(self):
        """The signal comes while code of the package runs, whose exceptions nobody gets."""
        text = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import remotemedia as rm
from manifests import *
pipeline = rm.Pipeline.from_dict(row(code("import asyncio\\nasync def process(x):\\n  await asyncio.sleep(3)")))
from remotemedia import _loop
deadline = _loop.Loop.deadline
def interrupted(loop):
    _loop.Loop.deadline = deadline
    signal.raise_signal(signal.SIGINT)
    return deadline(loop)
_loop.Loop.deadline = interrupted
try:
    pipeline.run([1])
except KeyboardInterrupt:
    print("interrupted")
"""
        done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, cwd=os.path.dirname(__file__))
        self.assertEqual(done.stdout, "interrupted\n")

    def test_while_coroutines_go_round(self):
        status, out, err = self.interrupted(
            "import remotemedia as rm, asyncio, itertools\n"
            "async def node(item):\n    if item == 100: print('ready', flush=True)\n    await asyncio.sleep(0)\n    return item\n"
            "graph = rm.Graph()\nplace = graph.add(node)\n"
            "for _ in graph.pipeline().stream(itertools.count()): pass")
        self.assertEqual((status, out), (-signal.SIGINT, ""), err)

    def test_in_the_iterable(self):
        status, out, err = self.interrupted(
            "import remotemedia as rm, time\nfrom manifests import *\n"
            "def items():\n  yield 1\n  print('ready', flush=True)\n  for _ in range(3000): time.sleep(.01)\n"
            "rm.Pipeline.from_dict(row(multiply())).run(items())")
        self.assertEqual((status, out), (-signal.SIGINT, ""), err)


class Threads(unittest.TestCase):
    def test_coroutines_of_one_pipeline(self):
        async def node(item):
            await asyncio.sleep(0)
            return item

        graph = rm.Graph()
        graph.add(node, id="node", max_in_flight=4)
        pipeline = graph.pipeline()

        def work():
            for _ in range(200):
                self.assertEqual(pipeline.run(range(20)), {"node": list(range(20))})

        threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())

    def test_one_pipeline_in_several_threads(self):
        pipeline = rm.Pipeline.from_dict(row(multiply(), code("def process(x):\n    return x + 1")))
        failures = []

        def work(n):
            try:
                for _ in range(20):
                    if pipeline.run(range(n)) != {"b": [2 * i + 1 for i in range(n)]}:
                        failures.append(n)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(100 * n + 1,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_native_node_works_without_the_gil(self):
        """Meanwhile another thread takes steps, although nobody is made to give the GIL away."""
        manifest = row(multiply(1.5), *[multiply(1.0001)] * 9)
        tensor = rm.Tensor(bytes(1 << 20), shape=(1 << 17,), dtype="float64")
        pipeline = rm.Pipeline.from_dict(manifest)
        counted, stop = [0], threading.Event()

        def count():
            while not stop.is_set():
                counted[0] += 1
                time.sleep(0)

        thread = threading.Thread(target=count)
        interval = sys.getswitchinterval()
        thread.start()
        sys.setswitchinterval(1000)
        try:
            before = counted[0]
            pipeline.run([tensor] * 20)
            after = counted[0]
        finally:
            sys.setswitchinterval(interval)
            stop.set()
            thread.join()
        self.assertGreater(after - before, 0)

    def test_another_thread_cancels(self):
        pipeline = rm.Pipeline.from_dict(row(code("import asyncio\nasync def process(x):\n    await asyncio.sleep(30)")))
        stream = pipeline.stream([1])
        caught = []

        def work():
            try:
                next(stream)
            except rm.Cancelled as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            stream.cancel()
            thread.join(0.01)
        self.assertEqual(len(caught), 1)


class Processes(unittest.TestCase):
    def in_fork(self, function):
        """What the function returns in a forked process."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                text = repr(function())
            except BaseException as error:
                text = repr(error)
            os.write(writing, text.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            text = file.read()
        os.waitpid(child, 0)
        return text

    def test_a_forked_process_runs_its_own(self):
        pipeline = rm.Pipeline.from_dict(row(multiply(), code("import asyncio\nasync def process(x):\n    await asyncio.sleep(0)\n    return x")))
        self.assertEqual(pipeline.run([1]), {"b": [2]})
        self.assertEqual(self.in_fork(lambda: pipeline.run([2])), "{'b': [4]}")
        self.assertEqual(self.in_fork(lambda: rm.Pipeline.from_dict(row(multiply())).run([3])), "{'a': [6]}")

    def test_a_run_belongs_to_its_process(self):
        stream = rm.Pipeline.from_dict(row(multiply())).stream(iter([1, 2]))
        self.assertEqual(next(stream), 2)
        self.assertIn("belongs to the process that forked", self.in_fork(lambda: next(stream)))
        self.assertEqual(next(stream), 4)

    def test_subinterpreters_are_refused(self):
        try:
            import _interpreters as interpreters
        except ImportError:
            self.skipTest("this Python has no module of subinterpreters")
        number = interpreters.create()
        try:
            failure = interpreters.exec(number, "import remotemedia\nremotemedia.Pipeline")
        finally:
            interpreters.destroy(number)
        self.assertIn("subinterpreters", failure.msg)

    def test_the_module_is_small_and_needs_no_library_but_an_old_libc(self):
        from remotemedia import _runtime

        with open(_runtime.__file__, "rb") as file:
            data = file.read()
        self.assertLess(len(data), 2.5 * 1024 * 1024)
        self.assertFalse(b"libpython" in data)
        versions = [tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_([\d.]+)\0", data)]
        self.assertTrue(versions and max(versions) <= (2, 17), versions)

    def test_import_is_light(self):
        text = "import sys\nbefore = set(sys.modules)\nimport remotemedia\nprint(sorted(set(sys.modules) - before))"
        done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(done.stdout, "['remotemedia', 'remotemedia.core', 'remotemedia.core.node']\n")

    def test_the_version(self):
        from importlib.metadata import version

        self.assertEqual(rm.__version__, version("remotemedia"))

    def test_the_command_line(self):
        for command in ([sys.executable, "-m", "remotemedia"], [os.path.join(os.path.dirname(sys.executable), "remotemedia")]):
            text = rm.nodes.Multiply.__name__
            done = subprocess.run([*command, "nodes", "info", text], stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 0)
            self.assertIn("factor", done.stdout)
        done = subprocess.run([*command, "run", "-"], input="{", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 3)


if __name__ == "__main__":
    unittest.main()
