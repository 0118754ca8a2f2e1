"""The reactors, as a host calls them."""
import json
import pathlib
import subprocess
import unittest

from wasm_products import path_of

HERE = pathlib.Path(__file__).resolve().parent


def check(product, name):
    command = ["node", "--no-warnings", str(HERE / "reactor_api.mjs"), str(path_of(product)), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{product} {name}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


class Every:
    def test_items_come_back(self):
        self.assertEqual(check(self.product, "items"), {"p": [1, 1.5, "ü", None, {"a": [1234567]}]})

    def test_every_kind_of_value(self):
        self.assertEqual(check(self.product, "values"), [])

    def test_other_forms_of_values(self):
        tensor = {"shape": [1], "data": [5], "dtype": "int16"}
        audio = {"shape": [2, 2], "data": [1, 3, 2, 4], "dtype": "float32", "sampleRate": 8000, "layout": 0}
        expected = [None, True, "1970-01-01T00:00:00.000Z", {"a": 1}, tensor, {**tensor, "data": [6], "dtype": "uint8"}, audio, {}]
        self.assertEqual(check(self.product, "forms"), expected)

    def test_values_that_are_refused(self):
        found = check(self.product, "refused")
        self.assertEqual([code for code, _ in found], ["type"] * 3 + ["limit", "value", "type", "type"])
        self.assertIn("Set", found[2][1])

    def test_hostile_bytes(self):
        value = -9
        self.assertEqual(check(self.product, "hostile"), [[value], 0])

    def test_batches(self):
        again, done = 4, 3
        self.assertEqual(check(self.product, "batches"), [[again, 0], True, 300, [True], True, 0, 0, done, done])

    def test_large_tensors_are_not_copied(self):
        usage = -3
        self.assertEqual(check(self.product, "parts"), [[0] * 4 + [usage], 0, [1, True, True, True], [1]])

    def test_what_is_no_batch_is_an_answer(self):
        usage, value = -3, -9
        expected = [usage] * 5 + ["parts"] + [usage] * 3 + ["next"] + [usage] * 3 + ["length"] + [value] * 4 + ["place"] + [usage] * 3
        expected += ["no part"] + [value] * 3 + ["call"] + [usage] * 5 + ["whole", 0]
        self.assertEqual(check(self.product, "wild_batches"), expected)

    def test_a_result_that_cannot_be_given_comes_after_those_before_it(self):
        limit, again = -7, 4
        self.assertEqual(check(self.product, "late"), [0, [[[1]]], again, limit, 0, [[[3]]], again, again, again])

    def test_more_items_than_queues_hold(self):
        self.assertTrue(check(self.product, "many"))

    def test_a_manifest_with_input(self):
        self.assertEqual(check(self.product, "own_input"), ["usage", {"p": [1, 2]}])

    def test_several_pipelines_and_instances(self):
        self.assertEqual(check(self.product, "several"), [{"p": [0]}, {"p": [1]}, {"p": [2]}])

    def test_wild_handles_and_addresses_are_codes(self):
        usage = -3
        expected = {"handle": [usage] * 3, "address": usage, "length": usage, "huge": usage}
        expected |= {"release": [usage, 0, usage], "pending": True, "error": True}
        self.assertEqual(check(self.product, "wrong"), expected)

    def test_messages(self):
        found = check(self.product, "messages")
        codes = ["missing_field", "unknown_field", "unknown_node", "unsupported", "usage", "usage"]
        self.assertEqual([code for code, _ in found], codes)
        self.assertIn("'sed'", found[1][1])

    def test_cancel(self):
        self.assertEqual(check(self.product, "cancel"), "cancelled")


class WithPython(Every):
    def test_an_item_that_fails_comes_after_the_others(self):
        self.assertEqual(check(self.product, "failed_item"), [[6, 3], "python", "p", 2])

    def test_sleeping_nodes_leave_the_host_free(self):
        self.assertEqual(check(self.product, "sleeping"), [[{"a": [0]}, {"a": [1]}], True])

    def test_environment_and_random_numbers_are_the_instances_own(self):
        self.assertEqual(check(self.product, "fresh"), ["yes", True])


class Lite(Every, unittest.TestCase):
    product = "remotemedia_reactor_lite"


class Plain(WithPython, unittest.TestCase):
    product = "remotemedia_reactor_wasm"


class Snapshot(WithPython, unittest.TestCase):
    product = "remotemedia_reactor_wasm_snapshot"


class NumpySnapshot(WithPython, unittest.TestCase):
    product = "remotemedia_reactor_numpy_snapshot"

    def test_arrays(self):
        self.assertEqual(check(self.product, "arrays"), [["float64", [2], [2, 3]], True])
