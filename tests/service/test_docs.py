"""What docs/service.md shows: the server's line, and the client with its output."""
import contextlib
import io
import pathlib
import re
import unittest

from server import Server

TEXT = (pathlib.Path(__file__).resolve().parent.parent.parent / "docs/service.md").read_text()


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
