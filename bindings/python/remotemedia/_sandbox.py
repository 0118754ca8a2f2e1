"""Pipelines of other people, inside WebAssembly."""
import datetime
import json
import os
import re
from collections.abc import Mapping

from . import _runtime

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def installed() -> tuple[str, str, str]:
    """(engine, folder of the WASM files, remedy): where the package remotemedia-sandbox has them, and how it is had."""
    from importlib.util import find_spec

    version = _runtime.version()["version"]
    found = find_spec("remotemedia_sandbox")
    folder = os.path.dirname(found.origin) if found is not None and found.origin else None
    remedy = f"pip install remotemedia-sandbox=={version}"
    if folder is not None:
        import remotemedia_sandbox  # type: ignore[import-not-found]

        if remotemedia_sandbox.__version__ == version:
            return os.path.join(folder, "lib", "libremotemedia_wasmtime.so"), os.path.join(folder, "wasm"), remedy
        remedy = f"remotemedia-sandbox {remotemedia_sandbox.__version__} does not fit remotemedia {version}: {remedy}"
    missing = os.path.join(os.path.dirname(os.path.dirname(__file__)), "remotemedia_sandbox", "missing")
    return missing, missing, remedy


class Sandbox(_runtime.Sandbox):
    """Where code that you do not trust may run: an instance of WebAssembly for each node, and what it may use.

    memory: of each instance, in bytes or as a text such as "256 MiB"; None: 4 GiB, all that it can address.
    timeout: seconds that a node may spend in its calls in one run, or a command from its start; None: no limit.
    fuel: instructions, about so many, as a number or a text such as "500M"; the same program with the same input stops at
        the same place, and random numbers and clocks are the same in each run. None: no limit.
    output: bytes that a node may emit, or a command write to its output. log: bytes a second on standard error; more are
        dropped. None: no limit.
    read, write: folders that code inside may read, or read and write: a path, several, or {path: path inside}.
    env: names of variables that it sees, or {name: value}.
    path: folders for imports, as code inside sees them; `read` must grant them too.
    seed: of `random` inside.
    cache: folder for compiled code; None: ~/.cache/remotemedia/compiled. loading, compiling: seconds in which code must be
        loaded, and of processor time in which a WASM file must be compiled, once.
    instances: instances that live at once in memory that is reserved once, and start faster; 0: each reserves its own.

    Sizes: KiB, MiB, GiB, or K, M, G, are powers of 1024; kB, MB, GB powers of 1000. Seconds may be a timedelta.
    Raises ImportError where the package remotemedia-sandbox is not installed. Any thread may use it.
    """

    def __init__(self, *, memory=None, timeout=None, fuel=None, output="1 GiB", log="1 MiB", read=(), write=(), env=(), path=(),
                 seed=None, cache=None, loading=60, compiling=300, instances=0):
        engine, modules, remedy = installed()
        if not os.path.exists(engine):
            raise ImportError(f"a sandbox needs the package remotemedia-sandbox: {remedy}", name="remotemedia_sandbox")
        limits = (_size("memory", memory), _milliseconds("timeout", timeout), _count("fuel", fuel), _size("output", output),
                  _size("log", log), _whole("instances", instances), _milliseconds("loading", loading),
                  _milliseconds("compiling", compiling))
        grants = (*_grants("read", read, False), *_grants("write", write, True))
        cache = b"" if cache is None else os.path.abspath(os.fsencode(cache))
        self._open(os.fsencode(engine), os.fsencode(modules), os.fsencode(remedy), cache, limits, grants, _environment(env),
                   tuple(os.fsencode(each) for each in _several("path", path)), seed)

    def pipeline(self, what, *, arrays=None):
        """Makes a pipeline all of whose nodes run in this sandbox, each in an instance of its own.

        what: a manifest as a dict, as JSON, or in a file (a pathlib.Path), or a Graph whose nodes have names.
        `Pipeline.from_dict(..., sandbox=box)` and its like put only those nodes there that the manifest says.
        The first pipeline compiles a WASM file, which takes 10 to 60 seconds; the code is kept. Raises ManifestError.
        """
        from ._pipeline import Pipeline

        more = {}
        if isinstance(what, os.PathLike):
            more = {"_file": os.fsencode(what)}
            try:
                with open(what, "rb") as opened:
                    what = opened.read()
            except OSError:
                return Pipeline.from_file(what, arrays=arrays, sandbox=self)  # says what is wrong
        if isinstance(what, (str, bytes)):
            try:
                parsed = json.loads(what)
            except ValueError:
                parsed = None
            if not isinstance(parsed, dict):
                return Pipeline.from_json(what, arrays=arrays, sandbox=self)  # says what is wrong
            what = parsed
        elif callable(getattr(what, "to_dict", None)):
            what = what.to_dict()
        elif not isinstance(what, dict):
            raise TypeError(f"a manifest is a dict, JSON, a pathlib.Path or a Graph, not {what!r}")
        return Pipeline.from_dict(_placed(what), arrays=arrays, sandbox=self, **more)

    def command(self, *words, input=b"", stdout=None, stderr=None, wasm=None):
        """Runs the command line inside: `command("run", "-", input=manifest)`. Returns a subprocess.CompletedProcess.

        words: the command and its options, as after `remotemedia`; it sees only files that the sandbox grants.
        input: bytes or a text for standard input, or a file that is open. stdout, stderr: files that are open for writing;
        None: the result has the bytes. wasm: the file of another WASI command.
        Raises Error where a limit ended it, Timeout, or Cancelled.
        """
        import subprocess
        import tempfile

        from ._errors import Error, ManifestError

        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            if isinstance(input, (str, bytes, bytearray, memoryview)):
                given.write(input.encode() if isinstance(input, str) else input)
                given.seek(0)
                input = given
            try:
                code = self._command(tuple(os.fsencode(word) for word in words), b"" if wasm is None else os.fsencode(wasm),
                                     input.fileno(), (stdout or output).fileno(), (stderr or errors).fileno())
            except ManifestError as error:  # it is the sandbox's limit, not a manifest's
                raise Error(*error.args, error.document) from None
            output.seek(0), errors.seek(0)
            return subprocess.CompletedProcess(words, code, None if stdout else output.read(), None if stderr else errors.read())

    def __repr__(self):
        return f"<{type(self).__module__.partition('.')[0]}.{type(self).__name__}>"


