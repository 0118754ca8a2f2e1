"""rm.Sandbox without the wheel remotemedia-sandbox, or with another version of it. sandbox_*.py have the tests with it."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import remotemedia as rm
from manifests import code, multiply, row

TELL = "pip install remotemedia-sandbox==0.1.0"


class Missing(unittest.TestCase):
    def test_it_says_what_to_install(self):
        with self.assertRaises(ImportError) as raised:
            rm.Sandbox(memory="256 MiB")
        self.assertEqual(raised.exception.name, "remotemedia_sandbox")
        self.assertIn(TELL, str(raised.exception))

    def test_nodes_that_need_one(self):
        with self.assertRaises(rm.ManifestError) as raised:
            rm.Pipeline.from_dict(row(multiply(), code("def process(x): return x", execution={"placement": "sandbox"})))
        error = raised.exception
        self.assertEqual((error.code, error.node, error.pointer), ("missing_feature", "b", "/nodes/1/execution/placement"))
        self.assertIn("remotemedia.Sandbox()", error.hint)

    def command(self, text, *words, path=None):
        env = dict(os.environ, PYTHONPATH=path) if path else None
        return subprocess.run([sys.executable, "-m", "remotemedia", "run", *words, "-"], input=text, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, env=env)

    def test_the_command_line(self):
        done = self.command("{}", "--sandbox")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(TELL, done.stderr)
        node = '{"id": "a", "node_type": "Multiply", "execution": {"placement": "sandbox"}}'
        done = self.command('{"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [%s]}' % node)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(TELL, done.stderr)

    def test_another_version(self):
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder, "remotemedia_sandbox")
            package.mkdir()
            (package / "__init__.py").write_text('__version__ = "9.9"\n')
            done = subprocess.run([sys.executable, "-c", "import remotemedia as rm\nrm.Sandbox()"], stderr=subprocess.PIPE, text=True,
                                  env=dict(os.environ, PYTHONPATH=folder))
            self.assertIn("ImportError", done.stderr)
            self.assertIn(f"remotemedia-sandbox 9.9 does not fit remotemedia 0.1.0: {TELL}", done.stderr)
            self.assertIn("9.9 does not fit", self.command("{}", "--sandbox", path=folder).stderr)


if __name__ == "__main__":
    unittest.main()
