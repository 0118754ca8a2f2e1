"""Nodes in WebAssembly modules that users wrote: the examples, as their page tells to compile and run them, and what a pipeline
makes of such nodes; then native nodes that are placed in a sandbox, which give what they give outside."""
import array
import base64
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from support import PROGRAM, ROOT, SLOWNESS, ProgramTest, environment, manifest, node
from test_docs import blocks, entries, matches

from ports import dependency

EXAMPLE = ROOT / "examples/wasm-node"
DOCUMENTS = [ROOT / "docs/wasm-node.md", EXAMPLE / "README.md"]
SPEECH = ROOT / "examples/voice/speech.wav"
CLANG = ["clang-19", "--target=wasm32", "-O2", "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-nostdlib",
         "-Wl,--no-entry"]
PROBE = ROOT / "tests/e2e/probe_guest.c"
MODULES = {"gain": (EXAMPLE / "gain.c",), "probe": (PROBE,), "pair": (PROBE, "-DPAIR"),
           "all": (PROBE, "-DVARIADIC"), "words": (EXAMPLE / "words.ts",)}


def compiler():
    return dependency("assemblyscript") / "bin/asc"


class GuestTest(ProgramTest):
    """Each module is compiled once, and lies beside the manifests of a test."""

    def setUp(self):
        super().setUp()
        for name in MODULES:
            shutil.copy(self.compiled / f"{name}.wasm", self.folder)

    @classmethod
    def setUpClass(cls):
        if not hasattr(GuestTest, "compiled"):
            holder = tempfile.TemporaryDirectory(prefix="rm-guests-")
            unittest.addModuleCleanup(holder.cleanup)
            GuestTest.compiled = ROOT.joinpath(holder.name)
            for name, given in MODULES.items():
                cls.compile(name, *given)

    @classmethod
    def compile(cls, name, source, *words):
        output = ["-o", str(GuestTest.compiled / f"{name}.wasm")]
        command = [*CLANG, *words, str(source), *output]
        if source.suffix == ".ts":
            command = [str(compiler()), source.name, *output, "-O", "--use", "abort="]
        done = subprocess.run(command, cwd=source.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0 or done.stdout:
            raise AssertionError(done.stdout.decode())

    def run_manifest(self, what, items=None, *words, command="run"):
        path = self.write("manifest.json", what)
        if items is not None:
            words = ["--input", "-", *words]
        return self.run_program(command, path, *words, stdin=json.dumps(items) if items is not None else "")

    def outputs(self, what, items=None, *words):
        done = self.run_manifest(what, items, *words)
        self.assertEqual(done.exit, 0, done.stderr)
        return done.document["outputs"]

    def error(self, what, items=None, *words, command="run"):
        done = self.run_manifest(what, items, *words, command=command)
        self.assertNotEqual(done.exit, 0, done.stdout)
        return done.document["error"]


def guest(module, params=None, id="g", **more):
    return node(id, f"wasm:{module}.wasm", params, **more)


def one(module, params=None, **more):
    return manifest([guest(module, params, **more)])


class Documentation(unittest.TestCase):
    def test_commands_give_what_they_show(self):
        """Blocks of "console sandbox", as test_docs runs others; the examples lie in a copy."""
        with tempfile.TemporaryDirectory(prefix="rm-guests-") as folder:
            shutil.copytree(ROOT / "examples", folder + "/examples", ignore=shutil.ignore_patterns("*.wasm"))
            env = environment({"PATH": f"{PROGRAM.parent}:{compiler().parent}:{os.environ['PATH']}"})
            count = 0
            for path in DOCUMENTS:
                for number, block in blocks(path, "console sandbox"):
                    for line, command, expected in entries(block, number):
                        count += 1
                        with self.subTest(place=f"{path.relative_to(ROOT)}:{line}"):
                            done = subprocess.run(["sh", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120 * SLOWNESS,
                                                  check=False)
                            got = done.stdout.decode().splitlines()
                            self.assertTrue(matches(expected, got), f"$ {command}\n" + "\n".join(got))
        self.assertGreater(count, 10)

    def test_the_source_that_is_shown_is_the_example(self):
        ((_, text),) = blocks(DOCUMENTS[0], "c gain.c")
        self.assertEqual(text, (EXAMPLE / "gain.c").read_text())


class Gain(GuestTest):
    def test_numbers(self):
        self.assertEqual(self.outputs(one("gain", {"factor": 2}), [1, 2.5, -3])["g"], [2.0, 5.0, -6.0])
        self.assertEqual(self.outputs(one("gain"), [7])["g"], [7.0])

    def test_a_large_tensor(self):
        numbers = array.array("f", range(1 << 18))
        item = {"__numpy__": True, "array": {"meta": {"shape": [512, 512], "dtype": "float32"},
                                             "data": base64.b64encode(numbers.tobytes()).decode()}}
        (result,) = self.outputs(one("gain", {"factor": 0.5}), [item])["g"]
        self.assertEqual(result["array"]["meta"]["shape"], [512, 512])
        self.assertEqual(base64.b64decode(result["array"]["data"]), array.array("f", (x / 2 for x in numbers)).tobytes())

    def test_arrays_of_numpy_whatever_their_strides(self):
        code = """import numpy as np
def process(kind):
    table = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {"every other": table[:, :, ::2], "turned": table.T, "backwards": table[::-1], "empty": table[:0],
            "scalar": np.array(3, np.float32)}[kind]"""
        kinds = ["every other", "turned", "backwards", "empty", "scalar"]
        chain = manifest([node("np", "Python", {"code": code}), guest("gain", {"factor": 2})], ["np > g"])
        got = self.outputs(chain, kinds, "--arrays", "list", "--path", dependency("numpy-wheel"))["g"]
        table = [[[8.0 * i * 3 + 8 * j + 2 * k for k in range(4)] for j in range(3)] for i in range(2)]
        turned = [[[table[i][j][k] for i in range(2)] for j in range(3)] for k in range(4)]
        self.assertEqual(got, [[[row[::2] for row in part] for part in table], turned, table[::-1], [], 6.0])

    def test_audio_keeps_its_media(self):
        source = node("s", "AudioFileSource", {"path": str(SPEECH), "chunk_frames": 4000})
        whole = self.outputs(manifest([source]))["s"]
        halves = self.outputs(manifest([source, guest("gain", {"factor": 0.5})], ["s > g"]))["g"]
        self.assertEqual(len(halves), len(whole))
        for before, after in zip(whole, halves):
            self.assertEqual(after["media"], before["media"])
            self.assertEqual(after["array"]["meta"], before["array"]["meta"])
            samples = [array.array("f", base64.b64decode(item["array"]["data"])) for item in (before, after)]
            self.assertEqual([x / 2 for x in samples[0]], list(samples[1]))

    def test_what_is_wrong_with_parameters_is_told_with_node_and_place(self):
        for command in ("run", "validate"):
            with self.subTest(command=command):
                error = self.error(one("gain", {"factor": "loud"}), command=command)
                self.assertEqual(error, {"code": "type", "message": "parameter 'factor' must be a number, not string",
                                         "node": "g", "pointer": "/nodes/0/params/factor"})
                error = self.error(one("gain", {"facter": 1}), command=command)
                self.assertEqual((error["code"], error["pointer"]), ("unknown_parameter", "/nodes/0/params/facter"))

    def test_an_item_that_fails(self):
        error = self.error(one("gain"), [1, "two", 3])
        self.assertEqual(error, {"code": "type", "message": "gain takes numbers, tensors and audio, got string",
                                 "node": "g", "item": 1})
        chain = manifest([guest("gain", on_error="skip"), node("p", "PassThrough")], ["g > p"])
        self.assertEqual(self.outputs(chain, ["one", 2, None, [3], 4, {}])["p"], [2.0, 4.0])

    def test_a_thousand_items_keep_their_order(self):
        items = list(range(1000))
        self.assertEqual(self.outputs(one("gain", {"factor": 2}), items)["g"], [2.0 * x for x in items])


class Words(GuestTest):
    def test_counts_and_totals(self):
        got = self.outputs(one("words"), ["Naïve, naïve ÉTÉ!", "", "a b a 42"])["g"]
        self.assertEqual(got, [{"naïve": 2, "été": 1}, {}, {"a": 2, "b": 1, "42": 1}, {"texts": 3, "words": 7, "distinct": 5}])

    def test_its_memory_does_not_grow(self):
        many = one("words", limits={"memory_bytes": 4 << 20})
        self.assertEqual(self.outputs(many, [f"word {i % 10} " * 50 for i in range(3000)])["g"][-1],
                         {"texts": 3000, "words": 300000, "distinct": 11})

    def test_failures(self):
        self.assertEqual(self.error(one("words"), [3])["message"], "words takes strings, got int")
        error = self.error(one("words", {"letters": 0}), command="validate")
        self.assertEqual(error, {"code": "value", "message": "'letters' is 0, but must be 1 or more", "node": "g",
                                 "pointer": "/nodes/0/params/letters"})


class Probe(GuestTest):
    def test_every_kind_of_value_passes(self):
        nested = "end"
        for _ in range(190):
            nested = [nested]
        items = [None, True, False, -(1 << 63), 1 << 70, -0.5, "", "ä\0ö", [], {}, {"a": [1, {"b": None}]}, nested]
        self.assertEqual(self.outputs(one("probe"), items)["g"], items)

    def test_tensors_inside_of_others(self):
        code = "import numpy as np\ndef process(n):\n    return {'x' * n: [np.arange(n, dtype=np.int16), 'y' * n]}"
        chain = manifest([node("np", "Python", {"code": code}), guest("probe")], ["np > g"])
        got = self.outputs(chain, list(range(9)), "--arrays", "list", "--path", dependency("numpy-wheel"))["g"]
        self.assertEqual(got, [{"x" * n: [list(range(n)), "y" * n]} for n in range(9)])

    def test_several_inputs_and_outputs_in_order(self):
        parts = [node("a", "PassThrough"), node("b", "MultiplyNode", {"factor": 10}), guest("pair"), node("c", "PassThrough"),
                 node("d", "PassThrough")]
        whole = manifest(parts)
        whole["connections"] = [{"from": "a", "to": "g.a"}, {"from": "b", "to": "g.b"}, {"from": "g.a", "to": "c"},
                                {"from": "g.b", "to": "d"}]
        self.assertEqual(self.outputs(whole, [1, 2, 3]), {"c": [1, 2, 3], "d": [10, 20, 30]})
        whole["connections"][1]["to"] = "g.c"
        self.assertEqual(self.error(whole, [1])["code"], "unknown_port")
        del whole["connections"][2:]
        whole["nodes"][3:] = []
        whole["connections"][1]["to"] = "g.b"
        self.assertEqual(self.outputs(whole, [1, 2, 3])["g"], [1, 10, 2, 20, 3, 30])

    def test_a_variadic_input(self):
        parts = [node("s", "PassThrough"), node("t", "PassThrough"), guest("all")]
        self.assertEqual(self.outputs(manifest(parts, ["s > g", "s > t > g"]), ["x"])["g"],
                         [[0, "x"], [1, "x"]])

    def test_more_done_generate_and_flush(self):
        twice = one("probe", {"flushes": 2})
        self.assertEqual(self.outputs(twice, [1, {"do": "many", "with": 3}, 2])["g"], [1, 3, 2, 1, 2, "flushed", "flushed"])
        self.assertEqual(self.outputs(twice, [1, {"do": "done"}, 2])["g"], [1, "the last", "flushed", "flushed"])
        self.assertEqual(self.outputs(one("probe", {"flushes": 1}))["g"], [1, 2, 3, "flushed"])

    def test_a_result_belongs_to_its_item(self):
        """Another node, after both, joins what belongs to the same item."""
        parts = [node("s", "PassThrough"), guest("probe"), node("p", "PassThrough"), node("m", "Merge")]
        got = self.outputs(manifest(parts, ["s > g > m", "s > p > m"]), [1, {"do": "log"}, 3])["m"]
        self.assertEqual(got, [{"g": 1, "p": 1}, {"p": {"do": "log"}}, {"g": 3, "p": 3}])

    def test_a_failure_comes_after_what_was_emitted_before(self):
        done = self.run_manifest(one("probe"), [1, {"do": "fail"}, 2])
        self.assertEqual(done.document["error"], {"code": "arithmetic", "message": "as it was told", "node": "g", "item": 1})
        self.assertEqual(done.document["outputs"]["g"], [1, "before the failure"])
        self.assertEqual(self.outputs(one("probe", on_error="skip"), [1, {"do": "fail"}, 2])["g"],
                         [1, "before the failure", 2])

    def test_the_log_names_the_node(self):
        self.assertIn("g: a line of the log\n", self.run_manifest(one("probe"), [{"do": "log"}]).stderr)

    def test_a_trap_is_the_failure_of_its_item(self):
        """Where time or instructions are limited, packets are given one by one."""
        limits = {"timeout_ms": 60000}
        error = self.error(one("probe", limits=limits), [1, {"do": "trap"}, 2])
        self.assertEqual((error["code"], error["node"], error["item"]), ("value", "g", 1))
        self.assertIn("trapped", error["message"])
        chain = one("probe", limits=limits, on_error="skip")
        got = self.outputs(chain, [1, {"do": "trap"}, 2, {"do": "trap"}])["g"]
        self.assertEqual(got, [1, 2])


class Limits(GuestTest):
    def limited(self, items, exit=1, **limits):
        done = self.run_manifest(one("probe", limits=limits), items)
        self.assertEqual(done.exit, exit, done.stdout)
        error = done.document["error"]
        self.assertEqual(error["node"], "g")
        return error

    def test_memory(self):
        error = self.limited([{"do": "take", "with": 1 << 24}], memory_bytes=1 << 23)
        self.assertEqual(error["code"], "out_of_memory")
        self.assertIn(str(1 << 23), error["hint"])
        self.assertEqual(self.outputs(one("probe", limits={"memory_bytes": 1 << 26}), [{"do": "take", "with": 1 << 24}, 1])["g"],
                         [1])
        self.limited([1], memory_bytes=1000, exit=3)

    def test_input_that_does_not_fit(self):
        self.assertEqual(self.limited(["x" * (1 << 20)], memory_bytes=1 << 19)["code"], "out_of_memory")

    def test_time(self):
        error = self.limited([{"do": "loop"}], timeout_ms=200)
        self.assertEqual(error["code"], "limit")
        self.assertIn("200 ms", error["message"])

    def test_fuel(self):
        error = self.limited([{"do": "loop"}], fuel=1000000)
        self.assertEqual(error["code"], "limit")
        self.assertIn("1000000", error["message"])
        where = [self.run_manifest(one("probe", limits={"fuel": 60000}), list(range(5000))).document for _ in range(2)]
        self.assertEqual(where[0], where[1])
        self.assertEqual(where[0]["error"]["code"], "limit")

    def test_output(self):
        error = self.limited([{"do": "give", "with": 100000}], output_bytes=10000)
        self.assertEqual(error["code"], "limit")
        self.assertIn("10000 bytes", error["message"])
        self.assertEqual(self.outputs(one("probe", limits={"output_bytes": 10000}), [1, 2])["g"], [1, 2])


class Files(GuestTest):
    def test_a_module_lies_beside_the_manifest(self):
        self.write("deep/er/manifest.json", one("gain", {"factor": 3}))
        shutil.copy(self.folder / "gain.wasm", self.folder / "deep/er")
        (self.folder / "gain.wasm").unlink()
        done = self.run_program("run", "deep/er/manifest.json", "--input", "-", stdin="[1]")
        self.assertEqual(done.document["outputs"]["g"], [3.0])

    def test_one_of_standard_input_in_the_current_folder(self):
        done = self.run_program("run", "-", stdin={"manifest": one("gain", {"factor": 3}), "input_data": [1]})
        self.assertEqual(done.document["outputs"]["g"], [3.0])

    def test_an_absolute_name(self):
        whole = manifest([node("g", f"wasm:{self.compiled}/gain.wasm")])
        self.assertEqual(self.outputs(whole, [1])["g"], [1.0])

    def test_files_that_are_no_node(self):
        self.write("text.wasm", "no module at all")
        self.write("empty.wasm", b"\0asm\1\0\0\0")
        for name, code in (("absent", "not_found"), ("text", None), ("empty", None)):
            with self.subTest(name=name):
                error = self.error(one(name), command="validate")
                self.assertEqual((error["node"], error["pointer"]), ("g", "/nodes/0/node_type"))
                self.assertIn(code or error["code"], error["code"])

    def test_validate(self):
        self.assertEqual(self.run_manifest(one("gain", {"factor": 3}), command="validate").exit, 0)
        done = self.run_manifest(one("gain", limits={"timeout_ms": 0}), command="validate")
        self.assertEqual((done.exit, done.document["error"]["pointer"]), (3, "/nodes/0/limits/timeout_ms"))


class Placed(GuestTest):
    """`"execution": {"placement": "sandbox"}` of a native node."""

    SANDBOX = {"execution": {"placement": "sandbox"}}

    def placed(self, id, node_type, params=None, **more):
        return node(id, node_type, params, **self.SANDBOX, **more)

    def same(self, parts, chains, items=None, *words, of=None):
        """With the nodes named in `of`, or all, in sandboxes, a run gives what it gives natively."""
        native = self.run_manifest(manifest(parts, chains), items)
        moved = [{**part, **(self.SANDBOX if of is None or part["id"] in of else {})} for part in parts]
        inside = self.run_manifest(manifest(moved, chains), items, *words)
        self.assertEqual(inside.stdout, native.stdout, inside.stderr)
        self.assertEqual(inside.exit, native.exit)
        return native

    def test_batch_window_take(self):
        for node_type, params in (("Batch", {"size": 2}), ("Window", {"size": 3, "hop": 2, "partial": True}),
                                  ("Take", {"count": 3}), ("Filter", {"operation": "gt", "value": 2}), ("Echo", {})):
            with self.subTest(node_type=node_type):
                self.same([node("n", node_type, params)], [], [1, 2, 3, 4, 5])

    def test_merge(self):
        parts = [node("s", "PassThrough"), node("a", "MultiplyNode"), node("b", "Filter", {"operation": "gt", "value": 1}),
                 node("m", "Merge"), node("p", "PassThrough"), node("n", "Merge")]
        for chains in (["s > a > m", "s > b > m"], ["s > a > m > n", "s > b > m", "s > p > n"]):
            with self.subTest(chains=chains):
                used = [part for part in parts if part["id"] in " ".join(chains).replace(" ", "")]
                self.same(used, chains, [1, 2, 0, 3], of="m")
                self.same(used, chains, [1, 2, 0, 3], of="mn")

    def test_merge_of_what_comes_at_the_end(self):
        parts = [node("s", "PassThrough"), node("a", "Batch", {"size": 2}), node("b", "Batch", {"size": 5}), node("m", "Merge")]
        self.same(parts, ["s > a > m", "s > b > m"], [1, 2, 3], of="m")

    def test_failures_are_those_of_the_node(self):
        parts = [node("c", "CalculatorNode", {"operation": "divide", "operand": 0})]
        done = self.same(parts, [], [1])
        self.assertEqual(done.document["error"]["code"], "arithmetic")

    def test_parameters_are_checked_before_it_runs(self):
        parts = [node("p", "PassThrough"), node("n", "Batch", {"sise": 2})]
        done = self.same(parts, ["p > n"], [1])
        self.assertEqual(done.document["error"]["pointer"], "/nodes/1/params/sise")
        parts[1] = self.placed("n", "Batch", {"size": 0})
        error = self.error(manifest(parts, ["p > n"]), command="validate")
        self.assertEqual(error["pointer"], "/nodes/1/params/size")

    def test_audio_of_a_file_that_is_granted(self):
        source = node("s", "AudioFileSource", {"path": str(SPEECH), "chunk_frames": 8000})
        parts = [source, node("b", "AudioBuffer", {"frames": 5000}), node("l", "AudioLevel")]
        self.same(parts, ["s > b > l"], None, "--allow-read", SPEECH.parent)
        self.same([source], [], None, "--allow-read", SPEECH.parent)

    def test_a_file_that_is_not_granted(self):
        source = self.placed("s", "AudioFileSource", {"path": str(SPEECH)})
        error = self.error(manifest([source]))
        self.assertEqual((error["code"], error["node"]), ("not_found", "s"))

    def test_a_source_of_items(self):
        self.same([node("s", "SimpleSource", {"count": 3, "value": {"a": [1]}})], [])


if __name__ == "__main__":
    unittest.main()
