"""What the HTTP section of docs/service.md shows: each command, with what it prints."""
import json
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs/service.md").read_text()


def commands():
    """[(command, what it prints)] of all blocks."""
    found = []
    for block in re.findall(r"^```console http\n(.*?)^```$", TEXT, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


class Docs(unittest.TestCase):
    def test_commands_print_what_is_shown(self):
        (serve, said), *others = commands()
        serve = serve.replace("remotemedia", os.environ["RM_PROGRAM"], 1).replace("127.0.0.1:8080", "127.0.0.1:0")
        self.assertGreater(len(others), 5)
        with subprocess.Popen(["sh", "-c", "exec " + serve], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            self.addCleanup(server.kill)
            line = server.stdout.readline()
            address = json.loads(line)["http"]
            self.assertEqual(line.replace(address, "127.0.0.1:8080"), said)
            for command, printed in others:
                with self.subTest(command):
                    done = subprocess.run(["bash", "-c", command.replace("127.0.0.1:8080", address)], capture_output=True, text=True)
                    pattern = ".*".join(re.escape(part) for part in printed.split("..."))
                    self.assertRegex(done.stdout, re.compile(rf"\A{pattern}\Z", re.S))
            server.terminate()
            self.assertEqual(server.wait(), 0)
