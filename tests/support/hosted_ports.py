"""The ports that run cases in a host of the WASM files, beside the native program: a case passes when the host gives what
it expects, and stdout and exit code are the native program's. One process of a host runs many cases."""

import base64
import copy
import json
import os
import pathlib
import queue
import selectors
import shutil
import subprocess
import sys
import tempfile
import zipfile

from casefile import CaseError, content, plain, replace_everywhere
from expectations import check, diff, same_document, shorten
from ports import ROOT, Native, Result, dependency, environment, limit_of, place_files, result_of

# What makes a node Python's: no native node has the name, or the hint says so.
PYTHON_ONLY = {"PassThroughNode", "DataTransform", "BufferNode", "TextProcessorNode"}
PYTHON_HINTS = {"cpython", "rust_python"}

HOSTS = ROOT / "tests" / "support" / "hosts"


class Host:
    """A process that answers jobs, a line each; started again after one that had to be ended."""

    def __init__(self, command, env=None, slow_start=0):
        """`slow_start`: seconds that a new process may need before its first answer."""
        self.command, self.env, self.slow_start, self.process = command, env, slow_start, None

    def run(self, job, limit):
        if self.process is None:
            limit += self.slow_start
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.env
            )
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: its output says so
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            ready = selector.select(limit)
        line = self.process.stdout.readline() if ready else b""
        if line:
            return json.loads(line)
        self.close()
        return {"trouble": "the host has ended" if ready else f"the program did not end within {limit:g} s"}

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None


class Beside(Native):
    """Runs a WASM file in a host, beside the native program."""

    def __init__(self, options):
        super().__init__(options)
        self.file = pathlib.Path(options.file).resolve()
        if not self.file.is_file():
            raise SystemExit(f"run_cases: there is no file {self.file}; build it with: make wasm")


class Compared(Beside):
    """A subclass says, as in_host, how a case is run there."""

    def correct(self, case, native, result):
        """Undoes what every run in the host changes."""

    def run_case(self, case):
        """Both runs see a folder of the same name, one after the other."""
        with tempfile.TemporaryDirectory(prefix="rm-case-") as name:
            folder = pathlib.Path(name) / "case"
            streams = pathlib.Path(name)
            try:
                native = None
                folder.mkdir()
                if "native" not in case.data.get("skip", {}):
                    place_files(case, folder)
                    native = self.start(case, folder)
                    folder.rename(streams / "native")
                    folder.mkdir()
                place_files(case, folder)
                result = self.in_host(case, folder, streams)
                self.correct(case, native, result)
                case.expect = replace_everywhere(case.expect, "{DIR}", str(folder))
                return check(case, result, folder) + differences(case, native, result)
            except (CaseError, OSError, ValueError) as error:
                return [f"the case cannot be run: {type(error).__name__}: {error}"]


class Hosted(Compared):
    """A subclass says how its host is started."""

    def run(self, cases):
        self.free = queue.SimpleQueue()
        hosts = [self.host() for _ in range(self.jobs)]
        for host in hosts:
            self.free.put(host)
        try:
            yield from super().run(cases)
        finally:
            for host in hosts:
                host.close()

    def in_host(self, case, folder, streams):
        command, stdin = self.command(case, folder, [])
        files = {name: str(streams / name) for name in ("stdin", "stdout", "stderr")}
        (streams / "stdin").write_bytes(stdin)
        job = {
            "args": ["remotemedia", *command[1:]],
            "env": replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder)),
            "preopens": {".": str(folder), str(folder): str(folder)},
            **files,
        }
        host = self.free.get()
        try:
            answer = host.run(job, limit_of(case) * self.slowness)
        finally:
            self.free.put(host)
        if "trouble" in answer:
            told = (streams / "stderr").read_text(errors="replace") if (streams / "stderr").is_file() else ""
            return Result(trouble=answer["trouble"] + "\n" + told[-2000:])
        return result_of(answer["exit"], (streams / "stdout").read_bytes(), (streams / "stderr").read_bytes())


def differences(case, native, result):
    if native is None:
        return []
    if result.trouble or native.trouble:
        return [f"natively: {native.trouble}"] if native.trouble else []
    complaints = []
    if native.exit != result.exit:
        complaints.append(f"exit code {result.exit}, natively {native.exit}")
    if not same_document(case, native.stdout, result.stdout):
        complaints.append("stdout is not the native program's:\n" + shorten(diff(native.stdout, result.stdout)))
    return complaints


class Once(Compared):
    """A host that is started once a case. A subclass says, as words, the command line that comes before the program's."""

    interpreted = 1  # how much longer a case may take
    exits_of_one = ()  # the program's exit codes that the host makes 1

    def run(self, cases):
        """Starts it before the first case: some compile the file then, which takes longer than a case may."""
        with tempfile.TemporaryDirectory(prefix="rm-case-") as name:
            folder = pathlib.Path(name)
            subprocess.run([*self.words(folder, {}), "version"], cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
        yield from super().run(cases)

    def in_host(self, case, folder, streams):
        command, stdin = self.command(case, folder, [])
        variables = replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder))
        words = [*self.words(folder, variables), *command[1:]]
        return self.finished(words, stdin, folder, environment(), limit_of(case) * self.slowness * self.interpreted)

    def correct(self, case, native, result):
        wanted = native.exit if native else plain(case.expect.get("exit"))
        if result.exit == 1 and wanted in self.exits_of_one:
            result.exit = wanted


