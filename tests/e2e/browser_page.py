"""The files of the WASM build in headless Chromium: what docs/wasm.md says, word by word, and runs that go wrong."""

import json
import re
import subprocess
import unittest

from support import ROOT, ProgramTest, manifest, node, section
from wasm_products import path_of

from browser_port import PLACES, Host, browse

WASM = path_of("pipeline_executor_wasm")
EXAMPLE = section("docs/wasm.md", "Run it in a page")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", EXAMPLE, re.S | re.M)


class Documentation(ProgramTest):
    """The lines of the section are executed; only the folder, the file and the port are the test's own."""

    browser = "chromium"

    def serve(self):
        """The address of the folder that the shell lines make and serve."""
        page = self.folder / "page"
        (lines,) = blocks("sh")
        for theirs, ours in (
            ("build/wasm/pipeline_executor_wasm.wasm", WASM),
            ("build/page", page),
            (" 8000", " 0"),
            ("python3 -m", "exec python3 -u -m"),
        ):
            self.assertIn(theirs, lines)
            lines = lines.replace(theirs, str(ours))
        server = subprocess.Popen(["sh", "-ec", lines], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, server)
        server.stdin = server.stderr = None
        started = server.stdout.readline().decode()
        self.assertIn("Serving HTTP on 127.0.0.1", started)
        return f"http://127.0.0.1:{re.search('port ([0-9]+)', started).group(1)}/"

    def test_modules_log_what_is_shown(self):
        address, codes, expected = self.serve(), blocks("js"), blocks("text")
        self.assertEqual(len(codes), len(expected))
        self.assertGreater(len(codes), 0)
        logged = browse(self, [{"goto": address}, *({"module": code, "lines": 1} for code in codes)], self.browser)
        for got, want in zip(logged, expected):
            pattern = re.escape(want.strip()).replace(re.escape("..."), "(?s:.*)")
            self.assertRegex(got, f"^{pattern}$")

    def test_the_page_runs_its_manifest(self):
        address = self.serve()
        shown = browse(
            self,
            [
                {"goto": address},
                {"click": "#run"},
                {"text": "#state", "until": "exit code"},
                {"text": "#result", "until": "status"},
            ],
            self.browser,
        )
        self.assertEqual(shown[0], "exit code 0")
        outputs = json.loads(shown[1])["outputs"]
        self.assertEqual([item["word"] for item in outputs["count"]], ["one", "program", "the", "same", "bytes"])


class Trouble(ProgramTest):
    """A run that hangs or traps leaves nothing behind: the same job gives the same answer before and after."""

    browser = "chromium"

    def job(self, code, **more):
        document = {"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": [1]}
        stdin = self.write(f"{len(list(self.folder.iterdir()))}.json", document)
        folder = str(self.folder / "case")
        return {"id": "", "args": [], "env": {}, "files": [], "folder": folder, "stdin": str(stdin), "limit": 60, **more}

    def check(self, bad, says, **more):
        good = self.job("import os, sys\ndef process(x):\n    open('mark', 'x').close()\n    return os.listdir('.')")
        for place in PLACES:
            with self.subTest(place=place):
                host = Host(place, WASM, self.browser)
                self.addCleanup(host.close)
                before = host.run(good)
                self.assertEqual(before["exit"], 0, before)
                self.assertIn(says, host.run(self.job(bad, **more)).get("trouble", "no trouble"))
                after = host.run(good)
                for answer in (before, after):
                    del answer["milliseconds"]
                self.assertEqual(before, after)

    def test_a_loop_that_does_not_end(self):
        code = "import builtins\nbuiltins.left = 1\ndef process(x):\n    open('left', 'w').close()\n    while True: pass"
        self.check(code, "did not end within", limit=3)

    def test_a_trap(self):
        self.check("import os\ndef process(x):\n    open('left', 'w').close()\n    os.abort()", "RuntimeError")


if __name__ == "__main__":
    unittest.main()
