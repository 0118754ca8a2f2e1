"""`remotemedia vendor`, with wheels that the tests make."""

import json
import os
import signal
import socket
import subprocess
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

from wheels import only_from, write_wheel

PYTHON = PROGRAM.parent / "python3.13"
NATIVE = "cp313-cp313-linux_x86_64"


@unittest.skipUnless(PYTHON.is_file(), "this build has no Python")
class Vendor(ProgramTest):
    def setUp(self):
        super().setUp()
        self.wheels = self.folder / "wheels"
        self.wheels.mkdir()
        self.wheel("one", "1.0", {"one/__init__.py": "import two\nvalue = two.value + 1\n", "one/old.py": ""}, ["two"])
        self.wheel("two", "1.5", {"two.py": "value = 41\n"})

    def wheel(self, *words, **more):
        return write_wheel(self.wheels, *words, **more)

    def vendor(self, *words, env=None):
        return self.run_program("vendor", *words, env={**only_from(self.wheels), **(env or {})})

    def refused(self, *words, exit, code, says, env=None):
        done = self.vendor(*words, env=env)
        self.assertEqual((done.exit, done.document["status"]), (exit, "error"), done.stderr)
        error = done.document["error"]
        self.assertEqual(error["code"], code)
        self.assertIn(says, error["message"])
        self.assertIn(f"error: {error['message']}\n", done.stderr)
        return error

    def there(self, folder="packages"):
        return sorted(path.name for path in (self.folder / folder).iterdir() if path.name != "__pycache__")

    def test_packages_and_what_they_need(self):
        done = self.vendor("one", "--into", "packages")
        self.assertEqual((done.exit, done.stdout, done.stderr), (0, "one 1.0\ntwo 1.5\n", ""))
        self.assertEqual(self.there(), ["one", "one-1.0.dist-info", "two-1.5.dist-info", "two.py"])
        document = {"manifest": manifest([node("n", "Python", {"code": "import one\ndef process(x):\n    return one.value"})]),
                    "input_data": [0]}
        done = self.run_program("run", "-", "--path", "packages", stdin=document)
        self.assertEqual(done.document["outputs"], {"n": [42]})

    def test_requirement_files_and_wheels(self):
        self.write("wanted.txt", "two==1.5  # a comment\n")
        wheel = self.wheel("three", "0.1", {"three.py": ""})
        done = self.vendor(wheel, "--requirement", "wanted.txt", "--into", "a/b")
        self.assertEqual((done.exit, done.stdout), (0, "three 0.1\ntwo 1.5\n"), done.stderr)
        self.assertIn("three.py", self.there("a/b"))

    def test_another_version_takes_the_place_of_the_former(self):
        self.vendor("one", "two", "--into", "packages")
        (self.folder / "packages/mine.py").touch()
        self.wheel("one", "2.0", {"one/__init__.py": "", "one/new.py": ""})
        self.assertEqual(self.vendor("one", "--into", "packages").stdout, "one 2.0\n")
        self.assertEqual(self.there(), ["mine.py", "one", "one-2.0.dist-info", "two-1.5.dist-info", "two.py"])
        self.assertEqual(self.there("packages/one"), ["__init__.py", "new.py"])

    def test_packages_that_share_a_folder(self):
        for name in "ab":
            self.wheel(f"shared-{name}".replace("-", "_"), "1.0", {f"shared/{name}.py": ""})
            self.vendor(f"shared-{name}", "--into", "packages")
        self.assertEqual(self.there("packages/shared"), ["a.py", "b.py"])

    def test_native_code_is_refused_by_name(self):
        self.wheel("fast", "1.0", {"fast.so": ""}, tag=NATIVE)
        self.wheel("user", "1.0", {"user.py": ""}, ["Fast>=1", "two"])
        self.refused("two", "fast", "--into", "packages", exit=3, code="missing_feature", says="native code, which is in fast;")
        self.refused("two", "user", "--into", "packages", exit=3, code="missing_feature", says="is in fast (needed by user);")
        self.assertFalse((self.folder / "packages").exists())

    def test_native_code_in_a_wheel_that_claims_to_have_none(self):
        self.wheel("odd", "1.0", {"odd/inner.so": ""})
        self.refused("odd", "--into", "packages", exit=3, code="missing_feature", says="native code: odd/inner.so")
        self.assertFalse((self.folder / "packages").exists())

    def test_a_wheel_in_pure_python_beside_native_ones(self):
        self.wheel("both", "1.0", {"both.py": "", "both.so": ""}, tag=NATIVE)
        self.wheel("both", "1.0", {"both.py": ""})
        self.assertEqual(self.vendor("both", "--into", "packages").stdout, "both 1.0\n")
        self.assertEqual(self.there(), ["both-1.0.dist-info", "both.py"])

    def test_what_does_not_exist(self):
        self.refused("absent", "--into", "packages", exit=2, code="not_found", says="pip finds no wheel for absent")
        self.refused("one==3.0", "--into", "packages", exit=2, code="not_found", says="pip finds no wheel for one==3.0")
        self.refused("one=>1", "--into", "packages", exit=2, code="usage", says="Invalid requirement: 'one=>1'")
        self.refused("--requirement", "absent.txt", "--into", "packages", exit=4, code="not_found",
                     says="cannot use absent.txt: No such file or directory")

    def test_no_code_of_a_package_runs(self):
        """Building from a source tree or archive would run it."""
        self.write("tree/pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = 'build'\nbackend-path = ['.']\n")
        self.write("tree/build.py", f"open({str(self.folder / 'ran')!r}, 'w')\n")
        self.write("line.txt", "./tree\n")
        self.write("nested.txt", "two==1.5\n-r line.txt\n")
        self.write("editable.txt", "-e ./tree  # a comment\n")
        for words in (["./tree"], ["tree-1.0.tar.gz"], ["tree @ file:///x/tree-1.0.tar.gz"], ["git+https://example.org/tree"],
                      ["two", "./tree"], *(["--requirement", name] for name in ("line.txt", "nested.txt", "editable.txt"))):
            with self.subTest(words=words):
                self.refused(*words, "--into", "packages", exit=2, code="usage", says="tree")
        self.assertFalse((self.folder / "ran").exists())

    def test_what_is_in_the_way(self):
        for name in ("one", "two.py"):
            with self.subTest(name=name):
                into = self.folder / f"to-{name}"
                into.mkdir()
                (into / "one").symlink_to(self.folder) if name == "one" else (into / "two.py").mkdir()
                self.refused("one", "--into", into.name, exit=4, code="io", says="is in the way")
                self.assertEqual(self.there(into.name), [name])

    def test_folders_that_cannot_be_used(self):
        self.write("file", "")
        self.refused("two", "--into", "file", exit=4, code="io", says="cannot use file: Not a directory")
        self.refused("two", "--into", "file/below", exit=4, code="io", says="Not a directory")

    def test_no_network(self):
        with socket.socket() as taken:  # bound and not listening: a connection is refused
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            env = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": address, "PIP_RETRIES": "1"}
            error = self.refused("absent", "--into", "packages", exit=4, code="io", env=env, says="cannot reach the package index")
        self.assertIn("Connection refused", error["message"])
        self.assertIn("PIP_FIND_LINKS", error["hint"])

    def test_no_pip(self):
        code = "import sys; sys.modules['pip'] = None; from remotemedia import _vendor; sys.exit(_vendor.main(sys.argv[1:]))"
        done = subprocess.run([PYTHON, "-I", "-c", code, "--into", "packages", "--", "two"], cwd=self.folder, capture_output=True,
                              env=environment(), timeout=60 * SLOWNESS, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(json.loads(done.stdout)["error"]["message"], "the bundled Python has no pip")
        self.assertIn(b"-m ensurepip", done.stderr)

    def test_options_of_pip_are_no_packages(self):
        self.refused("--into", "packages", "--", "--pre", exit=2, code="usage", says="not '--pre'")

    def test_a_command_line_that_is_wrong(self):
        for words, says in ((("--into", "x"), "needs a package"), (("two",), "needs --into DIR"),
                            (("two", "--int", "x"), "did you mean '--into'?")):
            done = self.vendor(*words)
            self.assertEqual((done.exit, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)

    def test_an_interrupt(self):
        """pip waits for an index that accepts and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            env = environment({**only_from(self.wheels), "PIP_NO_INDEX": "0",
                               "PIP_INDEX_URL": f"http://127.0.0.1:{server.getsockname()[1]}/"})
            process = subprocess.Popen([PROGRAM, "vendor", "absent", "--into", "packages"], cwd=self.folder, env=env,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(self.end, process)
            server.settimeout(60 * SLOWNESS)
            connection, _ = server.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                out, _ = process.communicate(timeout=60 * SLOWNESS)
        self.assertEqual((process.returncode, json.loads(out)["error"]["code"]), (130, "cancelled"))

    def test_a_reader_that_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([PROGRAM, "vendor", "two", "--into", "packages"], cwd=self.folder, stdout=writer,
                              env=environment(only_from(self.wheels)), stderr=subprocess.PIPE, timeout=60 * SLOWNESS, check=False)
        os.close(writer)
        self.assertEqual(done.returncode, 4)
        self.assertNotIn(b"Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