def _placed(document):
    """The manifest with every node in the sandbox."""
    if isinstance(document.get("manifest"), dict):
        return {**document, "manifest": _placed(document["manifest"])}
    if not isinstance(document.get("nodes"), list):
        return document

    def placed(node):
        execution = node.get("execution", {}) if isinstance(node, dict) else None
        return {**node, "execution": {**execution, "placement": "sandbox"}} if isinstance(execution, dict) else node

    return {**document, "nodes": [placed(node) for node in document["nodes"]]}


# ---- Values of the parameters

def _size(name, value):
    if value is None:
        return 0
    number = value
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([kKmMgGtT])(i?B)?|B)?\s*", value)
        if found is None:
            raise ValueError(f"{name} must be a number of bytes or a text such as '256 MiB', not {value!r}")
        base = 1000 if found[3] == "B" else 1024
        number = int(float(found[1]) * base ** _POWERS[(found[2] or "").lower()])
    return _whole(name, number, 1)


def _count(name, value):
    if isinstance(value, str) and not re.fullmatch(r"\s*\d+(\.\d+)?\s*[kKmMgGtT]?\s*", value):
        raise ValueError(f"{name} must be a number or a text such as '500M', not {value!r}")
    return _size(name, value)


def _whole(name, value, least=0):
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    most = 2 ** 63 if least else 2 ** 16
    if not least <= value < most:
        raise ValueError(f"{name} must be from {least} to {most - 1}, not {value}")
    return value


def _milliseconds(name, value):
    if value is None:
        return 0
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else value
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise TypeError(f"{name} must be seconds or a timedelta, not {type(value).__name__}")
    if not 0 < seconds < 1e9:
        raise ValueError(f"{name} must be more than 0 seconds and less than 10**9, not {value}")
    return max(1, int(seconds * 1000))


def _several(name, value):
    if isinstance(value, (str, bytes, os.PathLike)):
        return [value]
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{name} must be a path, or several, not {type(value).__name__}") from None


def _grants(name, value, write):
    pairs = value.items() if isinstance(value, Mapping) else [(each, each) for each in _several(name, value)]
    for path, inside in pairs:
        if not os.path.isdir(path):
            raise NotADirectoryError(f"{name} grants folders, and {os.fsdecode(path)!r} is none")
        yield os.fsencode(path), os.fsencode(inside), write


def _environment(value):
    if not isinstance(value, Mapping):
        value = {name: os.environ[name] for name in ([value] if isinstance(value, str) else value) if name in os.environ}
    for name in value:
        if not isinstance(name, str) or not name or "=" in name:
            raise ValueError(f"env: {name!r} is no name of a variable")
    return tuple(os.fsencode(f"{name}={text}") for name, text in value.items())
