"""Nodes in Python, where it matters when something happens and not only what."""

import os

from support import ProgramTest, manifest, node

# Each item but the first waits until the test has seen the result before it.
ANSWERED = """
import os, time
answers = os.open("answers", os.O_RDONLY)
def process(x):
    if x > 0:
        os.read(answers, 1)
    time.sleep(0.05)
    return x
"""


class Streaming(ProgramTest):
    def results_one_by_one(self, code):
        path = self.write("m.json", manifest([node("slow", "Python", {"code": code})]))
        os.mkfifo(self.folder / "answers")
        lines = ("--input", "-", "--format", "jsonl", "--input-format", "jsonl")
        process = self.start("run", path, *lines, "--timeout", "20s")
        process.stdin.write(b"0\n1\n2\n3\n4\n5\n6\n7\n")
        process.stdin.flush()
        with open(self.folder / "answers", "wb", buffering=0) as answers:
            for i in range(8):
                self.assertEqual(process.stdout.readline(), b"%d\n" % i)
                answers.write(b".")
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)

    def test_results_of_a_slow_node_come_one_by_one(self):
        self.results_one_by_one(ANSWERED)

    def test_results_of_a_slow_coroutine_come_one_by_one(self):
        self.results_one_by_one(ANSWERED.replace("def process", "async def process"))
