"""Python of strangers, in sandboxes: serve --sandbox. Needs the WASM files."""
import json
import unittest

from server import CLOSE, ServiceTest, chunk, common, init, kinds, manifest, node, of_json, results

TWICE = manifest(node("p", "Python", code="def process(x):\n    return 2 * x"))


def value(buffer):
    return json.loads(buffer.json.json_payload)


class Sandboxes(ServiceTest):
    options = ("--sandbox",)

    def test_a_run(self):
        response = self.execute(TWICE, {"input": of_json(21)})
        self.assertEqual(value(response.result.data_outputs["output"]), 42, response)

    def test_a_stream(self):
        both = manifest(node("a", "MultiplyNode", factor=3), node("p", "Python", code="def process(x):\n    return x + 1"), connections=["a > p"])
        got = self.stream([init(both), *(chunk(i, i) for i in range(20)), CLOSE])
        self.assertEqual([value(r.data_outputs["p"]) for r in results(got)], [3 * i + 1 for i in range(20)])

    def test_the_code_is_inside(self):
        code = "import os\n\ndef process(x):\n    return [os.path.exists('/etc/passwd'), os.name, os.environ.get('RM_PROGRAM')]"
        response = self.execute(manifest(node("p", "Python", code=code)), {"input": of_json(1)})
        self.assertEqual(value(response.result.data_outputs["output"]), [False, "posix", None])

    def test_failures(self):
        response = self.execute(manifest(node("p", "Python", code="def process(x):\n    return 1 // x")), {"input": of_json(0)})
        self.assertEqual(response.error.failing_node_id, "p")
        self.assertIn("ZeroDivisionError", response.error.context)

    def test_code_that_does_not_return(self):
        endless = manifest(node("p", "Python", code="def process(x):\n    while True:\n        pass"))
        response = self.execute(endless, {"input": of_json(0)}, common.ResourceLimits(max_timeout_ms=300))
        self.assertEqual(json.loads(response.error.context)["code"], "timeout")
        self.assertEqual(kinds(self.stream([init(TWICE), CLOSE])), ["ready", "closed"])
