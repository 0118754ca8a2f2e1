"""What the documents say about sandboxes, which need the WASM files: commands in ```console wasm blocks, and C programs that
embed them."""

import json
import pathlib
import re

import test_docs
import test_examples
from support import BUILD, manifest, node, section
from wasm_products import path_of

COMPILING = 1800  # seconds: a module is compiled when it is used for the first time


class Documentation(test_docs.CommandsTest):
    def setUp(self):
        """Compiles first: a command with --timeout would be ended while its module is compiled."""
        super().setUp()
        for whole in (["--sandbox"], []):
            hint = {} if whole else {"runtime_hint": "cpython_wasm"}
            self.write("m.json", {"manifest": manifest([node("n", "Python", {"code": "process = len"}, **hint)]), "input_data": ["x"]})
            for fuel in ([], ["--fuel", "100G"]):
                run = self.run_program("run", *whole, "m.json", *fuel, limit=COMPILING)
                self.assertEqual(run.exit, 0, run.stderr)

    def test_commands_give_what_they_show(self):
        self.assertGreater(self.check_commands("console wasm", COMPILING), 20)


class Programs(test_examples.CompiledTest):
    """Programs that embed a sandbox, with what lies in an installation's lib/remotemedia."""

    def setUp(self):
        super().setUp()
        home = self.prefix / "lib/remotemedia"
        home.mkdir()
        (home / "lib").symlink_to(BUILD / "lib")
        (home / "wasm").symlink_to(path_of("pipeline_executor_wasm").parent)

    def compile_embedded(self, source, name):
        flags = test_examples.pkg_config(self.prefix, "--cflags", "--libs")
        return self.compile(source, name, *flags, f"-Wl,-rpath,{self.prefix / 'lib'}", "-lpthread")

    def run_sandbox(self, *words, stdin=b""):
        return self.start(self.compile_program("sandbox"), *words, stdin=stdin, limit=COMPILING)

    def python(self, code):
        document = {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]}
        return self.write("m.json", document)

    def test_the_example_runs_a_pipeline(self):
        result = self.run_sandbox("c/pipeline.json", "--input", "-", "--format", "jsonl",
                                  stdin=b'["one", "two", "three"]')
        self.assertEqual(result, (0, '["ONE","TWO"]\n["THREE"]\n', ""))

    def test_its_memory_is_limited(self):
        exit, out, err = self.run_sandbox("c/hungry.json", "--input", "-", stdin=b"[1]")
        error = json.loads(out)["error"]
        self.assertEqual((exit, error["code"], error["message"], error["node"]), (1, "python", "MemoryError", "hoard"))
        self.assertTrue(err.endswith("exit code 1, with 256 MiB of memory\n"), err)

    def test_its_time_is_limited(self):
        exit, out, err = self.run_sandbox(self.python("def process(x):\n    while True: pass"))
        self.assertEqual((exit, out, err), (1, "", "timeout: the run did not end within its timeout of 5000 ms\n"))

    def test_it_sees_no_other_file(self):
        exit, out, err = self.run_sandbox(self.python("def process(x):\n    return open('/etc/passwd').read()"))
        self.assertEqual(exit, 1)
        self.assertIn("FileNotFoundError", json.loads(out)["error"]["message"])

    def test_it_tells_why_it_cannot_start(self):
        message = "not_found: cannot give a guest none.json: No such file or directory\n"
        self.assertEqual(self.run_sandbox("none.json"), (1, "", message))
        self.assertEqual(self.start(self.folder / "sandbox")[0], 2)

    def test_the_guide(self):
        """The program, its manifest and its output in docs/sandbox.md."""
        text = section("docs/sandbox.md", "In a C program")
        shown = dict(re.findall(r"^```(.+)\n((?:.*\n)*?)```$", text, re.M))
        self.write("nodes.c", shown["c nodes.c"])
        self.write("mixed.json", shown["json wasm mixed.json"])
        nodes = self.compile_embedded(self.folder / "nodes.c", "nodes")
        result = self.start(nodes, self.folder / "mixed.json", limit=COMPILING)
        self.assertEqual(result, (0, shown["text nodes"], ""))

    def test_runs_in_threads_do_not_disturb_each_other(self):
        """Each is called in between every 10 ms, by an engine that all share."""
        program = self.compile_embedded(pathlib.Path(__file__).parent / "sandbox_threads.c", "threads")
        path = self.python("def process(x):\n    return sum(n * n for n in range(20000))")
        self.assertEqual(self.start(program, path, 8, 10, limit=COMPILING), (0, "139 bytes\n", ""))
