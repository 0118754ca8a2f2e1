"""Runs one file of numpy's tests with pytest: as a node of a pipeline in the WASM file, and natively as a program.

A job is {"root", "site", "file", "names", "results", "quick"}: the folder with numpy's tests, the one with pytest, the
file's name in the first, names in that file (none for all), a file for the results and whether slow tests are left out.
A line of the results is {"id", "outcome", "reason"} of a test that has ended, or {"started": id}; so a trap leaves what
came before it, and when the job is started again those tests are left out.
"""

import importlib
import json
import os
import pathlib
import sys
import types

WORST = ["passed", "xfailed", "skipped", "failed", "error"]  # of setup, call and teardown the last one counts


class Missing:
    """What a module would hold that WASI cannot have: it can be named, as tests do on top, and not be used."""

    def __init__(self, name, why):
        self._told = f"{name}: {why}"

    def _fail(self, *args, **options):
        raise ImportError(self._told)

    __call__ = __mro_entries__ = __mul__ = __rmul__ = __rmod__ = _fail

    def __getattr__(self, name):
        raise AttributeError(name) if name.startswith("_") else ImportError(self._told)


def module_of(name, why):
    """A module whose names can be imported."""

    def member(attribute):
        if attribute.startswith("_"):  # what other code looks for in any module
            raise AttributeError(attribute)
        return Missing(f"{name}.{attribute}", why)

    module = types.ModuleType(name, why)
    module.__getattr__ = member
    return module


def prepare_wasi(root):
    """numpy's packages get their tests; the tests what they need to be imported at all."""
    import numpy.ctypeslib  # it and the next two look for ctypes, which they have to find missing
    import numpy._core._internal
    import numpy._core._dtype_ctypes
    import numpy.testing

    numpy.testing.IS_WASM = False  # with it numpy leaves out what does not work in another WASM build
    os.devnull = "/tmp/null"
    os.getuid = lambda: 0  # the owner of every file, as WASI tells it; pytest compares them
    for name, why in (
        ("ctypes", "there is no ctypes in the WASM file"),
        ("multiprocessing", "there are no processes in WebAssembly"),
        ("mmap", "no file can be mapped into the memory of WebAssembly"),
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = module_of(name, why)
    for folder in sorted(path for path in root.rglob("*/") if path.name == "tests" or (path / "__init__.py").exists()):
        package = importlib.import_module(".".join(folder.relative_to(root).parts))
        if str(folder) not in package.__path__:
            package.__path__.append(str(folder))


class Recorder:
    """A plugin of pytest that writes what each test came to."""

    def __init__(self, path):
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        self.done = {line["id"] for line in lines if "id" in line}
        self.file = open(path, "a")
        self.outcome, self.reason = "passed", ""

    def write(self, line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.nodeid not in self.done]

    def pytest_collectreport(self, report):
        if not report.passed and report.nodeid not in self.done:
            outcome = "skipped" if report.skipped else "error"
            self.write({"id": report.nodeid, "outcome": outcome, "reason": reason_of(report)})

    def pytest_runtest_logstart(self, nodeid):
        self.outcome, self.reason = "passed", ""
        self.write({"started": nodeid})

    def pytest_runtest_logreport(self, report):
        outcome = report.outcome
        if report.skipped and hasattr(report, "wasxfail"):
            outcome = "xfailed"
        elif report.failed and report.when != "call":
            outcome = "error"
        if WORST.index(outcome) > WORST.index(self.outcome):
            self.outcome, self.reason = outcome, reason_of(report)
        if report.when == "teardown":
            self.write({"id": report.nodeid, "outcome": self.outcome, "reason": self.reason})


def reason_of(report):
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else str(report.longrepr)).strip().splitlines()
    told = [line.strip() for line in lines if line.strip()]
    return " | ".join(told if crash else told[-1:])[:400]


def process(job):
    root = pathlib.Path(job["root"])
    sys.path.insert(0, job["site"])
    os.environ["NPY_AVAILABLE_MEM"] = "1 GB"  # the same tests are left out everywhere
    if sys.platform == "wasi":
        os.environ["USER"] = "nobody"  # there are no names of users
        os.environ["PY_IGNORE_IMPORTMISMATCH"] = "1"  # numpy itself lies elsewhere than its tests
        prepare_wasi(root)
    import pytest

    recorder = Recorder(pathlib.Path(job["results"]))
    settings = str(pathlib.Path(__file__).with_name("pytest.ini"))
    chosen = ["-m", "not slow"] if job["quick"] else []
    file = str(root / job["file"])
    targets = [f"{file}::{name}" for name in job["names"]] or [file]
    arguments = ["-q", "--tb=short", "--capture=sys", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    exit_code = pytest.main(
        [*arguments, *chosen, "-c", settings, "--rootdir", str(root), *targets],
        plugins=[recorder],
    )
    if exit_code not in (0, 1, 5):  # all passed, some failed, no tests are left
        raise RuntimeError(f"pytest ended with {exit_code}")


class Suite:
    def process(self, job):
        process(job)
        return job["file"]


if __name__ == "__main__":
    process(json.loads(sys.argv[1]))
