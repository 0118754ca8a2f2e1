"""What the tests of sandboxes share: running things inside, and what a refusal looks like."""
import json
import os
import signal
import subprocess

from support import BUILD, PROGRAM, SLOWNESS, ProgramTest, manifest, node
from wasm_products import path_of

from ports import environment

# Compiled modules outlive a test, since compiling CPython takes half a minute.
CACHE = BUILD.parent / "test/compiled"
LONG = 600  # seconds: nothing waits for them unless something is broken, or must be compiled
BREAKS = "the module breaks the node interface: "


def python(code, **more):
    return node("p", "Python", {"code": code}, **more)


class SandboxTest(ProgramTest):
    """`whole`: all of the run is in a sandbox; `single`: its Python node is."""

    def setUp(self):
        super().setUp()
        path_of("pipeline_executor_wasm")
        self.env = {"REMOTEMEDIA_CACHE_DIR": str(CACHE)}

    def words(self, how, nodes, items, args=(), connections=()):
        if isinstance(nodes, str):
            nodes = [python(nodes)]
        if how == "single":
            nodes = [{**each, "runtime_hint": "cpython_wasm"} if each["node_type"] == "Python" else each for each in nodes]
        document = {"manifest": manifest(nodes, connections)}
        if items is not None:
            document["input_data"] = items
        self.write("m.json", document)
        return ["run", *(["--sandbox"] if how == "whole" else []), "m.json", *map(str, args)]

    def inside(self, how, nodes, items=(0,), args=(), **more):
        more.setdefault("limit", LONG)
        more["env"] = {**self.env, **more.get("env", {})}
        items = list(items) if items is not None else None
        return self.run_program(*self.words(how, nodes, items, args, more.pop("connections", ())), **more)

    def started(self, how, nodes, items=(0,), args=(), **more):
        """A running program with pipes."""
        process = subprocess.Popen(
            [str(PROGRAM), *self.words(how, nodes, items, args)], cwd=self.folder, env=environment(self.env),
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more})
        self.addCleanup(self.end, process)
        return process

    def finished(self, process, limit=LONG):
        stdout, stderr = process.communicate(timeout=limit * SLOWNESS)
        self.assert_no_crash(process.returncode, stderr.decode(errors="replace"))
        return process.returncode, stdout.decode(), stderr.decode(errors="replace")

    def result(self, how, code, item=0, args=(), **more):
        """What the node gives for one item."""
        run = self.inside(how, code, [item], args, **more)
        self.assertEqual(run.exit, 0, run.stderr)
        (value,) = run.document["outputs"]["p"]
        return value

    def assert_error(self, run, exit, expected, outputs=None):
        """`run` failed with exactly these fields in its error (a traceback and a message's hint aside)."""
        try:
            document = run.document
        except json.JSONDecodeError:
            self.fail(f"exit {run.exit}, no document: {run.stdout[-500:]}\n{run.stderr[-2000:]}")
        self.assertEqual(document["status"], "error", run.stderr)
        error = {key: value for key, value in document["error"].items() if key not in ("traceback", "hint")}
        self.assertEqual((run.exit, error), (exit, expected), run.stderr[-2000:])
        self.assertIn(f"error: {expected['message']}\n", run.stderr)
        if outputs is not None:
            self.assertEqual(document["outputs"], outputs)


def processes_of(group):
    """Those of a process group that are left, zombies too."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                found.append(int(name))
    return found


def interrupt(process):
    process.send_signal(signal.SIGINT)
