"""The program as a component of WASI 0.2, in wasmtime's command and in jco."""
import json
import re
import subprocess
import sys
import unittest

from support import ROOT, ProgramTest, manifest, node
from wasm_products import path_of

from ports import ensured

COMPONENT = path_of("pipeline_executor_wasm.component")
ASLEEP = "import asyncio, os\nasync def process(x):\n    await asyncio.sleep(0.01)\n    return [x, os.environ.get('GIVEN')]"


def jco():
    deps = [sys.executable, str(ROOT / "deps/deps.py"), "--target", "tool"]
    subprocess.run([*deps, "ensure", "jco"], check=True)
    folder = subprocess.run([*deps, "path", "jco"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    return f"{folder}/node_modules/.bin/jco"


class Component(ProgramTest):
    def hosts(self):
        yield "wasmtime", [str(ensured("wasmtime-cli") / "bin/wasmtime"), "run", str(COMPONENT)]
        yield "jco", [jco(), "run", str(COMPONENT)]

    def run_in(self, host, *words, stdin=""):
        return subprocess.run([*host, *words], cwd=self.folder, input=stdin, capture_output=True, text=True, timeout=400, check=False)

    def test_results(self):
        document = json.dumps({"manifest": manifest([node("p", "Python", {"code": ASLEEP})]), "input_data": [1, "ha"]})
        for name, host in self.hosts():
            with self.subTest(name):
                done = self.run_in(host, stdin=document)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(json.loads(done.stdout)["outputs"], {"p": [[1, None], ["ha", None]]})

    def test_every_failure_is_exit_code_1(self):
        broken = json.dumps({"manifest": manifest([node("p", "Python", {"code": "def process(x):\n    1 / 0"})]), "input_data": [1]})
        for name, host in self.hosts():
            with self.subTest(name):
                self.assertEqual(self.run_in(host, "version").returncode, 0)
                self.assertEqual(self.run_in(host, "nonsense").returncode, 1)  # else 2
                for stdin, code in (("{}", "missing_field"), (broken, "python")):  # else 3 and 1
                    done = self.run_in(host, stdin=stdin)
                    self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]), (1, code))

    def test_files_and_variables(self):
        (self.folder / "m.json").write_text(json.dumps(manifest([node("p", "Python", {"code": ASLEEP})])))
        (self.folder / "in.jsonl").write_text("1\n2\n")
        _, (wasmtime, run, file) = next(self.hosts())
        host = [wasmtime, run, "--dir", ".::/here", "--env", "GIVEN=x", file]
        done = self.run_in(host, "run", "/here/m.json", "--input", "/here/in.jsonl", "--output", "/here/out.jsonl")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual((self.folder / "out.jsonl").read_text(), '[1,"x"]\n[2,"x"]\n')

    def test_it_is_a_command_without_sockets(self):
        world = subprocess.run([jco(), "wit", str(COMPONENT)], stdout=subprocess.PIPE, text=True, timeout=200, check=True).stdout
        names = re.findall(r"^  (?:import|export) (\S+);$", world, re.M)
        self.assertTrue(any(name.startswith("wasi:cli/run@0.2") for name in names), names)
        self.assertEqual([name for name in names if not name.startswith("wasi:") or "@0.2" not in name], [])
        self.assertEqual([name for name in names if "sockets" in name or "http" in name], [])


if __name__ == "__main__":
    unittest.main()
