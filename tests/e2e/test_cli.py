"""What is the program's own: command lines, help, formats, files, the look of errors."""

import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

COMMANDS = ("run", "validate", "graph", "nodes", "schema", "vendor", "version")
DOUBLE = manifest([node("double", "MultiplyNode", {"factor": 2})])
# Prints the exit code and the peak memory of a child in KiB; the child reads the numbers below argv[1].
MEASURE = """
import resource, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
count, piece = int(sys.argv[1]), 10000
for start in range(0, count, piece):
    child.stdin.write(b''.join(b'%d\\n' % i for i in range(start, min(start + piece, count))))
child.stdin.close()
print(child.wait(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class OutOfMemory(ProgramTest):
    @unittest.skipIf(SLOWNESS > 1, "sanitizers need more address space than any limit leaves")
    def test_the_document_has_whole_results_only(self):
        self.write("m.json", {"manifest": manifest([node("n", "Python", {
            "code": "def process(x):\n    while True: yield ['x' * 1000, 7]"})]), "input_data": [1]})

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))

        done = subprocess.run([str(PROGRAM), "run", "m.json"], cwd=self.folder, env=environment(), capture_output=True,
                              timeout=120 * SLOWNESS, preexec_fn=limit, check=False)
        document = json.loads(done.stdout)
        self.assertEqual((done.returncode, document["error"]["code"]), (1, "out_of_memory"), done.stderr)
        self.assertEqual(set(map(len, document["outputs"]["n"])), {2})


class Help(ProgramTest):
    def test_the_program_lists_its_commands(self):
        for args in (["--help"], ["-h"], ["help"]):
            done = self.run_program(*args)
            self.assertEqual((done.exit, done.stderr), (0, ""))
            for command in COMMANDS:
                self.assertIn(f"\n  {command} ", done.stdout)

    def test_every_command_tells_its_options(self):
        for command in COMMANDS:
            done = self.run_program(command, "--help")
            self.assertEqual((done.exit, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith(f"usage: remotemedia {command}"), done.stdout)
            self.assertIn("--help", done.stdout)
            self.assertEqual(self.run_program("help", command).stdout, done.stdout)
            self.assertLess(max(map(len, done.stdout.splitlines())), 110)

    def test_every_option_of_run_is_told(self):
        text = self.run_program("run", "--help").stdout
        for option in ("input", "input-format", "output", "format", "set", "path", "plugin", "timeout", "metrics",
                       "progress", "compat", "raw-input", "seed", "log-level", "arrays"):
            self.assertIn(f"\n  --{option} " if option != "metrics" else "\n  --metrics", text)

    def test_help_wins_over_what_is_missing(self):
        self.assertEqual(self.run_program("run", "--input", "x", "--help").exit, 0)

    def test_help_to_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            for args in (["--help"], ["run", "--help"], ["version"], ["schema"], ["nodes"]):
                done = subprocess.run([PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, env=environment(),
                                      stdin=subprocess.DEVNULL, timeout=60, check=False)
                self.assertEqual(done.returncode, 4, args)
                self.assertIn(b"No space left", done.stderr)


class Usage(ProgramTest):
    def refuse(self, *args, says, stdin=b""):
        done = self.run_program(*args, stdin=stdin)
        self.assertEqual(done.exit, 2, done.stderr + done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertIn(says, done.stderr)
        return done.stderr

    def test_unknown_commands_get_a_suggestion(self):
        self.refuse("rnu", says="unknown command 'rnu'; did you mean 'run'?")
        self.refuse("validat", says="did you mean 'validate'?")
        self.refuse("frobnicate", says="unknown command 'frobnicate'\n")
        self.refuse("help", "nods", says="did you mean 'nodes'?")
        self.refuse("--frobnicate", says="unknown option '--frobnicate'")
        self.refuse("pipeline.json", says="did you mean 'remotemedia run pipeline.json'?")
        self.refuse("", says="unknown command ''")

    def test_unknown_options_get_a_suggestion(self):
        stderr = self.refuse("run", "x.json", "--fromat", "json", says="'--fromat'; did you mean '--format'?")
        self.assertIn("see: remotemedia run --help", stderr)
        self.refuse("run", "x.json", "--outptu=y", says="unknown option '--outptu'; did you mean '--output'?")
        self.refuse("run", "x.json", "-v", says="unknown option '-v'")

    def test_options_that_are_not_built_are_unknown(self):
        for option in ("--threads", "--trace"):
            self.refuse("run", "x.json", option, "2", says=f"unknown option '{option}'")

    def test_values(self):
        self.refuse("run", "x.json", "--timeout", "soon", says="--timeout takes a time")
        self.refuse("run", "x.json", "--timeout", "0", says="--timeout takes a time")
        self.refuse("run", "x.json", "--seed", "many", says="--seed takes a whole number")
        self.refuse("run", "x.json", "--format", "xml", says="--format takes json or jsonl, not 'xml'")
        self.refuse("run", "x.json", "--arrays", "npy", says="--arrays takes json")
        self.refuse("run", "x.json", "--compat", "v2", says="--compat takes v1")
        self.refuse("run", "x.json", "--metrics=yes", says="--metrics takes no value")
        self.refuse("run", "x.json", "--help=5", says="--help takes no value")
        self.refuse("run", "x.json", "--input", says="--input needs FILE|-")

    def test_operands(self):
        self.refuse("run", says="run needs the manifest")
        self.refuse("validate", says="validate needs the manifest")
        self.refuse("run", "a.json", "b.json", says="unexpected argument 'b.json'")
        self.refuse("schema", "x", says="unexpected argument 'x'")
        self.refuse("nodes", "info", says="needs the name")
        self.refuse("nodes", "MultiplyNode", says="did you mean 'nodes info MultiplyNode'?")
        self.refuse("version", "--json", "--licenses", says="exclude each other")
        self.refuse("version", "--sbom", "--licenses", says="exclude each other")

    def test_options_that_do_not_go_together(self):
        self.refuse("run", "-", "--input", "-", says="cannot both be standard input")
        self.refuse("run", "x.json", "--input-format", "json", says="--input-format needs --input")
        self.refuse("run", "x.json", "--compat", "v1", "--format", "jsonl", says="--compat v1")

    def test_a_terminal_without_arguments_shows_the_help(self):
        controller, terminal = pty.openpty()
        done = subprocess.run([PROGRAM], stdin=terminal, capture_output=True, env=environment(), timeout=60,
                              check=False)
        os.close(terminal)
        os.close(controller)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"usage: remotemedia COMMAND", done.stderr)


class Run(ProgramTest):
    def double(self, *args, stdin=b"", **more):
        return self.run_program("run", self.write("double.json", DOUBLE), *args, stdin=stdin, **more)

    def test_without_arguments_stdin_is_run(self):
        done = self.run_program(stdin={"manifest": DOUBLE, "input_data": [1, 2.5]})
        self.assertEqual((done.exit, done.document["outputs"]), (0, {"double": [2, 5.0]}))

    def test_the_document_is_one_line(self):
        done = self.run_program("run", "-", stdin={"manifest": DOUBLE, "input_data": [1, 2.5]})
        self.assertEqual(done.stdout, '{"status":"success","outputs":{"double":[2,5.0]},"graph_info":{"node_count":1,'
                                      '"source_count":1,"sink_count":1,"execution_order":["double"]}}\n')
        self.assertEqual(done.stderr, "")

    def test_run_of_a_file_leaves_stdin_alone(self):
        path = self.write("m.json", {"manifest": DOUBLE, "input_data": [3]})
        reader, writer = os.pipe()
        os.write(writer, b"mine")
        done = subprocess.run([PROGRAM, "run", path], stdin=reader, capture_output=True, env=environment(),
                              timeout=60, check=False)
        os.close(writer)
        self.assertEqual(json.loads(done.stdout)["outputs"], {"double": [6]})
        self.assertEqual(os.read(reader, 10), b"mine")
        os.close(reader)

    def test_input_files(self):
        rows = [("items.json", "[1, 2]", [], [2, 4]), ("items.jsonl", "1\n2\n", [], [2, 4]),
                ("items.ndjson", "1\n\n  \r\n2", [], [2, 4]), ("items.txt", "[1]", [], [2]),
                ("items.txt", "1\n2\n", ["--input-format", "jsonl"], [2, 4]),
                ("items.jsonl", "[1, 2]", ["--input-format", "json"], [2, 4]),
                ("empty.json", "", [], []), ("empty.jsonl", "", [], []), ("none.json", "[]", [], []),
                ("by-source.json", '{"double": [4]}', [], [8])]
        for name, text, args, want in rows:
            with self.subTest(name=name, text=text):
                done = self.double("--input", self.write(name, text), *args)
                self.assertEqual((done.exit, done.document["outputs"]), (0, {"double": want}), done.stderr)

    def test_input_on_stdin(self):
        self.assertEqual(self.double("--input", "-", stdin="[5]").document["outputs"], {"double": [10]})
        done = self.double("--input", "-", "--input-format", "jsonl", stdin="5\n6\n")
        self.assertEqual(done.document["outputs"], {"double": [10, 12]})

    def test_the_systems_names_of_the_standard_streams(self):
        for name in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            with self.subTest(name=name):
                self.assertEqual(self.double("--input", name, stdin="[5]").document["outputs"], {"double": [10]})
                done = self.run_program("run", name, stdin={"manifest": DOUBLE, "input_data": [3]})
                self.assertEqual(done.document["outputs"], {"double": [6]})
                done = self.run_program("run", name, "--input", "/dev/stdin")
                self.assertEqual((done.exit, "cannot both be standard input" in done.stderr), (2, True))
        for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(name=name):
                done = self.double("--input", "-", "--output", name, stdin="[5]")
                self.assertEqual(done.document["outputs"], {"double": [10]}, done.stderr)

    def test_bad_input_is_an_input_error(self):
        rows = [("a.json", "[1, 2", 4, "parse"), ("a.json", "5", 4, "type"), ("a.json", "1\n2\n", 4, "parse"),
                ("a.json", b'["\xff"]', 4, "parse")]
        for name, text, exit, code in rows:
            with self.subTest(text=text):
                done = self.double("--input", self.write(name, text))
                self.assertEqual((done.exit, done.document["error"]["code"]), (exit, code), done.stdout)
                self.assertIn(name, done.document["error"]["message"])
        self.assertIn("--input-format jsonl", self.double("--input", self.write("a.json", "1\n2\n")).stderr)

    def test_a_bad_line_names_itself_and_keeps_what_came_before(self):
        done = self.double("--input", self.write("a.jsonl", "1\n\n2\n{]\n4\n"))
        self.assertEqual((done.exit, done.document["error"]["code"]), (4, "parse"))
        self.assertIn("line 4 of ", done.document["error"]["message"])
        self.assertEqual(done.document["error"]["item"], 2)
        self.assertEqual(done.document["outputs"], {"double": [2, 4]})

    def test_missing_and_odd_files(self):
        folder = self.folder / "folder"
        folder.mkdir()
        rows = [(["run", "absent.json"], "absent.json"), (["run", folder], "folder"),
                (["validate", "absent.json"], "absent.json"), (["graph", folder], "folder")]
        path = self.write("double.json", DOUBLE)
        rows += [(["run", path, "--input", "absent.json"], "absent.json"), (["run", path, "--input", folder], "folder"),
                 (["run", path, "--output", folder], "folder"),
                 (["run", path, "--output", "no/where.json"], "no/where"),
                 (["run", path, "--plugin", "absent.so"], "absent.so")]
        for args, name in rows:
            with self.subTest(args=args):
                done = self.run_program(*args)
                self.assertEqual(done.exit, 4, done.stderr)
                self.assertIn(name, done.document["error"]["message"])
                self.assertIn(name, done.stderr)

    def test_input_beside_input_data(self):
        path = self.write("m.json", {"manifest": DOUBLE, "input_data": [1]})
        done = self.run_program("run", path, "--input", self.write("i.json", "[1]"))
        self.assertEqual((done.exit, done.document["error"]["code"]), (2, "usage"))

    def test_set(self):
        rows = [("double.factor=3", [6]), ("double.factor=0.5", [1.0]), ("double.factor=-1e2", [-200.0])]
        for setting, want in rows:
            done = self.double("--set", setting, "--input", "-", stdin="[2]")
            self.assertEqual(done.document.get("outputs"), {"double": want}, done.stderr)
        done = self.double("--set", "double.factor=3", "--set=double.factor=4", "--input", "-", stdin="[2]")
        self.assertEqual(done.document["outputs"], {"double": [8]}, "the last one counts")

    def test_set_takes_text_that_is_no_json(self):
        pipeline = self.write("m.json", manifest([node("s", "SimpleSource", {"count": 1})]))
        for text, want in (("hello", "hello"), ("a=b.c", "a=b.c"), ('"7"', "7"), ("[1,{}]", [1, {}]), ("", "")):
            done = self.run_program("run", pipeline, "--set", f"s.value={text}")
            self.assertEqual(done.document.get("outputs"), {"s": [want]}, done.stderr)

    def test_set_that_is_wrong(self):
        for setting, exit, code in (("factor=3", 2, "usage"), ("double=3", 2, "usage"), ("double.factor", 2, "usage"),
                                    ("dubble.factor=3", 2, "unknown_node"),
                                    ("double.facter=3", 3, "unknown_parameter"), ("double.factor=x", 3, "type")):
            with self.subTest(setting=setting):
                done = self.double("--set", setting, "--input", "-", stdin="[2]")
                self.assertEqual((done.exit, done.document["error"]["code"]), (exit, code), done.stderr)
                self.assertIn("error: ", done.stderr)

    def test_compat(self):
        rows = [([2], "4"), ([2, 2.5], "[4,5]"), ([], "[]"), ([[1]], "[2]")]
        for items, want in rows:
            done = self.double("--compat", "v1", "--input", "-", stdin=json.dumps(items))
            self.assertIn(f'"outputs":{want},"graph_info"', done.stdout)
        two = manifest([node("a", "PassThrough"), node("b", "MultiplyNode")])
        done = self.run_program("run", "-", "--compat", "v1", stdin={"manifest": two, "input_data": [1.0, "x"]})
        self.assertIn('"outputs":[1,"x",2,"x"],', done.stdout)

    def test_nan_is_null_with_one_warning(self):
        code = "def process(x): return [float('nan'), float('inf')]"
        pipeline = {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1, 2]}
        done = self.run_program("run", "-", stdin=pipeline)
        self.assertEqual(done.document["outputs"], {"n": [[None, None]] * 2})
        self.assertEqual(done.stderr.count("warning"), 1)

    def test_seed(self):
        code = "import random\ndef process(x): return random.random()"
        pipeline = {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]}
        results = {seed: self.run_program("run", "-", "--seed", seed, stdin=pipeline).stdout for seed in (1, 2)}
        self.assertEqual(self.run_program("run", "-", "--seed", "1", stdin=pipeline).stdout, results[1])
        self.assertNotEqual(results[1], results[2])

    def test_metrics(self):
        done = self.double("--metrics", "--input", "-", stdin="[1,2,3]")
        metrics = json.loads(done.stderr)["metrics"]
        self.assertEqual((metrics["double"]["in"], metrics["double"]["out"]), (3, 3))

    def test_progress_ends_with_the_counts(self):
        done = self.double("--progress", "--input", "-", stdin="[1,2,3]")
        self.assertIn("3 items in, 3 results out", done.stderr.splitlines()[-1])
        self.assertNotIn("\033", done.stderr)

    def test_timeout(self):
        code = "def process(x):\n    while True: pass"
        pipeline = {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]}
        for args in (["--timeout", "300ms"], ["--timeout=0.3"]):
            done = self.run_program("run", "-", *args, stdin=pipeline)
            self.assertEqual((done.exit, done.document["error"]["code"]), (5, "timeout"), done.stderr)

    def test_a_timeout_while_waiting_for_input(self):
        process = self.start("run", self.write("m.json", DOUBLE), "--input", "-", "--format", "jsonl",
                             "--input-format", "jsonl", "--timeout", "500ms")
        process.stdin.write(b"4\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"8\n")
        self.assertEqual(process.wait(60 * SLOWNESS), 5)

    def test_results_are_not_held_back_by_what_is_waited_for(self):
        """A node waits for its stream, another for the world. Results that were taken make room for more, which come
        before either goes on."""
        slow = ("import asyncio\ndef wait():\n    with open('go') as file: file.read()\n"
                "async def process(x):\n    if x == 100: await asyncio.to_thread(wait)\n")
        pull = "class Node:\n    is_streaming = True\n    def process(self, items):\n        for x in items: pass\n        if False: yield"
        os.mkfifo(self.folder / "go")
        path = self.write("m.json", manifest(
            [node("in", "PassThrough"), node("copy", "PassThrough"), node("slow", "Python", {"code": slow}),
             node("pull", "Python", {"code": pull}, is_streaming=True)], ["in > copy", "in > slow", "in > pull"]))
        process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
        process.stdin.write(b"".join(b"%d\n" % i for i in range(500)))
        process.stdin.flush()
        for i in range(100):  # more than a connection holds
            self.assertEqual(json.loads(process.stdout.readline()), {"sink": "copy", "value": i})
        with open(self.folder / "go", "w"):
            pass
        process.stdin.close()
        self.assertEqual(len(process.stdout.read().splitlines()), 400)
        self.assertEqual(process.wait(60 * SLOWNESS), 0)

    def test_a_node_that_cannot_be_stopped_is_named(self):
        code = "def process(x):\n    return sum(range(10**15))"  # one call that never looks up, and keeps the GIL
        pipeline = {"manifest": manifest([node("sleeper", "Python", {"code": code})]), "input_data": [1]}
        done = self.run_program("run", "-", "--timeout", "200ms", stdin=pipeline)
        self.assertEqual(done.exit, 5, done.stderr)
        self.assertEqual((done.document["error"]["code"], done.document["error"]["node"]), ("timeout", "sleeper"))

    def sleeper(self):
        """A running program whose node sleeps, and sleeps again when it is told to stop. The exception that tells it
        comes once a second: what it hits between two sleeps is caught by the loop around."""
        code = """
