"""Runs in sandboxes that are ended: by a limit, a signal, in the middle of what they write, or while their code is compiled. And the
library as other programs load it."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys

import hostile
from hostile import emit, process
from sandboxes import LONG, SandboxTest, interrupt, processes_of
from support import BUILD, SLOWNESS, manifest, node
from wasm_products import path_of

# A WASI command that writes a part of a document, and then does something else.
COMMAND = r"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\14\00\00\00")
  (data (i32.const 16) "{\22status\22:\22success\22,")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) %s))"""
LOOP = "(loop $again (br $again))"
MUCH = 5000  # functions, which take seconds to compile
COMPILED_ONCE = "is compiled once, before it runs for the first time: give that run more time"


def number(value):
    """LEB128, in five bytes."""
    return bytes([value >> 7 * i & 0x7F | (0x80 if i < 4 else 0) for i in range(5)])


def section(kind, content):
    return bytes([kind]) + number(len(content)) + content


def large(functions):
    """A command whose functions, which nobody calls, take long to compile: about a millisecond each."""
    steps = b"".join(b"\x41" + number(8 * i) + b"\x41" + number(8 * i) + b"\x28\2\0\x41\0\x28\2\0\x41" + number(i) + b"\x6c\x6a\x36\2\0"
                     for i in range(400))
    bodies = number(2) + b"\0\x0b" + (number(len(steps) + 2) + b"\0" + steps + b"\x0b") * functions
    return (b"\0asm\1\0\0\0" + section(1, b"\1\x60\0\0") + section(3, number(1 + functions) + bytes(1 + functions)) + section(5, b"\1\0\1")
            + section(7, b"\2\6memory\2\0\6_start\0\0") + section(10, number(1 + functions) + bodies))


class EndsTest(SandboxTest):
    def command(self, text, *args, **more):
        self.write("m.json", {"manifest": manifest([]), "input_data": []})
        self.write("c.wasm", text if isinstance(text, bytes) else bytes(hostile.wasmtime.wat2wasm(text)))
        return self.run_program("run", "--sandbox", "--wasm", "c.wasm", "m.json", *args, limit=LONG,
                                env={"REMOTEMEDIA_CACHE_DIR": str(self.folder / "cache"), **more})

    def one_error(self, run, exit, code):
        """Standard output is one error document and nothing else."""
        self.assertEqual(run.stdout.count("\n"), 1, run.stdout[:500])
        document = json.loads(run.stdout)
        self.assertEqual((run.exit, document["status"], document["error"]["code"]), (exit, "error", code), run.stderr)
        return document["error"]


class Documents(EndsTest):
    def test_a_document_that_is_not_whole_is_not_shown(self):
        for body, args, exit, code in ((LOOP, ["--timeout", "100ms"], 5, "timeout"), (LOOP, ["--fuel", "10000"], 1, "limit"),
                                       ("(unreachable)", [], 1, "value"), ("(call $exit (i32.const 0)) (unreachable)", [], 0, None),
                                       ("", ["--max-output", "10"], 1, "limit")):
            with self.subTest(body=body, args=args):
                run = self.command(COMMAND % body, *args)
                if code is not None:
                    self.one_error(run, exit, code)
                else:  # it has ended by itself: what it wrote is its own
                    self.assertEqual((run.exit, run.stdout), (0, '{"status":"success",'))

    def test_lines_are_shown_as_they_come(self):
        run = self.command(COMMAND % LOOP, "--timeout", "100ms", "--format", "jsonl")
        self.assertEqual((run.exit, run.stdout), (5, '{"status":"success",'))

    def test_a_document_larger_than_the_limit(self):
        for size in (1, 100000, 3000000):
            run = self.inside("whole", "def process(n):\n    return 'x' * n", [10, size], ["--max-output", "64K"])
            if size == 1:
                self.assertEqual(run.document["outputs"]["p"], ["x" * 10, "x"])
            else:
                self.one_error(run, 1, "limit")

    def test_an_interrupted_run(self):
        code = "import sys\ndef process(x):\n    print('ready', file=sys.stderr, flush=True)\n    while True: pass"
        process = self.started("whole", code)
        self.assertIn(b"ready", process.stderr.readline())
        interrupt(process)
        exit, out, err = self.finished(process)
        self.assertEqual((exit, json.loads(out)["error"]["code"], out.count("\n")), (130, "cancelled", 1), err)

    def test_a_reader_that_goes_away(self):
        process = self.started("whole", "def process(n):\n    return 'x' * n", [1 << 20])
        process.stdout.close()
        err = process.stderr.read().decode()
        exit = process.wait(LONG * SLOWNESS)
        self.assertEqual((exit, err.count("error: ")), (4, 1), err)


