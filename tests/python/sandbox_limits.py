"""rm.Sandbox: its limits, and how runs end that do not end by themselves. Needs the wheel remotemedia-sandbox."""
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

import remotemedia as rm
from manifests import code, row
from sandbox_runs import Case

HUNGRY = code("def process(x):\n    kept = []\n    while True: kept.append(bytearray(1 << 20))")
ENDLESS = code("def process(x):\n    while True: pass")
CHATTY = code("def process(x):\n    while True: yield 'x' * 1000")


class Limits(Case):
    def limited(self, node, **limits):
        """The failure of a run with limits."""
        with rm.Sandbox(**limits) as box:
            error = self.failed(rm.NodeError, box.pipeline(row(node)).run, [1])
        self.assertEqual((error.node, error.item), ("a", 0))
        return error

    def test_memory(self):
        error = self.limited(HUNGRY, memory="128 MiB")
        self.assertEqual((error.code, error.hint), ("python", "its sandbox has a limit of 134217728 bytes of memory"))
        self.assertIn("MemoryError", str(error))
        with rm.Sandbox(memory=1 << 20) as box:
            error = self.failed(rm.ManifestError, box.pipeline, row(HUNGRY))
        self.assertEqual((error.code, error.node), ("limit", "a"))

    def test_time(self):
        for timeout in (0.3, datetime.timedelta(milliseconds=300)):
            error = self.limited(ENDLESS, timeout=timeout)
            self.assertEqual(error.code, "limit")
            self.assertIn("its limit of 300 ms", str(error))

    def test_output(self):
        error = self.limited(CHATTY, output="1 MB")
        self.assertEqual(error.code, "limit")
        self.assertIn("its limit of 1000000 bytes", str(error))

    def test_fuel_ends_at_the_same_place(self):
        node = code("import random\ndef process(x):\n    yield random.random()\n    n = 0\n    while True:\n        n += 1\n        if n % 100 == 0: yield n")
        first, second = (self.limited(node, fuel=fuel) for fuel in ("50M", 50 << 20))
        self.assertEqual(first.code, "limit")
        self.assertIn("its fuel of 52428800", str(first))
        self.assertTrue(first.results["a"])
        self.assertEqual(first.results, second.results)

    def test_log(self):
        script = textwrap.dedent("""
            import remotemedia as rm
            from manifests import *
            with rm.Sandbox(log=1000) as box:
                box.pipeline(row(code("def process(x):\\n    for _ in range(10000): print('x' * 99)"))).run([1])
        """)
        done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, cwd=os.path.dirname(__file__))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(len(done.stderr), 100000)
        self.assertIn("came faster than 1000 a second", done.stderr)

    def test_compiling(self):
        with tempfile.TemporaryDirectory() as cache, rm.Sandbox(cache=cache, compiling=0.001) as box:
            error = self.failed(rm.ManifestError, box.pipeline, row(ENDLESS))
        self.assertEqual(error.code, "limit")
        self.assertIn("was not compiled within 1 ms", str(error))

    def test_a_manifest_lowers_them(self):
        error = self.failed(rm.NodeError, self.box.pipeline(row({**ENDLESS, "limits": {"timeout_ms": 200}})).run, [1])
        self.assertIn("its limit of 200 ms", str(error))

    def test_instances(self):
        with rm.Sandbox(instances=1) as box:
            pipeline = box.pipeline(row(code("def process(x):\n    return x")))
            self.assertEqual(pipeline.run([1]), {"a": [1]})
            with pipeline.stream(x for x in (1, 2)) as results:
                next(results)
                self.assertIn("limit of 1", str(self.failed(rm.Error, pipeline.run, [1])))

    def test_of_a_command(self):
        for node, limits, kind, word in ((ENDLESS, {"timeout": 0.3}, rm.Timeout, "300 ms"),
                                         (CHATTY, {"output": 100000}, rm.Error, "100000 bytes")):
            with rm.Sandbox(**limits) as box:
                document = json.dumps({"manifest": row(node), "input_data": [1]})
                error = self.failed(kind, box.command, "run", "-", "--format", "jsonl", input=document)
            self.assertIn(word, str(error))
            self.assertNotIsInstance(error, rm.ManifestError)

    def test_wrong_ones(self):
        for kind, word, wrong in ((ValueError, "memory must be a number of bytes or a text such as '256 MiB'", {"memory": "much"}),
                                  (ValueError, "memory must be from 1", {"memory": 0}),
                                  (TypeError, "memory must be an int", {"memory": 1.5}),
                                  (ValueError, "timeout must be more than 0", {"timeout": 0}),
                                  (TypeError, "timeout must be seconds or a timedelta", {"timeout": "1s"}),
                                  (ValueError, "fuel must be a number", {"fuel": "5 MiB"}),
                                  (ValueError, "instances must be from 0", {"instances": -1}),
                                  (NotADirectoryError, "read grants folders", {"read": __file__}),
                                  (TypeError, "write must be a path", {"write": 5}),
                                  (ValueError, "'A=B' is no name", {"env": {"A=B": "c"}}),
                                  (TypeError, "unexpected keyword", {"memroy": 1})):
            self.assertIn(word, str(self.failed(kind, rm.Sandbox, **wrong)))


