"""docs/web.md and the package's README: their code is run, and prints what they show."""
import re
import subprocess
import unittest

from support import ROOT, ProgramTest, section

from npm_page import browse, serve
from npm_project import package, project
from test_docs import matches

GUIDE, README = "docs/web.md", "bindings/web/README.md"
PAGE, LIVE = section(GUIDE, "In a page"), section(GUIDE, "Live audio")


def shown(text):
    """(kind, code, what it prints or None) of all blocks."""
    return re.findall(r"^```(js|sh|html)\n(.*?)^```\n(?:```text\n(.*?)^```$)?", text, re.S | re.M)


def compare(test, expected, got):
    test.assertTrue(matches(expected.splitlines(), got.splitlines()), f"expected:\n{expected}got:\n{got}")


class InNode(ProgramTest):
    def test_code_prints_what_is_shown(self):
        everything = (ROOT / GUIDE).read_text().replace(PAGE, "").replace(LIVE, "") + (ROOT / README).read_text()
        blocks = shown(everything)
        self.assertGreater(len(blocks), 8)
        for kind, code, expected in blocks:
            with self.subTest(code=code[:300]):
                code = code.replace("build/npm/remotemedia-0.1.0.tgz", f"--offline --no-audit --no-fund --silent {package()}")
                (project() / "example.mjs").write_text(code)
                command = ["node", "example.mjs"] if kind == "js" else ["sh", "-ec", code]
                done = subprocess.run(command, cwd=project(), capture_output=True, text=True, timeout=120, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                compare(self, expected, done.stdout)

    def test_the_readme_is_a_screen(self):
        self.assertLess(len((ROOT / README).read_text().splitlines()), 50)


class InAPage(ProgramTest):
    def test_the_page(self):
        blocks = {kind: (code, expected) for kind, code, expected in shown(PAGE)}
        self.assertIn("http.server --bind 127.0.0.1", blocks["sh"][0])
        (project() / "index.html").write_text(blocks["html"][0])
        code, expected = blocks["js"]
        steps = [{"goto": serve(self, project())}, {"text": "#words", "until": "bytes: 5"}, {"module": code, "lines": 1}]
        words, level = browse(self, steps)
        self.assertEqual(words.splitlines(), ["one: 3", "program: 7", "the: 3", "same: 4", "bytes: 5"])
        compare(self, expected, level + "\n")

    def test_live_audio(self):
        ((kind, page, _),) = shown(LIVE)
        self.assertEqual(kind, "html")
        (project() / "level.html").write_text(page)
        steps = [{"goto": serve(self, project()) + "level.html"}, {"click": "#start"}, {"text": "#level", "until": "dBFS"},
                 {"click": "#stop"}, {"text": "#state", "until": " lost"}]
        level, state = [line for line in browse(self, steps) if "frames lost" not in line]  # a warning where the machine is busy
        self.assertRegex(level, r"^-\d+(\.\d+)? dBFS$")
        self.assertRegex(state, r"^\d+ frames, \d+ lost$")


if __name__ == "__main__":
    unittest.main()
