"""The program's descriptors: what nodes and the programs that they start get of them, and what happens when they are closed."""

import json
import os
import subprocess
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

COUNT = 3000


class Children(ProgramTest):
    """Standard input has items for the pipeline, and for nobody else."""

    def eats_nothing(self, code):
        path = self.write("m.json", manifest([node("p", "Python", {"code": code})]))
        lines = "".join(f"{i}\n" for i in range(COUNT))
        done = self.run_program("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl", stdin=lines)
        self.assertEqual(done.exit, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines(), [f"[{i},0]" for i in range(COUNT)])

    def once(self, program):
        """Code that starts `program` for the first item, and tells how much it read."""
        return f"import subprocess, sys, os\ndef process(x):\n    if x: return [x, 0]\n    return [x, {program}]"

    def test_a_program_that_a_node_starts(self):
        self.eats_nothing(self.once("len(subprocess.run(['cat'], capture_output=True).stdout)"))

    def test_a_shell(self):
        self.eats_nothing(self.once("os.system('exit $(wc -c)')"))

    def test_a_program_of_asyncio(self):
        self.eats_nothing("""
import asyncio
async def process(x):
    if x: return [x, 0]
    child = await asyncio.create_subprocess_exec('cat', stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    return [x, len(out)]
""")

    def test_a_forked_process(self):
        self.eats_nothing(self.once("(lambda n: os.waitstatus_to_exitcode(os.waitpid(n, 0)[1]) if n else"
                                    " os._exit(len(os.read(0, 100))))(os.fork())"))

    def test_the_node_itself(self):
        self.eats_nothing(self.once("len(sys.stdin.read()) + len(os.read(0, 100))"))

    def test_while_code_is_loaded(self):
        self.eats_nothing("import subprocess\nsubprocess.run(['cat'])\ndef process(x): return [x, 0]")

    def test_a_program_gets_no_descriptor_of_ours(self):
        """Neither the items nor the results can be reached under another number."""
        code = ("import os\ndef process(x):\n"
                "    mine = {os.readlink(f'/proc/self/fd/{n}') for n in (0, 1, 2)}\n"
                "    seen = os.popen('for n in /proc/self/fd/*; do readlink $n; done').read().split()\n"
                "    return [[os.readlink('/proc/self/fd/0')], [n for n in seen if n.startswith('pipe') and n not in mine]]")
        path = self.write("m.json", manifest([node("p", "Python", {"code": code})]))
        done = self.run_program("run", path, "--input", "-", "--output", "out.jsonl", stdin="[1]")
        self.assertEqual(done.exit, 0, done.stderr)
        first, others = json.loads((self.folder / "out.jsonl").read_text())
        self.assertEqual(first, ["/dev/null"])
        self.assertEqual(len(others), 1, "the pipe to us, which popen made")


class Closed(ProgramTest):
    def shell(self, words, *args):
        """Runs `"$0" "$@" words` in a shell."""
        done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {words}', str(PROGRAM), *map(str, args)], capture_output=True,
                              stdin=subprocess.DEVNULL, cwd=self.folder, env=environment(), timeout=60 * SLOWNESS,
                              check=False)
        self.assert_no_crash(done.returncode, done.stderr.decode())
        return done

    def setUp(self):
        super().setUp()
        self.path = self.write("m.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": [1]})
        self.copy = self.write("c.json", manifest([node("p", "PassThrough")]))

    def test_standard_input(self):
        for args in (["run", "-"], ["validate", "-"], ["graph", "-"], ["run", self.copy, "--input", "-"],
                     ["run", self.copy, "--input", "-", "--input-format", "jsonl", "--format", "json"], []):
            with self.subTest(args=args):
                done = self.shell("<&-", *args)
                error = json.loads(done.stdout)["error"]
                self.assertEqual((done.returncode, error["code"]), (4, "io"))
                self.assertEqual(error["message"], "cannot read standard input: it is closed")

    def test_standard_input_that_nobody_needs(self):
        done = self.shell("<&-", "run", self.path)
        self.assertEqual((done.returncode, json.loads(done.stdout)["outputs"]), (0, {"p": [1]}), done.stderr)

    def test_standard_output(self):
        for args in (["run", self.path], ["run", self.path, "--format", "jsonl"], ["validate", self.path],
                     ["graph", self.path], ["nodes"], ["schema"], ["version"], ["--help"]):
            with self.subTest(args=args):
                done = self.shell(">&-", *args)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn(b"error: cannot write standard output: it is closed\n", done.stderr)
                self.assertEqual(done.stderr.count(b"error: "), 1)

    def test_standard_output_is_told_before_the_run(self):
        code = "import os\nos.write(2, b'loaded\\n')\ndef process(x): os.write(2, b'ran\\n')"
        path = self.write("r.json", {"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": [1]})
        done = self.shell(">&-", "run", path)
        self.assertEqual((done.returncode, done.stderr), (4, b"loaded\nerror: cannot write standard output: it is closed\n"))

    def test_standard_output_that_nobody_needs(self):
        done = self.shell(">&-", "run", self.path, "--output", "out.json")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(json.loads((self.folder / "out.json").read_text())["outputs"], {"p": [1]})

    def test_standard_error(self):
        done = self.shell("2>&-", "run", self.path)
        self.assertEqual((done.returncode, json.loads(done.stdout)["outputs"]), (0, {"p": [1]}))

    def test_all_three(self):
        self.assertEqual(self.shell("<&- >&- 2>&-", "run", self.path, "--output", "out.json").returncode, 0)
        self.assertEqual(json.loads((self.folder / "out.json").read_text())["outputs"], {"p": [1]})


if __name__ == "__main__":
    unittest.main()
