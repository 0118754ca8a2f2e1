"""docs/python.md with the wheel remotemedia-sandbox: all blocks, also those of the section about it."""
import importlib.util
import unittest

import test_docs


class Guide(unittest.TestCase):
    check_python, check_commands = test_docs.Guide.check_python, test_docs.Guide.check_commands

    def test_python(self):
        self.check_python("```pycon|```pycon sandbox")

    @unittest.skipUnless(importlib.util.find_spec("pip"), "this Python has no pip")
    def test_commands(self):
        self.check_commands("```console wheel sandbox")


if __name__ == "__main__":
    unittest.main()