class Ends(Case):
    def test_a_timeout_of_the_run(self):
        error = self.failed(rm.Timeout, self.box.pipeline(row(ENDLESS)).run, [1], timeout=0.3)
        self.assertEqual((error.node, error.item), ("a", 0))

    def test_cancelled_from_another_thread_which_runs_meanwhile(self):
        stream = self.box.pipeline(row(code("def process(x):\n    while x: pass\n    return x"))).stream((x for x in (0, 1)), timeout=30)
        self.assertEqual(next(stream), 0)
        canceller = threading.Timer(0.1, stream.cancel)
        canceller.start()
        self.failed(rm.Cancelled, list, stream)
        canceller.join()

    def interrupted(self, body):
        """Runs a script, and sends it a SIGINT when code inside has said on standard error that it runs."""
        script = textwrap.dedent("""
            import asyncio, json, signal
            import remotemedia as rm
            from manifests import *
            signal.signal(signal.SIGINT, signal.default_int_handler)
            LOOP = "import sys\\nprint('ready', file=sys.stderr, flush=True)\\nwhile True: pass"
            ENDLESS = code("def process(x):\\n    " + LOOP.replace("\\n", "\\n    "))
            box = rm.Sandbox()
        """) + textwrap.dedent(body)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   cwd=os.path.dirname(__file__))
        first = process.stderr.readline()
        if first == "ready\n":
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        self.assertEqual(first, "ready\n", err)
        return process.returncode, out, err

    def check_interrupted(self, body):
        status, _, err = self.interrupted(body)
        self.assertEqual(status, -signal.SIGINT, err)
        self.assertIn("KeyboardInterrupt", err)

    def test_interrupt_in_a_run(self):
        self.check_interrupted("box.pipeline(row(ENDLESS)).run([1])")

    def test_interrupt_in_a_stream(self):
        self.check_interrupted("next(box.pipeline(row(ENDLESS)).stream(iter([1])))")

    def test_interrupt_while_code_is_loaded(self):
        self.check_interrupted("box.pipeline(row(code(LOOP)))")

    def test_interrupt_while_a_node_is_opened(self):
        self.check_interrupted("box.pipeline(row(code('def process(x): return x\\ndef initialize():\\n  ' + LOOP.replace('\\n', '\\n  ')))).run([1])")

    def test_interrupt_while_it_waits(self):
        for body in ("import asyncio\\nasync def process(x):\\n    print('ready', file=sys.stderr, flush=True)\\n    await asyncio.sleep(60)",
                     "import time\\ndef process(x):\\n    print('ready', file=sys.stderr, flush=True)\\n    time.sleep(60)"):
            self.check_interrupted(f'box.pipeline(row(code("import sys\\n{body}"))).run([1])')

    def test_interrupt_in_a_cleanup(self):
        node = 'node = code("def process(x): return x\\ndef cleanup():\\n    " + LOOP.replace("\\n", "\\n    "))\n'
        self.check_interrupted(node + "box.pipeline(row(node)).run([1])")
        self.check_interrupted(node + "s = box.pipeline(row(node)).stream(x for x in (1, 2))\nnext(s)\ns.close()")

    def test_interrupt_on_an_event_loop(self):
        self.check_interrupted("asyncio.run(box.pipeline(row(ENDLESS)).arun([1]))")

    def test_interrupt_in_a_command(self):
        self.check_interrupted("""
            import sys
            document = json.dumps({"manifest": row(ENDLESS), "input_data": [1]})
            box.command("run", "-", input=document, stderr=sys.stderr)
        """)

    def test_a_handler_that_does_not_raise(self):
        status, out, err = self.interrupted("""
            signal.signal(signal.SIGINT, lambda number, frame: print("handled"))
            try:
                box.pipeline(row(ENDLESS)).run([1])
            except rm.Cancelled as error:
                print(error.code)
            print(signal.getsignal(signal.SIGINT).__name__)
        """)
        self.assertEqual((status, out), (0, "handled\ncancelled\n<lambda>\n"), err)


if __name__ == "__main__":
    unittest.main()
