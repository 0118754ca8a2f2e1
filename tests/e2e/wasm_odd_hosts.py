"""The WASM files in hosts that lack calls of WASI or misread them, as some do: tests/support/hosts/odd.mjs behaves so."""
import json
import subprocess
import unittest

from support import manifest, node
from wasm_products import FOLDER, path_of

from hosted_ports import HOSTS

LITE, FULL = "pipeline_executor_lite", "pipeline_executor_wasm_snapshot"
ECHO = manifest([node("p", "PassThrough")])
USAGE = "usage: remotemedia COMMAND"
# The names of modules' imports.
IMPORTS = """import fs from 'node:fs';
console.log(JSON.stringify(process.argv.slice(1).flatMap((file) =>
    WebAssembly.Module.imports(new WebAssembly.Module(fs.readFileSync(file))).map(({ name }) => name))));"""


LINES = manifest([node("p", "FileLines", {"path": "-"})])


def run(oddity, stdin, *args, product=LITE):
    files = json.dumps({"m.json": json.dumps(ECHO), "lines.json": json.dumps(LINES)})
    command = ["node", str(HOSTS / "odd.mjs"), str(path_of(product)), oddity, files, *args]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def python(code, items):
    return json.dumps({"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": items})


class Input(unittest.TestCase):
    document = json.dumps({"manifest": ECHO, "input_data": [1, 2]})

    def check_document(self, oddity, product=LITE):
        answer = run(oddity, self.document, product=product)
        self.assertEqual((answer["exit"], answer["stderr"]), (0, ""))
        self.assertEqual(json.loads(answer["stdout"])["outputs"], {"p": [1, 2]})
        return answer

    def check_lines(self, oddity):
        answer = run(oddity, "1\n2\n3", "run", "m.json", "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
        self.assertEqual((answer["exit"], answer["stdout"]), (0, "1\n2\n3\n"), answer["stderr"])

    def test_what_is_said_to_be_a_terminal_is_read(self):
        self.check_document("terminal")
        self.assertNotIn("\x1b", run("terminal", "", "nonsense")["stderr"])

    def test_where_nothing_comes_help_is_shown(self):
        for oddity in ("terminal", "none"):
            answer = run(oddity, "")
            self.assertEqual((answer["exit"], answer["stdout"]), (2, ""))
            self.assertTrue(answer["stderr"].startswith(USAGE), answer["stderr"])

    def test_a_document_is_read_without_asking_first(self):
        for oddity in ("no_waiting", "never_ready", "none"):
            self.assertNotIn("poll_oneoff", self.check_document(oddity)["calls"])

    def test_lines_come_also_where_nothing_waits_for_descriptors(self):
        for oddity in ("no_waiting", "never_ready", "none"):
            self.check_lines(oddity)

    def test_a_node_reads_without_asking_first(self):
        for oddity in ("none", "terminal", "device"):
            answer = run(oddity, "one\ntwo", "run", "lines.json")
            self.assertEqual((answer["exit"], json.loads(answer["stdout"])["outputs"]), (0, {"p": ["one", "two"]}))
            self.assertNotIn("poll_oneoff", answer["calls"])
        self.assertIn("poll_oneoff", run("device", "one", "run", "lines.json", "--timeout", "60s")["calls"])

    def test_a_node_reads_where_a_deadline_could_end_the_wait_but_no_descriptor(self):
        answer = run("unnamed_events", "one\ntwo", "run", "lines.json", "--timeout", "60s")
        self.assertEqual((answer["exit"], json.loads(answer["stdout"])["outputs"]), (0, {"p": ["one", "two"]}))
        self.assertEqual(answer["calls"]["poll_oneoff"], 1)

    def test_standard_input_may_be_of_no_known_kind(self):
        self.check_document("no_stdin_status")
        self.check_document("no_stdin_status", FULL)
        self.check_lines("no_stdin_status")


class Time(unittest.TestCase):
    sleep = "import time\ndef process(x):\n    time.sleep(x)\n    return x"
    asleep = ("import asyncio\nasync def process(x):\n    await asyncio.gather(*(asyncio.sleep(x) for _ in range(3)))\n"
              "    return x")

    def check_sleeps(self, oddity, code):
        answer = run(oddity, python(code, [0.3]), product=FULL)
        self.assertEqual((answer["exit"], json.loads(answer["stdout"])["outputs"]), (0, {"p": [0.3]}))
        self.assertGreaterEqual(answer["milliseconds"], 300)

    def test_clocks_that_are_over_too_early(self):
        self.check_sleeps("early_clocks", self.sleep)
        self.check_sleeps("early_clocks", self.asleep)

    def test_a_host_that_waits_for_nothing(self):
        self.check_sleeps("no_clock_events", self.sleep)
        self.check_sleeps("no_clock_events", self.asleep)

    def test_a_clock_that_is_said_to_be_coarse(self):
        self.check_sleeps("coarse_clock", self.asleep)
        code = "import time\ndef process(x):\n    return time.get_clock_info('monotonic').resolution"
        answer = run("coarse_clock", python(code, [1]), product=FULL)
        self.assertEqual(json.loads(answer["stdout"])["outputs"], {"p": [0.001]})

    def test_no_wait_where_nothing_is_waited_for(self):
        code = ("import asyncio\nasync def process(x):\n    for _ in range(100):\n        await asyncio.sleep(0)\n"
                "    return x")
        self.assertNotIn("poll_oneoff", run("none", python(code, [1, 2]), product=FULL)["calls"])


class Imports(unittest.TestCase):
    def test_no_sockets(self):
        files = sorted(file for file in FOLDER.glob("*.wasm") if ".component" not in file.name)
        self.assertGreater(len(files), 7)
        command = ["node", "--input-type=module", "-e", IMPORTS, *map(str, files)]
        names = json.loads(subprocess.run(command, capture_output=True, timeout=120, check=True).stdout)
        self.assertIn("fd_read", names)
        self.assertEqual([name for name in names if name.startswith("sock_")], [])


if __name__ == "__main__":
    unittest.main()
