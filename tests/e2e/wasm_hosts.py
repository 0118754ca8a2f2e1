"""The WASM files in Node and in wasmtime: what docs/wasm.md says, word by word, and runs that go wrong."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from support import ROOT, ProgramTest, manifest, node, section
from wasm_products import path_of

from casefile import load_all
from hosted_ports import HOSTS, Host
from hosts_table import PORTS
from ports import dependency

FULL = "pipeline_executor_wasm"
RUN = ROOT / "wasm/run.mjs"
DOCUMENT = "docs/wasm.md"
# Run before anything else in a Node process: refuses an instance that is given an import as Node made it.
WATCH = """data:text/javascript,
const Real = WebAssembly.Instance;
WebAssembly.Instance = class extends Real {
    constructor(module, imports) {
        for (const call of Object.values(imports.wasi_snapshot_preview1))
            if (Function.prototype.toString.call(call).includes('[native code]'))
                throw new Error('an import is not wrapped');
        super(module, imports);
    }
};"""


def shown(title, kind, document=DOCUMENT):
    """(code, what it prints) of the section's blocks of a kind; each is followed by a block of text."""
    return re.findall(rf"^```{kind}\n(.*?)^```\n+```text\n(.*?)^```$", section(document, title), re.S | re.M)


def document(code, items, **more):
    given = manifest([node("p", "Python", {"code": code}, **more)])
    return json.dumps({"manifest": given, "input_data": items})


