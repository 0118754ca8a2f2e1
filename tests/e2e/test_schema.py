"""The JSON Schema that the program prints: accepted by a validator, and right about examples and cases."""

import json
import pathlib
import subprocess
import sys
import unittest

from support import BUILD, ROOT, ProgramTest

from casefile import load_all, plain  # noqa: E402  (support puts its folder on the path)

VALIDATE = """
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
verdicts = {}
for name, manifest in json.load(open(sys.argv[2])).items():
    error = jsonschema.exceptions.best_match(validator.iter_errors(manifest))
    verdicts[name] = None if error is None else f"{error.json_path}: {error.message[:300]}"
json.dump(verdicts, sys.stdout)
"""


def python_with_jsonschema():
    """The interpreter of a virtual environment in the build folder, or (None, why not)."""
    venv = BUILD / "jsonschema-venv"
    python = venv / "bin" / "python"
    works = [str(python), "-c", "import jsonschema"]
    if python.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return python, ""
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [
            str(python),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--timeout",
            "10",
            "--retries",
            "1",
            "jsonschema==4.23.0",
        ],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, timeout=180, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, str(error)
        if done.returncode != 0:
            return None, (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
    return python, ""


class Schema(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.python, cls.why = python_with_jsonschema()

    def setUp(self):
        super().setUp()
        done = self.run_program("schema")
        self.assertEqual(done.exit, 0, done.stderr)
        self.schema = done.document
        self.write("schema.json", done.stdout)

    def verdicts(self, manifests):
        if self.python is None:
            self.skipTest(f"jsonschema cannot be installed: {self.why}")
        self.write("manifests.json", manifests)
        done = subprocess.run(
            [str(self.python), "-c", VALIDATE, "schema.json", "manifests.json"],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def cases(self, wanted):
        cases, _ = load_all(ROOT / "tests" / "cases")
        return {
            case.name: plain(case.data["manifest"])
            for case in cases
            if "manifest" in case.data and wanted(case.expect)
        }

    def test_it_names_its_dialect(self):
        self.assertEqual(self.schema["$schema"], "https://json-schema.org/draft/2020-12/schema")

    def test_it_accepts_all_examples(self):
        manifests = {}
        for path in sorted((ROOT / "examples").rglob("*.json")):
            document = json.loads(path.read_text())
            if isinstance(document, dict) and ("nodes" in document or "manifest" in document):
                manifests[str(path.relative_to(ROOT))] = document.get("manifest", document)
        self.assertGreaterEqual(len(manifests), 3, "where are the examples?")
        self.assertEqual({n: v for n, v in self.verdicts(manifests).items() if v}, {})

    def test_it_accepts_the_manifests_of_all_cases_that_run(self):
        manifests = self.cases(lambda expect: "outputs" in expect and "error" not in expect)
        self.assertGreater(len(manifests), 80)
        self.assertEqual({n: v for n, v in self.verdicts(manifests).items() if v}, {})

    def test_it_refuses_what_the_program_refuses_for_its_form(self):
        codes = {
            "missing_field",
            "unknown_field",
            "unsupported_version",
            "unknown_parameter",
            "missing_parameter",
        }
        manifests = self.cases(lambda expect: plain(expect.get("error", {}).get("code")) in codes)
        # A schema cannot know what command lines add, Python nodes, or that one of several parameters must be there.
        native = self.native_names()
        manifests = {
            name: manifest
            for name, manifest in manifests.items()
            if not name.startswith("--set")
            and name not in ("Select: needs pointer or fields", "audio channels: nothing to do is an error")
            and all(entry.get("node_type", "Echo") in native for entry in manifest.get("nodes", []))
        }
        self.assertGreater(len(manifests), 25)
        self.assertEqual([n for n, v in self.verdicts(manifests).items() if v is None], [])

    def native_names(self):
        done = self.run_program("nodes", "list", "--json")
        self.assertEqual(done.exit, 0, done.stderr)
        entries = [entry for entry in done.document if entry.get("kind") == "native"]
        return {name for entry in entries for name in [entry["name"], *entry.get("aliases", [])]}

    def test_every_native_node_stands_in_it(self):
        text = json.dumps(self.schema)
        native = self.native_names()
        self.assertGreater(len(native), 15)
        for name in native:
            self.assertIn(f'"{name}"', text)


if __name__ == "__main__":
    unittest.main()
