"""Whatever fails, every node that was opened is closed, once; visible by marks that nodes write to a file."""

import unittest

from support import ProgramTest, manifest, node

NODE = """
class Node:
    def __init__(self):
        FAIL_construct
    def mark(self, what):
        with open('marks', 'a') as f:
            f.write(f'{self.name} {what}\\n')
    def initialize(self):
        FAIL_initialize
        self.mark('open')
    def process(self, x):
        if x == 2:
            FAIL_process
        return x
    def flush(self):
        FAIL_flush
        self.mark('flush')
    def cleanup(self):
        self.mark('close')
        FAIL_cleanup
"""


def code(failing=""):
    text = NODE
    for moment in ("construct", "initialize", "process", "flush", "cleanup"):
        text = text.replace(
            f"FAIL_{moment}", f"raise RuntimeError('fails in {moment}')" if moment == failing else "pass"
        )
    return text


class Closing(ProgramTest):
    def run_three(self, moment, where="b", **more):
        nodes = [
            node(id, "Python", {"code": code(moment if id == where else "")}, **(more if id == where else {}))
            for id in "abc"
        ]
        done = self.run_program(
            "run", "-", stdin={"manifest": manifest(nodes, ["a > b > c"]), "input_data": [1, 2, 3]}
        )
        path = self.folder / "marks"
        marks = path.read_text().split("\n")[:-1] if path.exists() else []
        return done, marks

    def assert_failed(self, done, moment, where, item=None):
        self.assertEqual(done.exit, 1, done.stderr)
        error = done.document["error"]
        self.assertEqual(error["code"], "python")
        self.assertEqual(error["node"], where)
        self.assertIn(f"fails in {moment}", error["message"])
        self.assertEqual(error.get("item"), item)

    def assert_all_closed_once(self, marks, ids="abc"):
        self.assertEqual(sorted(m for m in marks if m.endswith("close")), [f"{id} close" for id in ids])

    def test_nothing_fails(self):
        done, marks = self.run_three("")
        self.assertEqual(done.document["outputs"], {"c": [1, 2, 3]})
        self.assertEqual([m for m in marks if m.endswith("flush")], ["a flush", "b flush", "c flush"])
        self.assert_all_closed_once(marks)
        self.assertTrue(all(m.endswith("close") for m in marks[-3:]), marks)

    def test_construct(self):
        for where in "abc":
            with self.subTest(where=where):
                (self.folder / "marks").unlink(missing_ok=True)
                done, marks = self.run_three("construct", where)
                self.assert_failed(done, "construct", where)
                opened = "".join(m[0] for m in marks if m.endswith("open"))
                self.assertNotIn(where, opened)
                self.assert_all_closed_once(marks, opened)

    def test_initialize(self):
        for where in "abc":
            with self.subTest(where=where):
                (self.folder / "marks").unlink(missing_ok=True)
                done, marks = self.run_three("initialize", where)
                self.assert_failed(done, "initialize", where)
                opened = "".join(m[0] for m in marks if m.endswith("open"))
                closed = "".join(sorted(m[0] for m in marks if m.endswith("close")))
                self.assertEqual(closed.replace(where, ""), opened)

    def test_process(self):
        for where in "abc":
            with self.subTest(where=where):
                (self.folder / "marks").unlink(missing_ok=True)
                done, marks = self.run_three("process", where)
                self.assert_failed(done, "process", where, 1)
                self.assertEqual(done.document["outputs"], {"c": [1]})
                self.assert_all_closed_once(marks)
                self.assertFalse([m for m in marks if m.endswith("flush")], "a failed run flushed")

    def test_flush(self):
        for where in "abc":
            with self.subTest(where=where):
                (self.folder / "marks").unlink(missing_ok=True)
                done, marks = self.run_three("flush", where)
                self.assert_failed(done, "flush", where)
                self.assertEqual(done.document["outputs"], {"c": [1, 2, 3]})
                self.assert_all_closed_once(marks)

    def test_cleanup(self):
        for where in "abc":
            with self.subTest(where=where):
                (self.folder / "marks").unlink(missing_ok=True)
                done, marks = self.run_three("cleanup", where)
                self.assert_failed(done, "cleanup", where)
                self.assertEqual(done.document["outputs"], {"c": [1, 2, 3]})
                self.assert_all_closed_once(marks)

    def test_a_skipped_item_does_not_end_the_run(self):
        done, marks = self.run_three("process", "b", on_error="skip")
        self.assertEqual(done.document["outputs"], {"c": [1, 3]})
        self.assertEqual(len([m for m in marks if m.endswith("flush")]), 3)
        self.assert_all_closed_once(marks)

    def test_a_native_node_that_fails_closes_python_nodes(self):
        nodes = [
            node("a", "Python", {"code": code()}),
            node("n", "CalculatorNode", {"operation": "divide", "operand": 0}),
            node("c", "Python", {"code": code()}),
        ]
        done = self.run_program(
            "run", "-", stdin={"manifest": manifest(nodes, ["a > n > c"]), "input_data": [1]}
        )
        self.assertEqual(done.exit, 1)
        self.assertEqual(done.document["error"]["node"], "n")
        self.assert_all_closed_once((self.folder / "marks").read_text().splitlines(), "ac")

    def test_an_error_in_cleanup_does_not_hide_the_first_error(self):
        text = code("process").replace(
            "self.mark('close')", "self.mark('close'); raise RuntimeError('and again')"
        )
        nodes = [node("a", "Python", {"code": code()}), node("b", "Python", {"code": text})]
        done = self.run_program("run", "-", stdin={"manifest": manifest(nodes, ["a > b"]), "input_data": [2]})
        self.assert_failed(done, "process", "b", 0)
        self.assert_all_closed_once((self.folder / "marks").read_text().splitlines(), "ab")

    def test_timeout_closes(self):
        text = code().replace("if x == 2:", "while x == 2:")
        nodes = [node("a", "Python", {"code": code()}), node("b", "Python", {"code": text})]
        done = self.run_program(
            "run",
            "-",
            "--timeout",
            "500ms",
            stdin={"manifest": manifest(nodes, ["a > b"]), "input_data": [1, 2]},
        )
        self.assertEqual(done.exit, 5, done.stderr)
        self.assertEqual(done.document["error"]["node"], "b")
        self.assert_all_closed_once((self.folder / "marks").read_text().splitlines(), "ab")


if __name__ == "__main__":
    unittest.main()
