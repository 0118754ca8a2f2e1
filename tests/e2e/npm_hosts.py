"""The npm package in other hosts than the Node of this machine: the checks of npm_package.py, and the command line."""
import json
import unittest

from support import ProgramTest

from javascript_hosts import javascript_host
from npm_package import Places, node
from npm_project import project

HOSTS = ("node-24", "node-26", "deno", "bun")


def tests_of(name, place):
    class Checks(Places, unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.host, cls.place = javascript_host(name), place
            super().setUpClass()

    Checks.__name__ = Checks.__qualname__ = f"{name.title().replace('-', '')}{place.title()}"
    return Checks


for name in HOSTS:
    for place in ("thread", "worker"):
        checks = tests_of(name, place)
        globals()[checks.__name__] = checks
del checks


class CommandLine(ProgramTest):
    def test_a_manifest(self):
        manifest = {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": "p", "node_type": "PassThrough"}], "connections": []}
        (project() / "pass.json").write_text(json.dumps(manifest))
        for name in HOSTS:
            with self.subTest(host=name):
                words = ["node_modules/remotemedia/cli.mjs", "run", "pass.json", "--input", "-"]
                done = node(*words, host=javascript_host(name), input="[1, 2.5]")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["outputs"], {"p": [1, 2.5]})


if __name__ == "__main__":
    unittest.main()
