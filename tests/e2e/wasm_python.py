"""CPython inside the WASM file beside the native one: its library, and how it was built."""

import fnmatch
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

from support import PROGRAM, ROOT, environment, manifest, node, section
from wasm_products import path_of

LIBRARY = PROGRAM.parent.parent / "lib/python3.13"
ABSENT = section("docs/wasm.md", "Names that are not there")
SECTION = section("docs/wasm.md", "Python inside: what works, what cannot")
IMPORT = """import importlib
def process(item):
    try:
        importlib.import_module(item)
        return [item, None]
    except BaseException as error:
        return [item, str(error)]
"""
# Classes and functions of a module, [name, null] when it cannot be imported.
NAMES = """import importlib
def process(item):
    try:
        module = importlib.import_module(item)
    except BaseException:
        return [item, None]
    return [item, [name for name, value in vars(module).items() if name[0] != "_" and callable(value)]]
"""
# Programs and games, which do something when they are imported, and what only tests Python.
NOT_TRIED = {"antigravity", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "this", "turtledemo"}


def library_modules():
    """Every module of the native standard library that is written in Python."""
    for folder, inside, files in os.walk(LIBRARY):
        inside[:] = [
            name for name in inside if name not in NOT_TRIED and (pathlib.Path(folder) / name / "__init__.py").exists()
        ]
        for file in files:
            name = str((pathlib.Path(folder) / file).relative_to(LIBRARY)).removesuffix(".py").replace(os.sep, ".")
            if file.endswith(".py") and file != "__main__.py" and name not in NOT_TRIED | {"__init__"}:
                if not name.startswith("_sysconfigdata"):
                    yield name.removesuffix(".__init__")


def documented():
    """The names in the first column of the table; NAME.* stands for modules of a package."""
    return {name for row in re.findall(r"^\| (`.*?) \|", SECTION, re.M) for name in re.findall(r"`([\w.*]+)`", row)}


