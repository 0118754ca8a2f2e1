"""What a port is, and the native one. A port takes many cases and yields a result for each, so that one process may serve
all of them; the native one starts the program once a case, which costs 10 ms. run_cases has the table of them."""

import concurrent.futures
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

from casefile import CaseError, content, replace_everywhere
from expectations import check

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUPPORT = ROOT / "tests" / "support"
VALGRIND = [
    "valgrind",
    "-q",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    f"--suppressions={SUPPORT / 'valgrind.supp'}",
]


def dependency(name):
    """Where a tool of the tests lies."""
    command = [sys.executable, str(ROOT / "deps/deps.py"), "--target", "test", "path", name]
    return pathlib.Path(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip())


@functools.cache
def ensured(name):
    """Where an optional tool of the tests lies, fetched when it is not there."""
    subprocess.run([sys.executable, str(ROOT / "deps/deps.py"), "--target", "test", "ensure", name], check=True)
    return dependency(name)


class Result:
    """What a run did; `trouble` says why there is none."""

    def __init__(self, exit=0, stdout="", stderr="", trouble=""):
        self.exit, self.stdout, self.stderr, self.trouble = exit, stdout, stderr, trouble


def environment(extra=None):
    """A small environment, the same on every machine; sanitizers report leaks and stop at the first error."""
    env = {key: os.environ[key] for key in ("PATH", "HOME", "LD_LIBRARY_PATH") if key in os.environ}
    env.update(
        LANG="C.UTF-8",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=98",
        UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
        LSAN_OPTIONS=f"suppressions={ROOT / 'tests' / 'lsan.supp'}:print_suppressions=0",
    )
    env.update(
        {
            key: os.environ[key]
            for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
            if key in os.environ
        }
    )
    env.update(extra or {})
    return env


def place_files(case, folder):
    for name, spec in case.data.get("files", {}).items():
        path = (folder / name).resolve()
        if folder.resolve() not in path.parents:
            raise CaseError(f"{name} lies outside the folder of the case")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(replace_everywhere(spec, "{DIR}", str(folder))))


def limit_of(case):
    """The seconds that a run of it may take natively."""
    return float(case.data["limit_seconds"].text if "limit_seconds" in case.data else 20)


def result_of(exit, stdout, stderr):
    """Of the bytes that a run has written."""
    try:
        return Result(exit, stdout.decode("utf-8"), stderr.decode("utf-8", "replace"))
    except UnicodeDecodeError as error:
        return Result(trouble=f"stdout is not UTF-8: {error}")


class Native:
    """Starts the program, once a case."""

    def __init__(self, options):
        self.program = pathlib.Path(options.program).resolve()
        if not self.program.is_file():
            raise SystemExit(
                f"run_cases: there is no program at {self.program}; build it, or name it with --program"
            )
        self.jobs, self.valgrind = options.jobs, options.valgrind is not None
        self.slowness = options.slowness * (30 if self.valgrind else 4 if options.variant == "asan" else 1)

    @staticmethod
    def refuses(case):
        """Why no such case can run in the port; None: it can."""

    def run(self, cases):
        """Yields (case, complaints) as cases end."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(self.run_case, case): case for case in cases}
            try:
                for future in concurrent.futures.as_completed(futures):
                    yield futures[future], future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def run_case(self, case):
        with tempfile.TemporaryDirectory(prefix="rm-case-") as name:
            folder = pathlib.Path(name)
            try:
                place_files(case, folder)
                result = self.start(case, folder)
                case.expect = replace_everywhere(case.expect, "{DIR}", name)
                return check(case, result, folder)
            except (CaseError, OSError, ValueError) as error:
                return [f"the case cannot be run: {type(error).__name__}: {error}"]

    def start(self, case, folder):
        numpy = ["--path", str(self.numpy)] if case.needs_numpy() else []
        command, stdin = self.command(case, folder, numpy)
        limit = limit_of(case) * self.slowness
        env = environment(replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder)))
        return self.finished(command, stdin, folder, env, limit)

    def finished(self, command, stdin, folder, env, limit):
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, cwd=folder, env=env, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return Result(trouble=f"the program did not end within {limit:g} s")
        result = result_of(done.returncode, done.stdout, done.stderr)
        if self.valgrind and result.exit == 99:
            return Result(trouble="valgrind found errors:\n" + result.stderr[-6000:])
        return result

    @functools.cached_property
    def numpy(self):
        """The folder that natively has numpy; a WASM file has it inside."""
        folder = dependency("numpy-wheel")
        if not folder.is_dir():
            raise CaseError("numpy is not there; get it with: deps/deps.py --target test ensure numpy-wheel")
        return folder

    def command(self, case, folder, more):
        """The argument list with `more` behind, and what goes to stdin."""
        document = case.document()
        if document is not None:
            document = document.replace(b"{DIR}", str(folder).encode())
        stdin = content(case.data["stdin"]) if "stdin" in case.data else b""
        manifest = []
        if case.data.get("via") == "file":
            (folder / "manifest.json").write_bytes(document)
            manifest = ["manifest.json"]
        elif document is not None:
            stdin, manifest = document, ["-"]
        elif "command" not in case.data:
            manifest = ["-"] if "stdin" in case.data else []
        before = VALGRIND if self.valgrind else []
        words = [*case.data.get("command", ["run"]), *manifest, *case.args(), *more]
        return [*before, str(self.program), *replace_everywhere(words, "{DIR}", str(folder))], stdin
