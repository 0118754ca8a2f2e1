"""Takes the samples of bench/web/run, in the manner of bench/wasm/samples.py and with its tools; and the rows of its table."""

import json
import os
import pathlib
import shutil
import subprocess

import samples
from rows import Row, key, less
from samples import ROOT, Talk, output

HERE = pathlib.Path(__file__).resolve().parent
PAGE = ("index", "common", "worker_web")  # the JavaScript that a page loads
FIRSTS = ("first_python", "first_progress", "bare_python", "first_lite", "bare_lite")
RATES = ("int_rate", "array_copied", "array_transferred")
BROTLI = """import fs from 'node:fs'; import zlib from 'node:zlib';
const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 };
console.log(process.argv.slice(1).reduce((sum, file) => sum + zlib.brotliCompressSync(fs.readFileSync(file), { params }).length, 0));"""


class Bench(samples.Bench):
    peers = ("pyodide", "playwright")

    def __init__(self, name, build, wasm, say):
        super().__init__(name, build, wasm, say)
        self.wasm, self.project = wasm, self.data / "project"
        self.needed = [self.snapshot, self.lite]

    def prepare(self):
        """The package in an empty project, as a user installs it."""
        super().prepare()
        packed = output([ROOT / "tools/npm-package", "--wasm", self.wasm, "--out", self.data / "npm"]).strip()
        shutil.rmtree(self.project, ignore_errors=True)
        self.project.mkdir()
        (self.project / "package.json").write_text('{"name": "empty", "private": true, "type": "module"}\n')
        subprocess.run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", packed], cwd=self.project, check=True)
        for file in ("node.mjs", "work.mjs"):
            shutil.copy(HERE / file, self.project)

    def sizes(self):
        folder = self.project / "node_modules/remotemedia"
        for name, files in (("page", PAGE), ("node", ("node",))):
            text = output(["node", "--input-type=module", "-e", BROTLI, *(folder / f"{file}.mjs" for file in files)])
            self.add(f"brotli {name}", int(text) / 1024)
        if self.pyodide:
            self.add("raw pyodide", sum(path.stat().st_size for path in self.pyodide.glob("pyodide*.mjs")) / 1024)

    def package_command(self, what):
        return ["node", self.project / "node.mjs", what]

    def starts(self):
        commands = {
            "node": (["node", "-e", "0"], None),
            "package": (self.package_command("start"), None),
            "bare": (self.node_command(self.snapshot), self.data / "start-python.json"),
        }
        if self.pyodide:
            commands["pyodide"] = (self.pyodide_command(self.data / "plus.py"), self.data / "items.txt")
        self.start(commands)

    def rates(self):
        for name in RATES:
            self.add(f"{name} node", float(output(self.package_command(name))))

    def pages(self, rounds):
        if not self.playwright:
            return
        command = ["node", HERE / "chromium.mjs", self.project, self.playwright, self.pyodide or HERE]
        chromium = Talk(command, os.environ | {"RM_WASM": str(self.wasm)})
        firsts = [*FIRSTS, *(["pyodide"] if self.pyodide else [])]
        for name in firsts:
            chromium.ask(name)  # puts the files into the cache
        for _ in range(rounds):
            for name in firsts:
                self.add(f"page {name}", chromium.ask(name)["milliseconds"])
            for name in RATES:
                self.add(f"{name} chromium", 1000 * chromium.ask(name)["milliseconds"])
        chromium.close()


def rows_of():
    yield "Size: brotli -q 11"
    yield Row("JavaScript that a page loads, with its Worker", "KiB", key("brotli page"), 12, pyodide=key("raw pyodide"), why="size")
    yield Row("JavaScript that Node loads, not minified", "KiB", key("brotli node"))
    yield "Node: `import`, `Pipeline.open`, the first result of a Python node, a whole process beyond `node -e 0`"
    yield Row("the package", "ms", less("start package wall", "start node wall"), pyodide=less("start pyodide wall", "start node wall"))
    yield Row("the bare file", "ms", less("start bare wall", "start node wall"))
    yield Row("the package beyond the bare file", "ms", less("start package wall", "start bare wall"), 10, why="start")
    yield Row("the same, CPU time", "ms", less("start package cpu", "start bare cpu"))
    yield "Chromium, files in its HTTP cache: from navigation to the first result"
    yield Row("a Python node, the package in its Worker", "ms", key("page first_python"), pyodide=key("page pyodide"))
    yield Row("the same, with onProgress", "ms", key("page first_progress"))
    yield Row("the bare file, in the page", "ms", key("page bare_python"))
    yield Row("the package beyond the bare file", "ms", less("page first_python", "page bare_python"), 25, why="first")
    yield Row("a native node (lite), the package in its Worker", "ms", key("page first_lite"), 40, why="lite")
    yield Row("the bare file, in the page", "ms", key("page bare_lite"))
    yield "A Worker's pipeline, PassThrough: one item, from runs of many less runs of few"
    for host, name in (("chromium", "Chromium"), ("node", "Node")):
        yield Row(f"an int through stream, {name}", "us", key(f"int_rate {host}"), 0.5, why="int")
        yield Row(f"1 MiB Float32Array in and out, transferred, {name}", "us", key(f"array_transferred {host}"), 60, why="array")
        yield Row(f"1 MiB Float32Array in and out, copied, {name}", "us", key(f"array_copied {host}"))


REASONS = {
    "size": "half of it is the WASI host and the encoding of values, of which the Worker has one and the page the other",
    "start": "the package reads, checks and compiles the same bytes; what is beyond is its own JavaScript and its own WASI host",
    "first": "a page and a Worker start, where the bare file has a page only",
    "lite": "most of it is Chromium's own: the page, the Worker and the compilation of the file",
    "int": "most of it are the promises and results of `for await`, and their garbage, in the page",
    "array": "the bytes are copied twice, into the instance and out of it, and two threads wake each other",
}
