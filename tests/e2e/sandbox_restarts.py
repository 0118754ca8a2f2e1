"""Limits that hold for all instances of a node together, and files that are reached by two names."""
from sandboxes import SandboxTest, python


class Restarts(SandboxTest):
    def test_time_is_counted_over_all_instances(self):
        """An item that ends its instance does not give the next one the whole time again."""
        code = "import os, time\ndef process(x):\n    time.sleep(.3)\n    os.abort()"
        run = self.inside("single", [python(code, on_error="collect", limits={"timeout_ms": 1000})], range(8))
        failed = [each["message"] for each in run.document["failed"]]
        self.assertEqual((len(failed), failed[-1]), (8, "its sandbox has used its limit of 1000 ms"), run.stderr)

    def test_fuel_is_counted_over_all_instances(self):
        code = "import os\ndef process(x):\n    sum(range(300000))\n    os.abort()"
        run = self.inside("single", [python(code, on_error="collect", limits={"fuel": 200000000})], range(40))
        failed = [each["message"] for each in run.document["failed"]]
        self.assertEqual((len(failed), failed[-1]), (40, "its sandbox has used up its fuel of 200000000"), run.stderr)

    def test_an_error_of_any_size_is_refused(self):
        code = "def process(x):\n    raise ValueError('x' * 40000000)"
        run = self.inside("single", code)
        self.assertIn("its error has", run.document["error"]["message"])
        self.assertLess(len(run.stdout), 10000)


class TwoNames(SandboxTest):
    def test_a_file_beside_the_output_in_a_granted_directory(self):
        """It is made by the name that --output grants and removed by the directory's."""
        (self.folder / "made").mkdir()
        code = ("import os\ndef process(x):\n    d = os.open('.', os.O_RDONLY | os.O_DIRECTORY)\n"
                "    os.close(os.open('made/out.json.x', os.O_CREAT | os.O_WRONLY, dir_fd=d))\n"
                "    os.unlink('made/out.json.x')\n    return os.listdir('made')")
        run = self.inside("whole", code, args=["--output", "made/out.json", "--allow-write", "made"])
        self.assertEqual((run.exit, sorted(path.name for path in (self.folder / "made").iterdir())),
                         (0, ["out.json"]), run.stderr)
        self.assertIn('"p":[[]]', (self.folder / "made/out.json").read_text())
