"""docs/python.md: each block in a language is run, and gives what it shows."""
import doctest
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GUIDE = ROOT / "docs/python.md"


class Guide(unittest.TestCase):
    def test_python(self):
        self.check_python("```pycon")

    def check_python(self, kinds):
        blocks = re.findall(rf"^(?:{kinds})\n(.*?)^```$", GUIDE.read_text(), re.S | re.M)
        self.assertGreater(len(blocks), 5)
        test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "docs/python.md", str(GUIDE), 0)
        told = []
        failed, ran = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
        self.assertEqual((failed, ran > 20), (0, True), "".join(told))

    @unittest.skipUnless(importlib.util.find_spec("pip"), "this Python has no pip")
    def test_commands(self):
        self.check_commands("```console wheel")

    def check_commands(self, kind):
        env = dict(os.environ, PATH=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
        for block in re.findall(rf"^{kind}\n(.*?)^```$", GUIDE.read_text(), re.S | re.M):
            for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                done = subprocess.run(command, shell=True, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual(done.returncode, 0, done.stdout)
                if expected != "...\n":
                    self.assertEqual(done.stdout, expected)

    def test_no_other_blocks(self):
        kinds = set(re.findall(r"^```(\S.*)$", GUIDE.read_text(), re.M))
        self.assertEqual(kinds, {"pycon", "console wheel", "pycon sandbox", "console wheel sandbox"})


if __name__ == "__main__":
    unittest.main()
