"""The same short conversation with the ordinary clients of other languages: a run, a stream of 100 chunks, a node's failure, a
cancelled call, a call without the token."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from serving import LIMIT, Server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/test/service-clients"
SAID = {"executed": 42, "streamed": [[i, 2 * i] for i in range(100)], "last": "closed", "failed": ["up", 1, "closed"], "cancelled": 1,
        "refused": 16}


class Clients(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        file = tempfile.NamedTemporaryFile("w", suffix=".tokens")
        self.addCleanup(file.close)
        file.write("secret\n")
        file.flush()
        self.server = Server("--token-file", file.name)
        self.addCleanup(self.server.stop)

    def converse(self, *command):
        done = subprocess.run([*map(str, command), "secret"], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), SAID)
        self.assertEqual(self.server.stop(), 0)

    def make(self, name):
        """A copy of a client's folder, in which it may be built."""
        folder = BUILD / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in (HERE / "clients" / name).iterdir():
            shutil.copy(file, folder)
        return folder

    @unittest.skipUnless(shutil.which("npm"), "npm is not installed")
    def test_grpc_js(self):
        folder = self.make("node")
        subprocess.run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=folder, check=True)
        self.converse("node", folder / "client.mjs", self.server.address, ROOT / "proto")

    @unittest.skipUnless(shutil.which("go"), "go is not installed")
    def test_grpc_go(self):
        folder = self.make("go")
        program, descriptors = folder / "client", folder / "descriptors.bin"
        subprocess.run(["go", "build", "-o", program, "."], cwd=folder, env={**os.environ, "GOTOOLCHAIN": "local"}, check=True)
        protos = [f"remotemedia/v1/{name}.proto" for name in ("common", "execution", "streaming")]
        subprocess.run(["protoc-c", f"-I{ROOT / 'proto'}", f"--descriptor_set_out={descriptors}", *protos], check=True)
        self.converse(program, self.server.address, descriptors)
