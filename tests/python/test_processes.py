"""Other processes: forked ones, and those of multiprocessing."""
import multiprocessing
import os
import subprocess
import sys
import unittest

import remotemedia as rm


def negative(item):
    return -item


async def later(item):
    return -item


def pipeline_of(function):
    graph = rm.Graph()
    graph.add(function, id="node")
    return graph.pipeline()


def work(items):
    return pipeline_of(negative).run(items), pipeline_of(later).run(items)


class Processes(unittest.TestCase):
    def check(self, text):
        """In a process of its own, since it forks."""
        done = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", "import os, sys\nfrom test_processes import *\n" + text],
                              cwd=os.path.dirname(__file__) or ".", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stdout), (0, "fine\n"))

    def test_fork_while_a_stream_is_open(self):
        """The child cannot go on with the stream, but with the pipeline; the parent goes on with both."""
        for function in "negative", "later":
            with self.subTest(function):
                self.check(f"""
pipeline = pipeline_of({function})
stream = pipeline.stream(iter(range(5)))
assert next(stream) == 0
child = os.fork()
if child == 0:
    try:
        next(stream)
    except RuntimeError as error:
        assert "belongs to the process that forked" in str(error), error
        os._exit(7 if pipeline.run([1, 2]) == {{"node": [-1, -2]}} else 8)
    os._exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert list(stream) == [-1, -2, -3, -4]
print("fine")
""")

    def test_multiprocessing(self):
        expected = [({"node": [-i]}, {"node": [-i]}) for i in range(4)]
        self.assertEqual(work([1]), ({"node": [-1]}, {"node": [-1]}))  # this process has a runtime when it forks
        for method in multiprocessing.get_all_start_methods():
            with self.subTest(method):
                self.check(f"""
if __name__ == "__main__":
    work([1])
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert pool.map(work, [[i] for i in range(4)]) == {expected!r}
    print("fine")
""")


if __name__ == "__main__":
    unittest.main()
