"""What the end-to-end tests share: the program, running it, manifests."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from ports import environment  # noqa: E402

# The program under test: tests/e2e/run --program, or the environment, or the native build.
PROGRAM = pathlib.Path(os.environ.get("RM_PROGRAM", ROOT / "build/native/bin/remotemedia")).resolve()
# Where downloads and other things that outlive a test may lie.
BUILD = pathlib.Path(os.environ.get("RM_BUILD_DIR", PROGRAM.parent.parent)).resolve()
# Sanitizers and valgrind are slower; limits are multiplied by this.
SLOWNESS = float(os.environ.get("RM_SLOWNESS", "1"))


def section(document, title):
    """The lines of a document's section, without its heading."""
    text = (ROOT / document).read_text()
    return re.search(rf"^###? {re.escape(title)}\n(.*?)(?=^##|\Z)", text, re.S | re.M).group(1)


def node(id, node_type, params=None, **more):
    return {"id": id, "node_type": node_type, **({"params": params} if params is not None else {}), **more}


def manifest(nodes, connections=()):
    """A manifest of nodes and of "a > b > c" chains."""
    edges = []
    for chain in connections:
        ids = [part.strip() for part in chain.split(">")]
        edges += [{"from": a, "to": b} for a, b in zip(ids, ids[1:])]
    return {"version": "v1", "metadata": {"name": "test"}, "nodes": list(nodes), "connections": edges}


class Run:
    def __init__(self, done):
        self.exit, self.stdout, self.stderr = done.returncode, done.stdout.decode(), done.stderr.decode()

    @property
    def document(self):
        return json.loads(self.stdout)


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own, removed afterwards."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rm-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def run_program(self, *args, stdin=b"", limit=120, env=None, program=PROGRAM):
        if isinstance(stdin, dict):
            stdin = json.dumps(stdin)
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run(
            [str(program), *map(str, args)],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=environment(env),
            timeout=limit * SLOWNESS,
            check=False,
        )
        self.assert_no_crash(done.returncode, done.stderr.decode(errors="replace"))
        return Run(done)

    def start(self, *args, **more):
        """A running program with pipes; ended and reaped after the test."""
        for stream in ("stdin", "stdout", "stderr"):
            more.setdefault(stream, subprocess.PIPE)
        process = subprocess.Popen(
            [str(PROGRAM), *map(str, args)],
            cwd=self.folder,
            env=environment(),
            **more,
        )
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    def assert_no_crash(self, code, stderr):
        self.assertFalse(code < 0 or code > 130, f"ended by signal: {code}\n{stderr[-3000:]}")
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error:"):
            self.assertNotIn(word, stderr)
