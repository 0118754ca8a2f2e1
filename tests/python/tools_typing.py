"""What type checkers say of the package, of the examples, and of code that uses the package."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
USES = HERE / "typing_uses.py"
EXAMPLES = sorted((ROOT / "examples").glob("*/*.py"))
PACKAGE = pathlib.Path(sysconfig.get_path("purelib"), "remotemedia")
# The modules that users import, and so the types that they see; without __main__ and what begins with "_".
PUBLIC = ["remotemedia", "remotemedia.core.node", "remotemedia.nodes", "remotemedia.nodes.arithmetic", "remotemedia.nodes.basic",
          "remotemedia.nodes.text", "remotemedia_runtime", "remotemedia.__main__"]


class Types(unittest.TestCase):
    def said(self, *command, cwd=HERE):
        """Runs a checker, which must find nothing."""
        done = subprocess.run(list(map(str, command)), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=dict(os.environ, MYPY_CACHE_DIR=str(ROOT / "build/test/mypy")))
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])
        return done.stdout

    def test_mypy_strict_on_uses_and_examples(self):
        for file in (USES, *EXAMPLES):  # one by one: examples have modules of the same name
            with self.subTest(file=file.name):
                self.said(sys.executable, "-m", "mypy", "--strict", file)

    def test_mypy_strict_on_what_users_import(self):
        self.said(sys.executable, "-m", "mypy", "--strict", *(word for name in PUBLIC for word in ("-m", name)))

    def test_mypy_on_the_whole_package(self):
        self.said(sys.executable, "-m", "mypy", "-p", "remotemedia", "-p", "remotemedia_runtime")

    def pyright(self, files, **settings):
        """Checks these files with the settings of a project."""
        config = ROOT / "build/test/pyright.json"
        config.write_text(json.dumps({"include": [os.path.relpath(file, config.parent) for file in files], "pythonVersion": "3.13",
                                      "pythonPlatform": "Linux", "enableTypeIgnoreComments": False,
                                      "reportUnnecessaryTypeIgnoreComment": "error", **settings}))
        said = self.said("node", pathlib.Path(os.environ["RM_TEST_PYRIGHT"], "index.js"), "--pythonpath", sys.executable,
                         "--project", config, "--outputjson")
        self.assertEqual(json.loads(said)["summary"]["filesAnalyzed"], len(files))

    def test_pyright_strict_on_uses_and_examples(self):
        self.pyright([USES, *EXAMPLES], typeCheckingMode="strict", reportUnusedExpression=False)  # a >> b

    def test_pyright_on_the_stubs(self):
        self.pyright([PACKAGE / name for name in ("__init__.pyi", "nodes/__init__.pyi", "core/node.py")], typeCheckingMode="standard")

    def test_stubs_say_what_is_there(self):
        self.said(sys.executable, "-m", "mypy.stubtest", "remotemedia", "--allowlist", HERE / "stubtest.txt", cwd=PACKAGE.parent)

    def test_stubs_of_the_nodes(self):
        self.said(sys.executable, ROOT / "tools/node-stubs", "--check")

    def test_packages_are_marked_as_typed(self):
        for name in ("remotemedia", "remotemedia_runtime"):
            self.assertTrue(pathlib.Path(importlib.util.find_spec(name).origin).with_name("py.typed").is_file())


if __name__ == "__main__":
    unittest.main()