class Compiling(EndsTest):
    def test_its_time_is_limited(self):
        run = self.command(large(MUCH), "--max-compile", "1ms")
        error = self.one_error(run, 1, "limit")
        self.assertEqual((error["message"], error["hint"]), ("c.wasm was not compiled within 1 ms of processor time",
                                                             "a smaller module, or more time: --max-compile, rm_sandbox_config.compiling_ms"))

    def test_the_run_is_not_longer_than_its_timeout(self):
        run = self.command(large(MUCH), "--timeout", "10ms")
        error = self.one_error(run, 5, "timeout")
        self.assertEqual(error["message"], "the run did not end within its timeout of 10 ms")
        self.assertIn(error.get("hint"), (f"c.wasm {COMPILED_ONCE}", None))  # None: it was not compiling yet

    def test_nor_is_one_with_a_node(self):
        self.write("n.wasm", large(MUCH))
        self.write("m.json", {"manifest": manifest([node("n", "wasm:n.wasm")]), "input_data": [1]})
        for command in ("run", "validate"):
            run = self.run_program(command, "m.json", "--timeout", "10ms", env={"REMOTEMEDIA_CACHE_DIR": str(self.folder / "cache")})
            error = self.one_error(run, 5, "timeout")
            self.assertIn(error.get("hint"), (f"./n.wasm {COMPILED_ONCE}", None))  # None: it was not compiling yet

    def test_ctrl_c(self):
        """The compiler ends as well."""
        self.write("c.wasm", large(MUCH))
        self.env["REMOTEMEDIA_CACHE_DIR"] = str(self.folder / "cache")
        process = self.started("whole", [], [], ["--wasm", "c.wasm", "--log-level", "info"], start_new_session=True)
        self.assertEqual(process.stderr.readline(), b"info: compiling c.wasm\n")
        os.killpg(process.pid, signal.SIGINT)
        exit, out, err = self.finished(process)
        self.assertEqual((exit, json.loads(out)["error"]["code"], out.count("\n")), (130, "cancelled", 1), err)
        self.assertEqual(processes_of(process.pid), [])
        self.assertEqual(self.compilers(process.pid), [])
        self.assertEqual([name for name in os.listdir(self.folder / "cache") if name.endswith(".cwasm")], [])

    @staticmethod
    def compilers(parent):
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        words = file.read().split(b"\0")
                except OSError:
                    continue
                if words[0].endswith(b"remotemedia-compile") and words[1] == str(parent).encode():
                    found.append(int(name))
        return found

    def test_without_the_program_that_compiles(self):
        folder = self.folder / "program"
        (folder / "bin").mkdir(parents=True)
        (folder / "lib").mkdir()
        for name in ("libremotemedia_wasmtime.so", "libwasmtime.so.48", "python3.13"):
            if (BUILD / "lib" / name).exists():
                (folder / "lib" / name).symlink_to(BUILD / "lib" / name)
        program = folder / "bin/remotemedia"
        shutil.copy(BUILD / "bin/remotemedia", program)
        self.write("m.json", {"manifest": manifest([]), "input_data": []})
        self.write("c.wasm", bytes(hostile.wasmtime.wat2wasm(COMMAND % "")))
        run = self.run_program("run", "--sandbox", "--wasm", "c.wasm", "m.json", program=program,
                               env={"REMOTEMEDIA_CACHE_DIR": str(self.folder / "cache")})
        error = self.one_error(run, 3, "missing_feature")
        self.assertRegex(error["message"], r"^a sandbox needs .*/lib/remotemedia-compile, which compiles modules; it is not there$")


