"""The npm package in headless Chromium: served as it is installed, without a bundler."""
import json
import re
import shutil
import subprocess
import sys
import unittest

from support import ROOT, ProgramTest

from browser_port import HOST
from npm_project import project
from ports import dependency

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


def browse(test, steps):
    """What the page logs and shows."""
    command = ["node", str(HOST.parent / "page.mjs"), str(dependency("playwright-core"))]
    done = subprocess.run(command, input=json.dumps(steps), capture_output=True, text=True, timeout=200, check=False)
    test.assertEqual(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


class Page(ProgramTest):
    def test_checks(self):
        folder = project()
        shutil.copy(CHECKS, folder / "checks.mjs")
        (folder / "index.html").write_text(PAGE)
        (lite,) = (folder / "node_modules/remotemedia/wasm").glob("lite-*")
        for name in ("lite.wasm", "lite.bin"):
            shutil.copy(lite, folder / name)
        expected = CHECKS.read_text().count("    async ") * 2 + 1
        missing = 2  # what Chromium says of the file that is not there
        lines = browse(self, [{"goto": serve(self, folder)}, {"module": "import './checks.mjs';", "lines": expected + missing + 1}])
        lines = [line for line in lines if not line.startswith("Failed to load resource")]
        self.assertEqual([line for line in lines[:-1] if not line.endswith(": ok")], [])
        self.assertEqual((len(lines), lines[-1]), (expected + 1, "end"))


if __name__ == "__main__":
    unittest.main()
