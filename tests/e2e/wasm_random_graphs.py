"""Some random graphs in Node, against the model of the random test. tests/e2e/random_graphs --port runs more of them, and
in the other hosts."""

import os
import subprocess
import sys
import unittest

from support import PROGRAM, ROOT
from wasm_products import path_of

COUNT = int(os.environ.get("RM_RANDOM_GRAPHS", "40"))
SEED = int(os.environ.get("RM_RANDOM_SEED", "5000000"))


class RandomGraphs(unittest.TestCase):
    def test_in_node(self):
        command = [sys.executable, "-B", str(ROOT / "tests/e2e/random_graphs"), "--port", "node"]
        command += ["--count", str(COUNT), "--seed", str(SEED), "--program", str(PROGRAM)]
        command += ["--file", str(path_of("pipeline_executor_wasm"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"seed {SEED}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    unittest.main()