class Documentation(ProgramTest):
    def check(self, done, expected):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, expected)

    def test_node(self):
        examples = shown("Run it in Node", "sh")
        self.assertGreater(len(examples), 1)
        examples += shown("numpy inside WebAssembly", "sh", "docs/numpy.md")
        for code, expected in examples:
            code = code.replace("build/wasm/", f"{path_of(FULL).parent}/")
            done = subprocess.run(["sh", "-ec", code], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
            self.check(done, expected)

    def test_wasmtime(self):
        shutil.copy(path_of(FULL), self.folder)
        shutil.copy(ROOT / "examples/first/pipeline.json", self.folder)
        env = dict(os.environ, PYTHONPATH=str(dependency("wasmtime")), XDG_CACHE_HOME=str(ROOT / "build/test"))
        ((code, expected),) = shown("Run it under wasmtime", "python")
        done = subprocess.run([sys.executable, "-c", code], cwd=self.folder, env=env, capture_output=True, text=True,
                              timeout=400, check=False)
        self.check(done, expected)

    def test_skipped_cases(self):
        """The table is the cases' own, and they are few."""
        cases, _ = load_all(ROOT / "tests/cases")
        reasons = collections.Counter()
        for case in cases:
            for host, reason in case.data.get("skip", {}).items():
                if host in ("wasm", "alone", "browser", "firefox", *PORTS):
                    reasons[(host, reason)] += 1
        rows = re.findall(r"^\| (\w+) \| (.*) \| (\d+) \|$", section(DOCUMENT, "Skipped cases"), re.M)
        self.assertEqual({(host, reason): int(count) for host, reason, count in rows}, dict(reasons))
        self.assertLess(sum(reasons.values()), 0.05 * len(cases))


class InNode(ProgramTest):
    def run_mjs(self, words, stdin="", flags=(), timeout=200):
        return subprocess.run(["node", *flags, str(RUN), *words], cwd=self.folder, input=stdin, capture_output=True,
                              text=True, timeout=timeout, check=False)

    def test_every_import_is_wrapped(self):
        done = self.run_mjs([str(path_of(FULL)), "version"], flags=["--import", WATCH])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_files_while_garbage_is_collected(self):
        code = ("import os\ndef process(n):\n    for i in range(n):\n        for path in (f'there', f'no{i}'):\n"
                "            try:\n                os.stat(path)\n                open(path).close()\n"
                "            except OSError:\n                pass\n    return n\n")
        (self.folder / "there").write_text("x")
        done = self.run_mjs(["--dir", ".=.", str(path_of(FULL))], document(code, [10000] * 3), ["--gc-interval=97"])
        self.assertEqual((done.returncode, json.loads(done.stdout)["outputs"]), (0, {"p": [10000] * 3}), done.stderr)

    def test_exit_codes(self):
        lite = str(path_of("pipeline_executor_lite"))
        self.assertEqual(self.run_mjs([lite, "version"]).returncode, 0)
        self.assertEqual(self.run_mjs([lite, "nonsense"]).returncode, 2)
        self.assertEqual(self.run_mjs([lite], "{}").returncode, 3)
        self.assertEqual(self.run_mjs([]).returncode, 64)
        self.assertEqual(self.run_mjs(["nowhere.wasm"]).returncode, 66)
        trapped = self.run_mjs([str(path_of(FULL))], document("import os\ndef process(x):\n    os.abort()\n", [1]))
        self.assertEqual(trapped.returncode, 70)
        self.assertIn("trap", trapped.stderr)

    def test_a_slow_pipe_gives_results_as_they_come(self):
        (self.folder / "m.json").write_text(json.dumps(manifest([node("p", "PassThrough")])))
        words = ["--dir", ".=.", str(path_of("pipeline_executor_lite")), "run", "m.json", "--input", "-",
                 "--input-format", "jsonl", "--format", "jsonl"]
        with subprocess.Popen(["node", str(RUN), *words], cwd=self.folder, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as run:
            for item in (b"1\n", b"2\n", b"3\n"):
                run.stdin.write(item)
                run.stdin.flush()
                self.assertEqual(run.stdout.readline(), item)
            run.stdin.close()
            self.assertEqual(run.wait(60), 0)

    def test_a_closed_pipe_ends_the_run(self):
        (self.folder / "m.json").write_text(json.dumps(manifest([node("p", "PassThrough")])))
        (self.folder / "in.jsonl").write_text("123456789\n" * 200000)
        line = f"node {RUN} --dir .=. {path_of('pipeline_executor_lite')} run m.json --input in.jsonl --format jsonl | head -n 1"
        done = subprocess.run(["bash", "-c", line + '; echo "${PIPESTATUS[0]}"'], cwd=self.folder, capture_output=True,
                              text=True, timeout=200, check=False)
        self.assertEqual(done.stdout.split(), ["123456789", "4"], done.stderr)


class Hosts(ProgramTest):
    """Runs that go wrong, one after the other in one process of a host."""

    def hosts(self):
        file = str(path_of(FULL))
        yield "node", Host(["node", str(HOSTS / "node.mjs"), file])
        command = [sys.executable, str(HOSTS / "wasmtime_host.py"), file, str(ROOT / "build/test/cwasm")]
        yield "wasmtime", Host(command, dict(os.environ, PYTHONPATH=str(dependency("wasmtime"))))

    def job(self, host, stdin, **more):
        files = {name: str(self.folder / name) for name in ("stdin", "stdout", "stderr")}
        pathlib.Path(files["stdin"]).write_text(stdin)
        job = {"args": ["remotemedia"], "env": {}, "preopens": {".": str(self.folder)}, **files, **more}
        answer = host.run(job, 300)
        return answer, pathlib.Path(files["stdout"]).read_text()

    def test_a_trap_leaves_nothing_behind(self):
        good = document("import sys\nseen = []\ndef process(x):\n    seen.append(x)\n    return list(seen)\n", [1, 2])
        for name, host in self.hosts():
            with self.subTest(name):
                self.addCleanup(host.close)
                answer, before = self.job(host, good)
                self.assertEqual(answer, {"exit": 0})
                answer, stdout = self.job(host, document("import os\ndef process(x):\n    os.abort()\n", [1]))
                self.assertIn("trap", answer.get("trouble", ""))
                self.assertEqual(stdout, "")
                answer, after = self.job(host, good)
                self.assertEqual((answer, after), ({"exit": 0}, before))

    def test_no_memory_is_an_error_of_the_node(self):
        code = "def process(x):\n    kept = []\n    while x:\n        kept.append(bytearray(1 << 20))\n    return x\n"
        name, host = list(self.hosts())[1]
        self.addCleanup(host.close)
        answer, stdout = self.job(host, document(code, [0, 1, 2], on_error="skip"), memory=128 << 20)
        self.assertEqual(answer, {"exit": 0}, name)
        self.assertEqual(json.loads(stdout)["outputs"], {"p": [0]})
        answer, stdout = self.job(host, document(code, [0, 1]), memory=128 << 20)
        self.assertEqual(answer, {"exit": 1})
        error = json.loads(stdout)["error"]
        self.assertEqual((error["node"], error["item"]), ("p", 1))
        self.assertIn("MemoryError", error["message"])

