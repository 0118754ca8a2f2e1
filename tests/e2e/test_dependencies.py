"""deps/deps.py, with package clients that answer as the test wants."""
import os
import subprocess
import sys
import unittest

from support import ROOT, ProgramTest


class Outdated(ProgramTest):
    def outdated(self, client, *names):
        (self.folder / "npm").write_text(f"#!/bin/sh\n{client}\n")
        (self.folder / "npm").chmod(0o755)
        environment = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}", RM_CACHE_DIR=str(self.folder))
        return subprocess.run([sys.executable, "-B", ROOT / "deps/deps.py", "outdated", *names], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    def test_what_is_behind(self):
        done = self.outdated("echo 999.10.2", "binaryen", "esbuild")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        first, _, last = done.stdout.splitlines()
        self.assertRegex(first, r"^binaryen\t[\d.]+\t999\.10\.2\tnpm$")
        self.assertEqual(last, "2 of 2 behind, 0 not looked up")

    def test_what_is_current(self):
        done = self.outdated("echo 0.0.9", "binaryen")
        self.assertEqual((done.returncode, done.stdout), (0, "0 of 1 behind, 0 not looked up\n"))

    def test_the_major_version_of_a_name_stays(self):
        done = self.outdated("echo \"$2 '20.1.0'\"; echo \"$2 '20.999.0'\"", "node-20")
        self.assertRegex(done.stdout, r"^node-20\t20[\d.]+\t20\.999\.0\tnpm\n")

    def test_a_client_that_fails(self):
        done = self.outdated("echo no network >&2; exit 1", "binaryen")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^binaryen\t[\d.]+\t\?\tbinaryen: npm failed: no network\n0 of 1 behind, 1 not looked up\n$")


if __name__ == "__main__":
    unittest.main()
