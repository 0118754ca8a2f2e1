"""The snapshot of the command: as the plain file, but for what belongs to one process."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from wasm_products import ROOT, path_of

sys.path.insert(0, str(ROOT / "tools"))
import wasm_file  # noqa: E402

PRODUCTS = ["pipeline_executor_lite", "pipeline_executor_wasm", "pipeline_executor_wasm_snapshot"]
PRODUCTS += ["remotemedia_reactor_lite", "remotemedia_reactor_wasm", "remotemedia_reactor_wasm_snapshot"]
PRODUCTS += ["pipeline_executor_numpy", "pipeline_executor_numpy_snapshot", "remotemedia_reactor_numpy_snapshot"]
SNAPSHOT, PLAIN = "pipeline_executor_wasm_snapshot", "pipeline_executor_wasm"
NUMPY_SNAPSHOT, NUMPY = "pipeline_executor_numpy_snapshot", "pipeline_executor_numpy"


def run(product, *args, code=None, node=(), stdin=None):
    """stdout of a run of one Python node over [0], or of the arguments."""
    if code is not None:
        nodes = [{"id": "p", "node_type": "Python", "params": {"code": code}}]
        manifest = {"version": "v1", "metadata": {"name": "t"}, "nodes": nodes, "connections": []}
        stdin = json.dumps({"manifest": manifest, "input_data": [0]})
    command = ["node", str(ROOT / "wasm/run.mjs"), str(path_of(product)), *node, "--", *args]
    with tempfile.TemporaryFile("w+") as file:
        file.write(stdin or "")
        file.seek(0)
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-1000:]}\n{done.stderr[-1000:]}")
    return done.stdout


def result(product, code, *args, node=()):
    return json.loads(run(product, *args, code=code, node=node))["outputs"]["p"][0]


class Same(unittest.TestCase):
    def test_output(self):
        code = "import sys, os, json\ndef process(x):\n    return [sys.argv, sys.path, sys.flags.optimize, hash('a'),"
        code += " os.getcwd(), sorted(os.environ), repr(sys.stderr), sys.stdin.read(), sys.stdout is sys.stderr]"
        self.assertEqual(run(SNAPSHOT, code=code), run(PLAIN, code=code))

    def test_a_module_that_is_not_in_the_image(self):
        code = "import zipfile, csv, io\ndef process(x):\n    return zipfile.__name__ + csv.__name__"
        self.assertEqual(run(SNAPSHOT, code=code), run(PLAIN, code=code))

    def test_a_seed(self):
        code = "import random\ndef process(x):\n    return random.random()"
        seeded = [run(product, "run", "-", "--seed", "7", code=code) for product in (SNAPSHOT, SNAPSHOT, PLAIN)]
        self.assertEqual(len(set(seeded)), 1)


class Fresh(unittest.TestCase):
    def test_environment(self):
        code = "import os, posix\ndef process(x):\n    return [os.environ.get('TZ'), os.getenv('A'), posix.environ.get(b'A')"
        code += " == b'1', os.environ.get('HOME')]"
        self.assertEqual(result(SNAPSHOT, code, node=["--env", "A=1", "--env", "TZ=UTC"]), ["UTC", "1", True, None])

    def test_time_zone(self):
        code = "import datetime, time\ndef process(x):\n    moment = datetime.datetime.fromtimestamp(1720000000).astimezone()"
        code += "\n    return [time.tzname, time.timezone, time.localtime(1720000000).tm_hour, moment.isoformat()]"
        for node in ([], ["--env", "TZ=CET-1CEST,M3.5.0,M10.5.0/3"]):
            self.assertEqual(run(SNAPSHOT, code=code, node=node), run(PLAIN, code=code, node=node))
        self.assertEqual(result(SNAPSHOT, code, node=node), [["CET", "CEST"], -3600, 11, "2024-07-03T11:46:40+02:00"])

    def test_arguments(self):
        self.assertEqual(run(SNAPSHOT, "version"), run(PLAIN, "version"))

    def test_directories(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "mine.py").write_text("ANSWER = 42\n")
            code = "import mine, os\ndef process(x):\n    return [mine.ANSWER, os.listdir('/app')]"
            self.assertEqual(result(SNAPSHOT, code, node=["--dir", f"/app={folder}"])[0], 42)

    def test_random_numbers_and_temporary_names(self):
        code = "import random, tempfile, uuid\ndef process(x):\n    return [random.random(),"
        code += " next(tempfile._get_candidate_names()), str(uuid.uuid4())]"
        first, second = result(SNAPSHOT, code), result(SNAPSHOT, code)
        for a, b in zip(first, second):
            self.assertNotEqual(a, b)

    def test_clocks(self):
        code = "import time\ndef process(x):\n    return [0 <= time.process_time() < 3600, time.time() > 1.7e9]"
        self.assertEqual(result(SNAPSHOT, code), [True, True])


class WithNumpy(unittest.TestCase):
    def test_output(self):
        code = "import numpy as np\ndef process(x):\n    a = np.arange(8, dtype='f4').reshape(2, 4)\n"
        code += "    return [a @ a.T, np.__version__, str(np.linalg.inv(np.eye(2)))]"
        self.assertEqual(run(NUMPY_SNAPSHOT, code=code), run(NUMPY, code=code))

    def test_numpy_is_imported_in_the_image_only(self):
        code = "import sys\ndef process(x):\n    return [n in sys.modules for n in ('numpy', 'numpy.random')]"
        self.assertEqual(result(NUMPY_SNAPSHOT, code), [True, True])
        self.assertEqual(result(NUMPY, code), [False, False])

    def test_random_numbers(self):
        code = "import numpy as np\ndef process(x):\n    return [np.random.random(), np.random.default_rng().random()]"
        first, second = result(NUMPY_SNAPSHOT, code), result(NUMPY_SNAPSHOT, code)
        for a, b in zip(first, second):
            self.assertNotEqual(a, b)


class Sections(unittest.TestCase):
    def test_every_product_tells_what_it_is(self):
        lock = subprocess.run([ROOT / "deps/deps.py", "lock-hash"], check=True, capture_output=True, text=True)
        for product in PRODUCTS:
            found = wasm_file.custom_sections(path_of(product).read_bytes())
            with self.subTest(product):
                self.assertEqual(found["remotemedia.lock"].decode(), lock.stdout.strip())
                features = json.loads(found["remotemedia.features"])
                self.assertEqual(features["RM_PYTHON"], "lite" not in product)
                self.assertEqual(features["RM_NATIVE_NUMPY"], "numpy" in product)

    def test_they_are_what_the_program_says(self):
        for product in (name for name in PRODUCTS if "reactor" not in name):
            found = wasm_file.custom_sections(path_of(product).read_bytes())
            told = json.loads(run(product, "version", "--json"))
            with self.subTest(product):
                self.assertEqual(found["remotemedia.version"].decode(), told["version"])
                self.assertEqual(json.loads(found["remotemedia.features"]), told["features"])

    def test_the_image_is_dense(self):
        for product in (name for name in PRODUCTS if "snapshot" in name):
            parts = list(wasm_file.data_segments(path_of(product).read_bytes()))
            span = max(at + size for at, size in parts) - min(at for at, _ in parts)
            with self.subTest(product):
                self.assertLess(span, 2 * sum(size for _, size in parts))