def compiled_modules():
    """Those of the native Python that are written in C and meant for use, and those that lie beside them."""
    command = [str(PROGRAM.parent / "python3.13"), "-c", "import sys; print(*sys.stdlib_module_names)"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return {name for name in names if name[0] != "_"} - NOT_TRIED


def absent_names():
    """{module: patterns}, of the table."""
    found = {}
    for modules, names in re.findall(r"^\| (`.*?) \| (`.*?) \|", ABSENT, re.M):
        for module in re.findall(r"`([\w.]+)`", modules):
            found.setdefault(module, []).extend(re.findall(r"`([\w*]+)`", names))
    return found


class Python(unittest.TestCase):
    def run_both(self, code, items, variables=None):
        """`variables` are the native program's."""
        document = {"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": items}
        wasm = ["node", str(ROOT / "wasm/run.mjs"), str(path_of("pipeline_executor_wasm")), "--"]
        for command in ([str(PROGRAM)], wasm):
            yield subprocess.run(
                command, input=json.dumps(document).encode(), capture_output=True, env=environment(variables), timeout=300, check=True
            )

    def test_modules_of_the_library_are_inside_or_documented(self):
        names = sorted({*library_modules(), *compiled_modules()})
        self.assertGreater(len(names), 400)
        native, wasm = (dict(json.loads(done.stdout)["outputs"]["p"]) for done in self.run_both(IMPORT, names))
        missing = {name: wasm[name] for name in names if native[name] is None and wasm[name] is not None}
        listed = documented()
        for name, message in missing.items():
            parents = {name.rsplit(".", n)[0] for n in range(name.count(".") + 1)}
            parents |= {parent + ".*" for parent in parents}
            self.assertTrue(parents & listed, f"{name} cannot be imported and is not in docs/wasm.md: {message}")
        for name in listed & set(names):
            self.assertIsNotNone(wasm[name], f"docs/wasm.md says that {name} cannot be imported")

    def test_names_that_are_not_there_are_documented(self):
        listed, missed, there = absent_names(), set(), {}
        names = sorted(compiled_modules() - {"posix"})
        native, wasm = (dict(json.loads(done.stdout)["outputs"]["p"]) for done in self.run_both(NAMES, names))
        for module in names:
            if native[module] and wasm[module]:
                there[module] = wasm[module]
                for name in set(native[module]) - set(wasm[module]):
                    patterns = [pattern for pattern in listed.get(module, ()) if fnmatch.fnmatchcase(name, pattern)]
                    self.assertTrue(patterns, f"{module}.{name} is not in the WASM file, and not in docs/wasm.md")
                    missed |= set(patterns)
        for module, patterns in listed.items():
            for pattern in patterns:
                self.assertIn(pattern, missed, f"docs/wasm.md: nothing is missing that {pattern} names")
                self.assertEqual(fnmatch.filter(there[module], pattern), [], f"docs/wasm.md: {module}.{pattern} is there")

    def in_node(self, code, item, *flags):
        """The result of one item in a host that maps nothing but what `flags` say."""
        document = {"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": [item]}
        command = ["node", str(ROOT / "wasm/run.mjs"), str(path_of("pipeline_executor_wasm")), *flags, "--"]
        done = subprocess.run(command, input=json.dumps(document).encode(), capture_output=True, env=environment(), timeout=300)
        return json.loads(done.stdout)

    def test_temporary_files_need_a_folder(self):
        code = "import os, tempfile\ndef process(item):\n    with tempfile.TemporaryFile() as file:\n        file.write(b'abc')\n"
        code += "    return [tempfile.gettempdir(), os.listdir(tempfile.gettempdir())]\n"
        for call in ("TemporaryFile", "NamedTemporaryFile", "mkdtemp"):
            told = self.in_node(code.replace("TemporaryFile", call), 0)["error"]["message"]
            self.assertIn("No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/']: map a folder", told)
            self.assertIn("as /tmp (in a sandbox: --allow-write), or name a mapped one in the variable TMPDIR", told)
        with tempfile.TemporaryDirectory() as folder:
            for guest, more in (("/tmp", ()), ("/scratch", ("--env", "TMPDIR=/scratch"))):
                result = self.in_node(code, 0, "--dir", f"{guest}={folder}", *more)
                self.assertEqual(result["outputs"]["p"], [[guest, []]])

    def test_zones_of_a_mapped_folder(self):
        code = "import datetime, time, zoneinfo\ndef process(item):\n    zone = zoneinfo.ZoneInfo(item)\n"
        code += "    return [datetime.datetime(2024, 7, 1, tzinfo=zone).isoformat(), time.tzname, time.localtime(0).tm_hour]\n"
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "Mine").mkdir()
            part = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbB", 10800, 0, 0) + b"ABC\0"
            pathlib.Path(folder, "Mine/Zone").write_bytes(part + part + b"\nABC-3\n")
            for variables, zone, hour in (((), "UTC", 0), (("--env", "TZ=Mine/Zone"), "ABC", 3)):
                result = self.in_node(code, "Mine/Zone", "--dir", f"/usr/share/zoneinfo={folder}", *variables)
                self.assertEqual(result["outputs"]["p"], [["2024-07-01T00:00:00+03:00", [zone, zone], hour]])

    def test_every_zone_inside_is_that_of_tzdata(self):
        command = [sys.executable, str(ROOT / "deps/deps.py"), "--target", "wasm", "path", "tzdata"]
        zones = pathlib.Path(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip(), "tzdata/zoneinfo")
        names = sorted((zones.parent / "zones").read_text().split())
        code = "import datetime, zoneinfo\ndef process(name):\n    zone = zoneinfo.ZoneInfo(name)\n"
        code += "    times = (datetime.datetime.fromtimestamp(t * 15000000, zone) for t in range(-200, 350))\n"
        code += "    return [name, name in zoneinfo.available_timezones(), [[str(t.utcoffset()), t.tzname(), bool(t.dst())] for t in times]]\n"
        native, wasm = (done.stdout for done in self.run_both(code, names, {"PYTHONTZPATH": str(zones)}))
        self.assertGreater(len(names), 500)
        self.assertEqual(native, wasm)
        self.assertTrue(all(there for _, there, _ in json.loads(wasm)["outputs"]["p"]))

    def test_python_has_its_own_allocator(self):
        code = "import sys\ndef process(item):\n    sys._debugmallocstats()\n"
        for done in self.run_both(code, [0]):
            self.assertIn(b"arenas allocated total", done.stderr)


if __name__ == "__main__":
    unittest.main()
