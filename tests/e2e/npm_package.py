"""The npm package in Node: in the thread and in a Worker, installed from the packed tarball."""
import json
import re
import shutil
import subprocess
import unittest

from support import ROOT, ProgramTest

from npm_project import checkers, package, project
from ports import dependency

CHECKS = ROOT / "tests/e2e/npm_checks.mjs"


def node(*words, timeout=120, host=("node",), **more):
    return subprocess.run([*host, *words], cwd=project(), capture_output=True, text=True, timeout=timeout, check=False, **more)


class Places:
    """One test for each check of npm_checks.mjs, all of which run in one process of a host."""

    host = ("node",)

    @classmethod
    def setUpClass(cls):
        shutil.copy(CHECKS, project())
        cls.done = node(CHECKS.name, cls.place, str(ROOT / "bindings/web"), timeout=300, host=cls.host)
        cls.outcomes = dict(json.loads(line) for line in cls.done.stdout.splitlines() if line.startswith("["))

    def check(self, name):
        self.assertIsNone(self.outcomes.get(name, "did not end"))

    def test_the_process_ends(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))


for found in re.findall(r"^    async (\w+)\(\) \{$", CHECKS.read_text(), re.M):
    setattr(Places, f"test_{found}", lambda self, name=found: self.check(name))


class Thread(Places, unittest.TestCase):
    place = "thread"


class Worker(Places, unittest.TestCase):
    place = "worker"


class CommandLine(ProgramTest):
    def run_npx(self, *words, stdin=""):
        command = ["npx", "--no-install", "remotemedia", *words]
        return subprocess.run(command, cwd=project(), input=stdin, capture_output=True, text=True, timeout=120, check=False)

    def test_a_manifest(self):
        nodes = [{"id": "n", "node_type": "Python", "params": {"code": "import numpy\ndef process(x):\n    return int(numpy.sum(x))"}}]
        manifest = {"version": "v1", "metadata": {"name": "t"}, "nodes": nodes, "connections": []}
        (project() / "sum.json").write_text(json.dumps(manifest))
        (project() / "items.json").write_text("[[1, 2], [3]]")
        done = self.run_npx("run", "sum.json", "--input", "items.json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["outputs"]), (0, {"n": [3, 3]}), done.stderr)

    def test_exit_codes(self):
        self.assertEqual(self.run_npx("nonsense").returncode, 2)
        self.assertEqual(self.run_npx("run", "-", stdin="{}").returncode, 3)


class Uncaught(unittest.TestCase):
    def test_what_node_shows_is_readable(self):
        code = "import { Pipeline } from 'remotemedia';\nawait Pipeline.open({ version: 'v1', nodes: [{ id: 'n', node_type: 'Nope' }] });"
        done = node("--input-type=module", "-e", code)
        self.assertEqual(done.returncode, 1)
        self.assertIn("PipelineError: ", done.stderr)
        self.assertLess(done.stderr.index("PipelineError: "), 400, done.stderr[:400])


class Contents(unittest.TestCase):
    def test_names_are_hashes(self):
        names = sorted(path.name for path in (project() / "node_modules/remotemedia/wasm").iterdir())
        self.assertEqual([name.split("-")[0] for name in names], ["full", "lite", "numpy", "program"])
        for name in names:
            self.assertRegex(name, r"^[a-z]+-[0-9a-f]{16}\.wasm$")

    def test_it_says_what_is_linked(self):
        bill = json.loads((project() / "node_modules/remotemedia/sbom.cdx.json").read_text())
        self.assertLessEqual({"python", "numpy", "yyjson", "wasi-libc"}, {part["name"] for part in bill["components"]})

    def test_nothing_else_is_installed(self):
        self.assertEqual([path.name for path in (project() / "node_modules").iterdir() if path.name[0] != "."], ["remotemedia"])


class Form(unittest.TestCase):
    """What tools for package authors say of the tarball."""

    def test_publint(self):
        done = node(str(checkers() / "publint"), "--strict", str(package()))
        self.assertEqual((done.returncode, "All good" in done.stdout), (0, True), done.stdout + done.stderr)

    def test_are_the_types_wrong(self):
        done = node(str(checkers() / "attw"), str(package()), "--profile", "esm-only", "--format", "ascii", "--no-color")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Types(unittest.TestCase):
    def test_they_are_as_the_package_is_used(self):
        """As a bundler and as Node resolve the package."""
        shutil.copy(ROOT / "tests/e2e/npm_types.ts", project())
        compiler = str(dependency("typescript") / "bin/tsc")
        for resolution in (["--module", "nodenext"], ["--module", "esnext", "--moduleResolution", "bundler"]):
            done = node(compiler, "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noEmit",
                        "--target", "es2022", "--lib", "es2022,dom,dom.iterable,dom.asynciterable", *resolution,
                        "npm_types.ts")
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_every_name_has_a_type(self):
        types = (ROOT / "bindings/web/index.d.ts").read_text()
        declared = set(re.findall(r"^export (?:class|function) (\w+)", types, re.M))
        for name in ("index.mjs", "node.mjs"):
            code = (ROOT / "bindings/web" / name).read_text()
            exported = set(re.findall(r"^export (?:const (\w+)|\{ (\w+) \})", code, re.M))
            self.assertEqual({one or other for one, other in exported}, declared, name)