class Sandbox(Compared):
    """`run --sandbox`, which takes the WASM file into the native program: the folder of the case is granted, and the
    variables that it sets."""

    @staticmethod
    def refuses(case):
        words = case.data.get("command", ["run"])
        return "only `run` goes into a sandbox" if words and words[0] != "run" else None

    def run(self, cases):
        self.compile()
        yield from super().run(cases)

    def compile(self):
        """Before the first case: modules are compiled once, which takes longer than a case may."""
        node = {"id": "n", "node_type": "Python", "params": {"code": "process = len"}}
        document = {"version": "v1", "metadata": {"name": "n"}, "nodes": [{**node, **self.hints}], "connections": []}
        words = [str(self.program), "run", *self.options(), "-"]
        subprocess.run(words, input=json.dumps({"manifest": document, "input_data": ["x"]}).encode(), check=True,
                       stdout=subprocess.DEVNULL)

    hints = {}

    def options(self):
        return ["--sandbox", "--wasm", str(self.file)]

    def in_host(self, case, folder, streams):
        command, stdin = self.command(case, folder, [])
        variables = replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder))
        words = command[1:] or ["run", "-"]
        words[1:1] = [*self.options(), "--allow-write", ".", "--allow-write", str(folder)]
        for name in variables:
            words[1:1] = ["--allow-env", name]
        return self.finished([command[0], *words], stdin, folder, environment(variables), limit_of(case))


class Nodes(Sandbox):
    """Natively, but every Python node in a sandbox of its own."""

    @staticmethod
    def python_nodes(case):
        manifest = case.data.get("manifest")
        nodes = manifest.get("nodes") if isinstance(manifest, dict) else None
        for node in nodes if isinstance(nodes, list) else []:
            kind = node.get("node_type") if isinstance(node, dict) else None
            if not isinstance(kind, str) or node.get("runtime_hint") == "cpython_wasm":
                continue
            if kind == "Python" or ":" in kind or kind in PYTHON_ONLY or node.get("runtime_hint") in PYTHON_HINTS:
                yield node

    hints = {"runtime_hint": "cpython_wasm"}

    def options(self):
        return []

    @staticmethod
    def refuses(case):
        return Sandbox.refuses(case) or (None if any(Nodes.python_nodes(case)) else "no Python node is in it")

    def in_host(self, case, folder, streams):
        plain = case.data
        case.data = copy.deepcopy(plain)
        for node in Nodes.python_nodes(case):
            node.update(self.hints)
        try:
            return super().in_host(case, folder, streams)
        finally:
            case.data = plain


class Python(Hosted):
    """The Python package, in the interpreter that imports it: results and errors are the native program's."""

    # What a caller of Pipeline.run has, too.
    OPTIONS = {"--path", "--timeout"}

    @staticmethod
    def refuses(case):
        words = case.data.get("args", [])
        options = {word for word in words if word.startswith("--")}
        if "command" in case.data or options - Python.OPTIONS:
            return "it is of the command line"
        if "manifest" not in case.data and "stdin" not in case.data:
            return "it is of the command line"
        return None

    def __init__(self, options):
        Native.__init__(self, options)
        wheels = sorted((ROOT / "build/wheel").glob("remotemedia-*-cp313-cp313-*.whl"))
        if not wheels:
            raise SystemExit("run_cases: there is no wheel in build/wheel; build it with: make wheel")
        self.tree = ROOT / "build/test/python-port"
        shutil.rmtree(self.tree, ignore_errors=True)
        with zipfile.ZipFile(wheels[-1]) as wheel:
            wheel.extractall(self.tree)

    def host(self):
        python = self.program.parent / "python3.13"
        env = dict(environment(), PYTHONPATH=str(self.tree), PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
        return Host([str(python), str(HOSTS / "python_host.py")], env)

    def job(self, case, folder, streams):
        document = case.document()
        text = document.replace(b"{DIR}", str(folder).encode()) if document is not None else content(case.data["stdin"])
        words = replace_everywhere(case.args(), "{DIR}", str(folder))
        given = list(zip(words[::2], words[1::2]))
        paths = [value for option, value in given if option == "--path"]
        timeouts = [value for option, value in given if option == "--timeout"]
        if case.data.get("via") == "file":
            (folder / "manifest.json").write_bytes(text)
        return {
            "text": base64.b64encode(text).decode(), "folder": str(folder), "limit": limit_of(case),
            "file": "manifest.json" if case.data.get("via") == "file" else None,
            "paths": paths + ([str(self.numpy)] if case.needs_numpy() else []),
            "timeout": seconds_of(timeouts[0]) if timeouts else None,
            "env": replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder)),
            "stdout": str(streams / "stdout"), "stderr": str(streams / "stderr"),
        }

    def in_host(self, case, folder, streams):
        host = self.free.get()
        try:
            answer = host.run(self.job(case, folder, streams), limit_of(case) + 5)
        finally:
            self.free.put(host)
        told = (streams / "stderr").read_bytes() if (streams / "stderr").is_file() else b""
        if "trouble" in answer:
            return Result(trouble=answer["trouble"] + "\n" + told.decode(errors="replace")[-2000:])
        return result_of(answer["exit"], (streams / "stdout").read_bytes(), told)


def seconds_of(text):
    """A duration of the command line."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text)
