"""The npm package in headless Chromium: served as it is installed, without a bundler."""
import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
import unittest

from support import ROOT, ProgramTest

from browser_port import browse
from npm_project import project

CHECKS = ROOT / "tests/e2e/npm_page_checks.mjs"
PAGE = """<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"remotemedia": "./node_modules/remotemedia/index.mjs"}}</script>
"""


def serve(test, folder):
    """The address of a folder, until the end of the test."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    test.addCleanup(lambda: (server.kill(), server.communicate()))
    return f"http://127.0.0.1:{re.search('port ([0-9]+)', server.stdout.readline()).group(1)}/"


class Shared(http.server.SimpleHTTPRequestHandler):
    """Files for pages of other origins too."""

    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_):
        pass


def share(test, folder):
    """The address of another origin with the same files."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Shared, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(lambda: (server.shutdown(), server.server_close()))
    return f"http://127.0.0.1:{server.server_port}/"


class InAPage(ProgramTest):
    def test_checks(self):
        folder = project()
        shutil.copy(CHECKS, folder / "checks.mjs")
        (folder / "index.html").write_text(PAGE)
        (lite,) = (folder / "node_modules/remotemedia/wasm").glob("lite-*")
        for name in ("lite.wasm", "lite.bin"):
            shutil.copy(lite, folder / name)
        (folder / "page.wasm").write_text(PAGE)
        (folder / "cut.wasm").write_bytes(lite.read_bytes()[:5000])
        expected = CHECKS.read_text().count("    async ") * 2 + 1
        missing = 2  # what Chromium says of the file that is not there
        lines = browse(self, [{"goto": serve(self, folder)}, {"module": "import './checks.mjs';", "lines": expected + missing + 1}])
        lines = [line for line in lines if not line.startswith("Failed to load resource")]
        self.assertEqual([line for line in lines[:-1] if not line.endswith(": ok")], [])
        self.assertEqual((len(lines), lines[-1]), (expected + 1, "end"))

    def test_a_file_of_another_origin_is_checked(self):
        folder = project()
        (folder / "index.html").write_text(PAGE)
        other = share(self, folder)
        (lite,) = (folder / "node_modules/remotemedia/wasm").glob("lite-*")
        code = f"""
            const {{ Pipeline }} = await import("{other}node_modules/remotemedia/index.mjs");
            const manifest = {{ version: "v1", metadata: {{ name: "t" }}, nodes: [{{ id: "p", node_type: "PassThrough" }}] }};
            await Pipeline.open(manifest, {{ worker: false }}).then(() => console.log("good"), (error) => console.log(error.code));
        """
        good = [{"goto": serve(self, folder)}, {"module": code, "lines": 1}]
        self.assertEqual(browse(self, good), ["good"])
        whole = lite.read_bytes()
        self.addCleanup(lite.write_bytes, whole)
        lite.write_bytes(whole + b"\0\2\1x")  # another section: still a module
        bad = [good[0], {"module": code, "lines": 3}]  # with what Chromium says of the file and of its hash
        lines = browse(self, bad)
        self.assertIn("download", lines)
        self.assertIn("integrity", " ".join(lines))


if __name__ == "__main__":
    unittest.main()
