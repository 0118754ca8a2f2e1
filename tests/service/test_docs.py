"""What docs/service.md shows: the server's line, and the client with its output. What docs/remote.md shows."""
import contextlib
import io
import os
import pathlib
import re
import subprocess
import unittest

from server import LIMIT, Server

DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
TEXT = (DOCS / "service.md").read_text()


def block(kind):
    (found,) = re.findall(rf"^```{kind} service\n(.*?)^```$", TEXT, re.S | re.M)
    return found


class Docs(unittest.TestCase):
    def test_the_client_prints_what_is_shown(self):
        command, said = block("console").splitlines()
        options = command.removeprefix("$ remotemedia serve --grpc 127.0.0.1:50051").split()
        server = Server(*options)
        self.addCleanup(server.stop)
        self.assertEqual(said.replace("127.0.0.1:50051", server.address), '{"status":"serving","grpc":"%s"}' % server.address)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block("python").replace("127.0.0.1:50051", server.address), "service.md", "exec"), {})
        self.assertEqual(printed.getvalue(), block("text"))
        self.assertEqual(server.stop(), 0)

    def test_runs_on_other_servers_print_what_is_shown(self):
        server = Server("--trust-code")
        self.addCleanup(server.stop)
        variables = {**os.environ, "PATH": f"{pathlib.Path(os.environ['RM_PROGRAM']).parent}:{os.environ['PATH']}"}
        shown = re.findall(r"^```console remote\n(.*?)^```$", (DOCS / "remote.md").read_text(), re.S | re.M)
        self.assertEqual(len(shown), 3)
        for block_of in shown:
            lines = block_of.replace("127.0.0.1:50051", server.address).splitlines()
            command = [line[2:] for line in lines if line.startswith(("$ ", "> "))]
            said = subprocess.run("\n".join(command), shell=True, env=variables, capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(said.stdout.strip(), next(line for line in lines if line.startswith("{")), said.stderr)