import os, time
ready = [b'ready\\n']
def sleep():
    while True:
        try:
            while ready:
                os.write(2, ready.pop())
            time.sleep(1000)
        except BaseException:
            pass
def process(x):
    while True:
        try:
            sleep()
        except BaseException:
            pass
"""
        pipeline = manifest([node("sleeper", "Python", {"code": code})])
        path = self.write("m.json", {"manifest": pipeline, "input_data": [1]})
        process = self.start("run", path, stdin=subprocess.DEVNULL)
        self.assertEqual(process.stderr.readline(), b"ready\n")
        return process

    def test_another_interrupt_ends_a_node_that_does_not_stop(self):
        process = self.sleeper()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            select.select([process.stderr], [], [], 0.1)
        self.assertEqual(process.returncode, 130)
        self.assertIn(b"interrupted again, but node 'sleeper' does not stop", process.stderr.read())

    def test_a_node_that_does_not_stop_is_given_some_seconds(self):
        process = self.sleeper()
        # Both at the same moment, as a shell and `timeout` send theirs, whatever else the machine does: they count once.
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(60 * SLOWNESS), 130)
        error = json.loads(process.stdout.read())["error"]
        self.assertEqual((error["code"], error["node"]), ("cancelled", "sleeper"))
        self.assertIn(b"error: interrupted, but node 'sleeper'", process.stderr.read())

    def test_log_level(self):
        code = "class Node:\n    def process(self, x): return x"
        quiet = manifest([node("n", "Python", {"code": code})])
        done = self.run_program("run", "-", stdin=quiet)
        self.assertIn("warning", done.stderr)
        self.assertEqual(self.run_program("run", "-", "--log-level", "error", stdin=quiet).stderr, "")

    def test_path(self):
        self.write("mine/my_nodes.py", "class Triple:\n    def process(self, x): return 3 * x\n")
        pipeline = {"manifest": manifest([node("t", "my_nodes:Triple")]), "input_data": [2]}
        done = self.run_program("run", "-", "--path", "mine", stdin=pipeline)
        self.assertEqual(done.document.get("outputs"), {"t": [6]}, done.stderr)
        self.assertEqual(self.run_program("run", "-", stdin=pipeline).exit, 3)

    def test_modules_beside_the_manifest(self):
        self.write("mine/my_nodes.py", "class Triple:\n    def process(self, x): return 3 * x\n")
        self.write("mine/json.py", "raise RuntimeError('this must not hide the library's')\n")
        code = "import json\ndef process(x):\n    return json.dumps([x])"
        pipeline = manifest([node("t", "my_nodes:Triple"), node("j", "Python", {"code": code})], ["t > j"])
        path = self.write("mine/m.json", {"manifest": pipeline, "input_data": [2]})
        done = self.run_program("run", path)
        self.assertEqual(done.document.get("outputs"), {"j": ["[6]"]}, done.stderr)


class Lines(ProgramTest):
    def test_one_sink_gives_bare_values(self):
        path = self.write("m.json", {"manifest": DOUBLE, "input_data": [1, "a", None, {"b": [1.5]}]})
        self.assertEqual(self.run_program("run", path, "--format", "jsonl").stdout, '2\n"a"\nnull\n{"b":[1.5]}\n')

    def test_several_sinks_are_named(self):
        two = manifest([node("s", "PassThrough"), node("b", "MultiplyNode"), node("a", "PassThrough")],
                       ["s > b", "s > a"])
        done = self.run_program("run", "-", "--format", "jsonl", stdin={"manifest": two, "input_data": [1, 2]})
        self.assertEqual(done.stdout, '{"sink":"b","value":2}\n{"sink":"a","value":1}\n'
                                      '{"sink":"b","value":4}\n{"sink":"a","value":2}\n')

    def test_a_failure_leaves_lines_on_stdout_and_the_document_on_stderr(self):
        divide = manifest([node("d", "CalculatorNode", {"operation": "modulo", "operand": 0})])
        both = manifest([node("d", "Python", {"code": "def process(x): return 1 / x"})])
        for pipeline, items, lines in ((divide, [1], ""), (both, [1, 2, 0, 4], "1.0\n0.5\n")):
            done = self.run_program("run", "-", "--format", "jsonl", stdin={"manifest": pipeline, "input_data": items})
            self.assertEqual((done.exit, done.stdout), (1, lines), done.stderr)
            document = json.loads(done.stderr.splitlines()[-1])
            self.assertEqual((document["status"], document["error"]["node"]), ("error", "d"))

    def test_collected_failures_are_told_on_stderr(self):
        pipeline = manifest([node("d", "Python", {"code": "def process(x): return 1 / x"}, on_error="collect")])
        done = self.run_program("run", "-", "--format", "jsonl", stdin={"manifest": pipeline, "input_data": [1, 0, 2]})
        self.assertEqual((done.exit, done.stdout), (0, "1.0\n0.5\n"), done.stderr)
        self.assertEqual(json.loads(done.stderr.splitlines()[-1])["failed"][0]["item"], 1)

    def test_each_line_is_answered_at_once(self):
        process = self.start("run", self.write("m.json", DOUBLE), "--input", "-", "--format", "jsonl",
                             "--input-format", "jsonl")
        for i in range(100):
            process.stdin.write(b"%d\n" % i)
            process.stdin.flush()
            self.assertTrue(select.select([process.stdout], [], [], 60 * SLOWNESS)[0])
            self.assertEqual(process.stdout.readline(), b"%d\n" % (2 * i))
        process.stdin.close()
        self.assertEqual((process.stdout.read(), process.wait(60)), (b"", 0))

    def test_half_a_line_is_kept_until_its_other_half_comes(self):
        process = self.start("run", self.write("m.json", DOUBLE), "--input", "-", "--format", "jsonl",
                             "--input-format", "jsonl")
        for piece in (b"1\n[2,", b" 3", b"]", b"\n4"):
            process.stdin.write(piece)
            process.stdin.flush()
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b"2\n[4,6]\n8\n")
        self.assertEqual(process.wait(60), 0)

    def test_memory_does_not_grow_with_the_input(self):
        nodes = [node("a", "PassThrough"), node("b", "AddNode", {"addend": 1})]
        path = self.write("m.json", manifest(nodes, ["a > b"]))
        peaks = []
        for count in (1000, 300000):
            done = subprocess.run(["python3", "-c", MEASURE, str(count), str(PROGRAM), "run", str(path), "--input", "-",
                                   "--input-format", "jsonl", "--format", "jsonl"], stdout=subprocess.PIPE,
                                  env=environment(), timeout=300 * SLOWNESS, check=False)
            code, peak = map(int, done.stdout.split())
            self.assertEqual(code, 0)
            peaks.append(peak)
        if SLOWNESS == 1:
            self.assertLess(peaks[1], 32 * 1024)
            self.assertLess(peaks[1] - peaks[0], 4 * 1024)


class Files(ProgramTest):
    def setUp(self):
        super().setUp()
        self.good = self.write("good.json", {"manifest": DOUBLE, "input_data": [1, 2]})
        self.bad = self.write("bad.json", {"manifest": manifest(
            [node("d", "Python", {"code": "def process(x): return 1 / x"})]), "input_data": [1, 0]})

    def test_a_document_takes_the_place_of_the_former_one(self):
        out = self.write("out.json", "former")
        out.chmod(0o640)
        done = self.run_program("run", self.good, "--output", "out.json")
        self.assertEqual((done.exit, done.stdout), (0, ""), done.stderr)
        self.assertEqual(json.loads(out.read_text())["outputs"], {"double": [2, 4]})
        self.assertEqual(out.stat().st_mode & 0o777, 0o640)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.json", "good.json", "out.json"])

    def test_a_failed_run_leaves_the_former_document(self):
        out = self.write("out.json", "former")
        done = self.run_program("run", self.bad, "--output", "out.json")
        self.assertEqual((done.exit, done.document["status"]), (1, "error"))
        self.assertEqual(out.read_text(), "former")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.json", "good.json", "out.json"])

    def test_a_link_stays_a_link(self):
        (self.folder / "link.json").symlink_to("target.json")
        self.write("target.json", "former")
        self.assertEqual(self.run_program("run", self.good, "--output", "link.json").exit, 0)
        self.assertTrue((self.folder / "link.json").is_symlink())
        self.assertEqual(json.loads((self.folder / "target.json").read_text())["status"], "success")

    def test_lines(self):
        self.assertEqual(self.run_program("run", self.good, "--output", "out.jsonl").exit, 0)
        self.assertEqual((self.folder / "out.jsonl").read_text(), "2\n4\n")
        done = self.run_program("run", self.bad, "--output", "out.jsonl")
        self.assertEqual((done.exit, done.stdout), (1, ""))
        self.assertEqual((self.folder / "out.jsonl").read_text(), "1.0\n")

    def test_a_dash_is_stdout(self):
        self.assertEqual(self.run_program("run", self.good, "--output", "-").document["outputs"], {"double": [2, 4]})

    def test_the_input_is_not_overwritten_while_it_is_read(self):
        items = self.write("items.jsonl", "1\n2\n")
        done = self.run_program("run", self.write("m.json", DOUBLE), "--input", items, "--output", items)
        self.assertEqual(done.exit, 2, done.stderr)
        self.assertEqual(items.read_text(), "1\n2\n")

    def test_a_full_disk(self):
        for name in ("/dev/full",):
            for args in ([], ["--format", "jsonl"]):
                done = self.run_program("run", self.good, "--output", name, *args)
                self.assertEqual(done.exit, 4, done.stderr)
                self.assertIn("No space left", done.stderr)

    def test_a_reader_that_goes_away(self):
        endless = self.write("m.json", manifest([node("s", "SimpleSource", {"count": 2**62, "value": 1})]))
        process = self.start("run", endless, "--format", "jsonl", stdin=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.stdout.close()
        self.assertEqual(process.wait(60 * SLOWNESS), 4)
        self.assertIn(b"closed by its reader", process.stderr.read())


class Errors(ProgramTest):
    def test_the_manifest_is_wrong(self):
        pipeline = manifest([node("double", "MultiplyNode", {"facter": 2})])
        for command in ("run", "validate", "graph"):
            done = self.run_program(command, "-", stdin=pipeline)
            self.assertEqual(done.exit, 3, done.stderr)
            error = done.document["error"]
            self.assertEqual((error["code"], error["node"], error["pointer"]),
                             ("unknown_parameter", "double", "/nodes/0/params/facter"))
            self.assertTrue(done.stderr.startswith("error: "), done.stderr)
            self.assertIn("\n  at: /nodes/0/params/facter\n", done.stderr)
            self.assertIn("\n  node: double\n", done.stderr)

    def test_a_run_that_fails_tells_item_and_traceback(self):
        pipeline = manifest([node("d", "Python", {"code": "def process(x):\n    return 1 / x"})])
        done = self.run_program("run", "-", stdin={"manifest": pipeline, "input_data": [1, 0]})
        self.assertEqual(done.exit, 1)
        self.assertEqual(done.document["error"]["item"], 1)
        self.assertEqual(done.document["outputs"], {"d": [1.0]})
        self.assertIn("\n  item: 1\n", done.stderr)
        self.assertIn("ZeroDivisionError", done.stderr)

    def test_a_result_that_json_has_no_word_for_names_its_sink(self):
        pipeline = manifest([node("b", "Python", {"code": "def process(x): return b'raw'"})])
        done = self.run_program("run", "-", stdin={"manifest": pipeline, "input_data": [1]})
        self.assertEqual((done.exit, done.document["error"]["code"]), (1, "unsupported"), done.stdout)
        self.assertEqual((done.document["error"]["node"], done.document["error"]["item"]), ("b", 0))

    def test_colours_only_on_a_terminal(self):
        for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            controller, terminal = pty.openpty()
            done = subprocess.run([PROGRAM, "run", "absent.json"], stderr=terminal, stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, env=environment({"TERM": "xterm", **extra}), timeout=60,
                                  check=False)
            os.close(terminal)
            text = os.read(controller, 4096)
            os.close(controller)
            self.assertEqual((done.returncode, b"\033[1;31m" in text), (4, coloured), text)
        self.assertNotIn("\033", self.run_program("run", "absent.json").stderr)

    def test_what_native_code_prints_does_not_reach_stdout(self):
        code = "import os\ndef process(x):\n    os.write(1, b'noise')\n    print('more')\n    return x"
        pipeline = {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]}
        done = self.run_program("run", "-", stdin=pipeline)
        self.assertEqual(done.document["outputs"], {"n": [1]})
        self.assertIn("noise", done.stderr)


class OtherCommands(ProgramTest):
    def test_validate(self):
        done = self.run_program("validate", "-", stdin=DOUBLE)
        self.assertEqual((done.exit, done.document, done.stderr), (0, {"status": "valid"}, ""))

    def test_graph(self):
        pipeline = manifest([node("a", "PassThrough"), node("b", "MultiplyNode")], ["a > b"])
        mermaid, dot = (self.run_program("graph", "-", "--format", f, stdin=pipeline) for f in ("mermaid", "dot"))
        self.assertEqual(self.run_program("graph", "-", stdin=pipeline).stdout, mermaid.stdout)
        self.assertIn("-->", mermaid.stdout)
        self.assertIn("digraph", dot.stdout)
        self.assertIn("->", dot.stdout)

    def test_nodes(self):
        listed = self.run_program("nodes")
        self.assertEqual(listed.stdout, self.run_program("nodes", "list").stdout)
        entries = json.loads(self.run_program("nodes", "--json").stdout)
        self.assertGreater(len(entries), 10)
        for entry in entries:
            self.assertIn(entry["name"], listed.stdout)
            self.assertTrue(entry["summary"], entry["name"])
            self.assertEqual(self.run_program("nodes", "info", entry["name"]).exit, 0, entry["name"])

    def test_nodes_info(self):
        text = self.run_program("nodes", "info", "CalculatorNode").stdout
        for word in ("CalculatorNode", "also: Calculator", "operation", "modulo", "operand", "default"):
            self.assertIn(word, text)
        entries = json.loads(self.run_program("nodes", "info", "Calculator", "--json").stdout)
        self.assertEqual(entries[0]["name"], "CalculatorNode")

    def test_nodes_info_of_an_unknown_one(self):
        done = self.run_program("nodes", "info", "MultiplyNod")
        self.assertEqual((done.exit, done.document["error"]["code"]), (2, "unknown_node_type"))
        self.assertIn("MultiplyNode", done.stderr)

    def test_version(self):
        done = self.run_program("version")
        info = self.run_program("version", "--json").document
        self.assertEqual(done.stdout.splitlines()[0], f"remotemedia {info['version']}")
        self.assertEqual(self.run_program("--version").stdout, done.stdout)
        self.assertIsInstance(info["features"]["RM_PYTHON"], bool)

    def test_licenses(self):
        text = self.run_program("version", "--licenses").stdout
        for word in ("MIT", "yyjson", "python"):
            self.assertIn(word, text)

    def test_sbom(self):
        bill = self.run_program("version", "--sbom").document
        info = self.run_program("version", "--json").document
        self.assertEqual((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.6"))
        self.assertEqual(bill["metadata"]["component"]["version"], info["version"])
        licenses = re.findall(r"^==== (\S+) (\S+) \((.+?)\): (.+)$", self.run_program("version", "--licenses").stdout, re.M)
        parts = [(part["name"], part["version"], part["licenses"][0]["expression"], part["description"]) for part in bill["components"]]
        self.assertEqual(parts, licenses)
        self.assertGreater(len(parts), 5)
        self.assertEqual(bill["dependencies"][0]["dependsOn"], [name for name, *_ in parts])
        for part in bill["components"]:
            self.assertRegex(part["purl"], r"^pkg:(generic|github|pypi|cargo)/\S+@\S+$")
            self.assertRegex(part["hashes"][0]["content"], "^[0-9a-f]{64}$")


if __name__ == "__main__":
    unittest.main()