class Emitting(EndsTest):
    def test_values_take_no_more_memory_than_their_limit(self):
        """A null takes a byte as it crosses, and sixteen here."""
        nulls = b"\x08" + (60000).to_bytes(4, "little") + bytes(60000)
        self.write("n.wasm", process(emit(nulls)))
        self.write("m.json", {"manifest": manifest([node("n", "wasm:n.wasm")]), "input_data": [1, 2, 3]})
        env = {"REMOTEMEDIA_CACHE_DIR": str(self.folder / "cache")}
        run = self.run_program("run", "m.json", "--max-output", "900000", env=env)
        self.assert_error(run, 1, {"code": "limit", "node": "n", "item": 0,
                                   "message": "its sandbox emitted values that take more memory than its limit of 900000 bytes"}, {"n": []})
        run = self.run_program("run", "m.json", "--max-output", "1M", env=env)
        self.assertEqual((run.exit, run.document["outputs"]["n"]), (0, [[None] * 60000]), run.stderr)


class Loaded(EndsTest):
    """By a program that shows its symbols to nobody, as Python loads modules."""

    ENGINE = BUILD / "lib/libremotemedia_wasmtime.so"

    def script(self, text, *args):
        env = {**os.environ, "REMOTEMEDIA_CACHE_DIR": str(self.folder / "cache")}
        done = subprocess.run([sys.executable, "-c", text, *map(str, args)], capture_output=True, text=True, cwd=self.folder,
                              env=env, timeout=LONG * SLOWNESS)
        self.assertEqual((done.returncode, done.stdout), (0, "fine\n"), done.stderr)

    def test_the_engine_needs_nobody(self):
        self.script("import ctypes, os, sys\nctypes.CDLL(sys.argv[1], os.RTLD_NOW | os.RTLD_LOCAL).rmi_engine_entry_v1\nprint('fine')", self.ENGINE)

    def test_a_library_that_was_loaded_locally_and_a_module_that_is_replaced(self):
        """Two pipelines of one runtime: each has the module as it is then."""
        self.write("n.wasm", hostile.module())
        self.write("other.wasm", b"\0asm\1\0\0\0" + bytes(len(hostile.module()) - 8))
        self.write("m.json", manifest([node("n", "wasm:n.wasm")]))
        self.script("""import ctypes, os, shutil, sys
library = ctypes.CDLL(sys.argv[1], os.RTLD_NOW | os.RTLD_LOCAL)
P, byref = ctypes.c_void_p, ctypes.byref
sandbox, runtime, manifest = P(), P(), P()
assert library.rm_sandbox_new(None, byref(sandbox), None) == 0
assert library.rm_runtime_new(None, byref(runtime), None) == 0
assert library.rm_sandbox_attach(sandbox, runtime, None, None, None) == 0
def load():
    code = library.rm_manifest_load(runtime, b'm.json', byref(manifest), None)
    code = code or library.rm_manifest_validate(manifest, None)
    library.rm_manifest_free(manifest)
    return code
assert load() == 0, load()
assert load() == 0
whole = open('n.wasm', 'rb').read()
with open('n.wasm', 'wb') as file: file.write(open('other.wasm', 'rb').read())
assert load() != 0
with open('n.wasm', 'wb') as file: file.write(whole)
assert load() == 0
library.rm_runtime_free(runtime)
library.rm_sandbox_free(sandbox)
print('fine')""", BUILD / "lib/libremotemedia.so")
