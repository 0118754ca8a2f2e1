"""Streaming nodes side by side, from outside: when results come, interrupts, ends at any moment."""

import json
import random
import select
import signal
import subprocess
import unittest

from support import SLOWNESS, ProgramTest, manifest, node

STREAM = """
import os
def mark(what):
    fd = os.open('marks', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, what.encode() + b'\\n')
    os.close(fd)
class Node:
    def initialize(self):
        mark(self.name + ' open')
    def process(self, stream):
        try:
            for x in stream:
                MOMENT
                yield x
        finally:
            mark(self.name + ' end')
    def cleanup(self):
        mark(self.name + ' close')
"""
SPIN = "os.write(2, b'ready\\n')\n                while True: pass"


def stream(id, moment="pass"):
    return node(id, "Python", {"code": STREAM.replace("MOMENT", moment)}, is_streaming=True)


class Streams(ProgramTest):
    def marks(self):
        path = self.folder / "marks"
        return path.read_text().splitlines() if path.exists() else []

    def finish(self, process, limit=60):
        stdout, stderr = process.communicate(timeout=limit * SLOWNESS)
        self.assert_no_crash(process.returncode, stderr.decode(errors="replace"))
        return process.returncode, stdout.decode(), stderr.decode(errors="replace")

    def wait_ready(self, process):
        line = b""
        while b"ready" not in line:
            line = process.stderr.readline()
            self.assertTrue(line, "ended before it was ready")

    def test_a_lone_item_goes_through_before_the_next_one_comes(self):
        nodes = [stream(id) for id in "abc"]
        path = self.write("m.json", manifest(nodes, ["a > b > c"]))
        process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
        for i in range(200):
            process.stdin.write(b"%d\n" % i)
            process.stdin.flush()
            self.assertTrue(select.select([process.stdout], [], [], 60)[0], f"no answer to {i}")
            self.assertEqual(process.stdout.readline(), b"%d\n" % i)
        process.stdin.close()
        process.stdin = None
        code, stdout, stderr = self.finish(process)
        self.assertEqual((code, stdout), (0, ""), stderr)
        self.assertEqual(sorted(self.marks()), sorted(f"{id} {what}" for id in "abc" for what in ("open", "end", "close")))

    def interrupted(self, moment, *args, send=True):
        nodes = [stream("a"), stream("b", moment), stream("c")]
        path = self.write("m.json", {"manifest": manifest(nodes, ["a > b > c"]), "input_data": [1, 2, 3]})
        process = self.start("run", path, *args, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        if send:
            process.send_signal(signal.SIGINT)
        code, stdout, stderr = self.finish(process)
        marks = self.marks()
        for id in "abc":
            self.assertEqual(marks.count(f"{id} close"), 1, marks)
        self.assertIn("b end", marks)
        return code, json.loads(stdout)["error"], stderr

    def test_ctrl_c_in_a_thread_that_computes(self):
        code, error, stderr = self.interrupted(SPIN)
        self.assertEqual((code, error["code"], error["node"]), (130, "cancelled", "b"), stderr)

    def test_the_deadline_in_a_thread_that_computes(self):
        code, error, stderr = self.interrupted(SPIN, "--timeout", "0.5", send=False)
        self.assertEqual((code, error["code"], error["node"]), (5, "timeout", "b"), stderr)

    def test_ctrl_c_in_a_thread_that_blocks_counts_when_the_call_is_over(self):
        code, error, stderr = self.interrupted("os.write(2, b'ready\\n'); __import__('time').sleep(1)")
        self.assertEqual((code, error["code"], error["node"]), (130, "cancelled", "b"), stderr)

    def test_ctrl_c_while_all_wait(self):
        path = self.write("m.json", manifest([stream("a"), stream("b")], ["a > b"]))
        process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
        process.stdin.write(b"1\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.send_signal(signal.SIGINT)
        code, _, stderr = self.finish(process)
        self.assertEqual(code, 130, stderr)
        self.assertEqual(sorted(self.marks()), ["a close", "a end", "a open", "b close", "b end", "b open"])

    def test_random_ends(self):
        """Streams that end, fail, stop early, or are not wanted any more: each ends and is closed once."""
        chance = random.Random(7)
        moments = ["pass", "pass", "pass", "if x == 3: return", "if x == 5: raise OSError('five')", "next(stream, None)"]
        streams = 0
        while streams < 200:
            count = chance.randrange(2, 7)
            nodes = [node("s", "PassThrough"), *(stream(f"n{i}", chance.choice(moments)) for i in range(count))]
            connections = [f"{chance.choice(['s', *(f'n{k}' for k in range(i))])} > n{i}" for i in range(count)]
            if chance.random() < 0.5:
                nodes.append(node("t", "Take", {"count": chance.randrange(1, 9)}))
                connections.append(f"n{count - 1} > t")
            with self.subTest(nodes=nodes, connections=connections):
                (self.folder / "marks").unlink(missing_ok=True)
                done = self.run_program(
                    "run", "-", stdin={"manifest": manifest(nodes, connections), "input_data": list(range(20))}
                )
                self.assertIn(done.exit, (0, 1), done.stderr)
                marks = self.marks()
                for i in range(count):
                    self.assertEqual(marks.count(f"n{i} close"), 1, marks)
                    self.assertLessEqual(marks.count(f"n{i} end"), 1, marks)
            streams += count


if __name__ == "__main__":
    unittest.main()
