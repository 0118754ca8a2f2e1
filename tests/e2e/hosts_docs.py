"""docs/wasm.md in the hosts that only `make test-hosts` has: its commands are run, and print what is shown."""
import os
import re
import shutil
import subprocess
import unittest

from support import ROOT, ProgramTest, section
from wasm_products import FOLDER

from hosts_component import jco
from javascript_hosts import javascript_host
from ports import ensured

DOCUMENT = "docs/wasm.md"
# Title: the folder of the programs that its commands need besides.
PROGRAMS = {
    "Run it in Deno and Bun": lambda: [os.path.dirname(javascript_host(name)[0]) for name in ("deno", "bun")],
    "Run it in Go": lambda: [str(ensured("go") / "bin")],
    "Run it in wasmi": lambda: [str(ensured("wasmi") / "bin")],
    "The component": lambda: [str(ensured("wasmtime-cli") / "bin"), os.path.dirname(jco())],
}


class Documentation(ProgramTest):
    def check(self, title):
        self.check_text(section(DOCUMENT, title), PROGRAMS[title](), ROOT)

    def check_text(self, text, programs, folder):
        ((code, expected),) = re.findall(r"^```sh\n(.*?)^```\n```text\n(.*?)^```$", text, re.S | re.M)
        env = dict(os.environ, PATH=":".join([*programs, os.environ["PATH"]]), GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false")
        code = re.sub(r"(?:\.\./)*build/wasm/", f"{FOLDER}/", code)
        done = subprocess.run(["sh", "-ec", code], cwd=folder, env=env, capture_output=True, text=True, timeout=500, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, expected), done.stderr)

    def test_the_example_in_go(self):
        folder = self.folder / "go"
        shutil.copytree(ROOT / "examples/go", folder)
        shutil.copytree(ROOT / "examples/first", self.folder / "first")
        self.check_text((folder / "README.md").read_text(), PROGRAMS["Run it in Go"](), folder)


for name in PROGRAMS:
    setattr(Documentation, "test_" + name.lower().replace(" ", "_"), lambda self, title=name: self.check(title))


if __name__ == "__main__":
    unittest.main()
