"""Random graphs against a model of the documented order (tests/support/graphs): results, failures, ends, in every mode
that an application or the command line has. What fails is shrunk; tests/e2e/random_graphs runs more of them.

RM_RANDOM_GRAPHS graphs (from RM_RANDOM_SEED on), or as many as RM_RANDOM_SECONDS allow.
"""

import os
import time
import unittest

from support import BUILD, PROGRAM, SLOWNESS
from graphs.check import check_graphs

SECONDS = float(os.environ.get("RM_RANDOM_SECONDS", "60"))
GRAPHS = int(os.environ.get("RM_RANDOM_GRAPHS", "1000000"))
SEED = int(os.environ.get("RM_RANDOM_SEED", str(int(time.time() * 1000))))
JOBS = int(os.environ.get("RM_RANDOM_JOBS", "2"))


class RandomGraphs(unittest.TestCase):
    def test_random_graphs(self):
        driver = BUILD / "tests" / "graph_driver"
        self.assertTrue(driver.is_file(), f"there is no {driver}: build it")
        options = {"program": str(PROGRAM), "driver": str(driver), "limit": 10 * SLOWNESS, "slowness": SLOWNESS}
        failures = []
        print(f"random graphs from seed {SEED} on", flush=True)
        seconds = None if "RM_RANDOM_GRAPHS" in os.environ else SECONDS
        run, found = check_graphs(SEED, GRAPHS, options, JOBS, seconds, 3, failures.append)
        print(f"{run} random graphs", flush=True)
        self.assertFalse(found, "\n".join(["", *failures]))
        self.assertGreater(run, 0)


if __name__ == "__main__":
    unittest.main()
