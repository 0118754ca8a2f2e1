"""Live audio in headless Chromium with a fake microphone: through shared memory and through messages. `bench/web/live` measures it."""
import json
import shutil
import subprocess
import unittest

from support import ROOT, ProgramTest

from npm_project import project
from ports import dependency

CHECKS = ROOT / "tests/e2e/npm_live_checks.mjs"
SECONDS = 3


def node(script, *words):
    command = ["node", str(script), str(project()), str(dependency("playwright-core")), *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=200, check=True).stdout


class Microphone(unittest.TestCase):
    def measured(self, how):
        result = json.loads(node(ROOT / "bench/web/live.mjs", SECONDS, how))
        stats = result["stats"]
        self.assertGreater(stats["frames"], 0)
        self.assertEqual(result["frames"], stats["frames"] - stats["lost"])  # each frame came out, or is counted as lost
        self.assertEqual(result["seen"], -(-result["frames"] // 960))
        self.assertEqual(sum(loss["frames"] for loss in result["losses"]), stats["lost"] + stats["missed"])
        return result

    def test_shared_memory(self):
        result = self.measured("shared")
        self.assertEqual((result["isolated"], result["shared"]), (True, True))

    def test_messages(self):
        result = self.measured("messages")
        self.assertEqual((result["isolated"], result["shared"]), (False, False))


class Checks(ProgramTest):
    def test_checks(self):
        shutil.copy(CHECKS, project() / "live_checks.mjs")
        lines = node(CHECKS, "drive").splitlines()
        expected = CHECKS.read_text().count("    async ") * 2
        self.assertEqual([line for line in lines if not line.endswith(": ok")], [])
        self.assertEqual(len(lines), expected)


if __name__ == "__main__":
    unittest.main()
