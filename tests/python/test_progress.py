"""Progress bars: `progress=` of runs."""
import asyncio
import subprocess
import sys
import unittest

import remotemedia as rm
from manifests import code, multiply, row


class Bar:
    """What a run tells a bar, which is made as tqdm's are."""

    made = []

    def __init__(self, total=None):
        self.total, self.done, self.closed, self.told = total, 0, 0, []
        self.made.append(self)

    def update(self, count):
        assert count > 0 and not self.closed
        self.done += count
        self.told.append(self.done)

    def close(self):
        self.closed += 1


class Bars(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        Bar.made.clear()

    def outcome(self):
        """(total, done) of the only bar, which was closed once."""
        bar, = Bar.made
        self.assertEqual(bar.closed, 1)
        return bar.total, bar.done

    async def each_way(self, pipeline, items):
        """Runs in the four ways; yields after each."""
        yield pipeline.run(items(), progress=Bar)
        Bar.made.clear()
        yield list(pipeline.stream(items(), progress=Bar))
        Bar.made.clear()
        yield await pipeline.arun(items(), progress=Bar)
        Bar.made.clear()
        yield [each async for each in pipeline.astream(items(), progress=Bar)]

    async def test_the_total_is_known_when_the_length_is(self):
        pipeline = rm.Pipeline.from_dict(row(multiply()))
        for make, total in ((lambda: range(100), 100), (lambda: [1] * 70, 70), (lambda: iter(range(90)), None),
                            (lambda: {"a": (1, 2)}, 2)):
            count = total or 90
            async for _ in self.each_way(pipeline, make):
                self.assertEqual(self.outcome(), (total, count))
                Bar.made.clear()

    async def test_asynchronous_items(self):
        async def items():
            for i in range(5):
                await asyncio.sleep(0)
                yield i

        await rm.Pipeline.from_dict(row(multiply())).arun(items(), progress=Bar)
        self.assertEqual(self.outcome(), (None, 5))

    async def test_it_counts_items_that_are_done_not_results(self):
        pipeline = rm.Pipeline.from_dict(row(code("def process(x):\n    for _ in range(x % 3):\n        yield x")))
        async for _ in self.each_way(pipeline, lambda: range(7)):
            self.assertEqual(self.outcome(), (7, 7))
            Bar.made.clear()

    def test_it_moves_with_the_results(self):
        with rm.Pipeline.from_dict(row(multiply())).stream(iter(range(10)), progress=Bar) as stream:
            for i, _ in enumerate(stream):
                self.assertEqual(Bar.made[0].done, i + 1)

    def test_sources_that_generate(self):
        source = code("def generate():\n    yield from range(4)")
        rm.Pipeline.from_dict(row(source, multiply())).run(progress=Bar)
        self.assertEqual(self.outcome(), (None, 4))

    async def test_every_end_closes_it(self):
        failing = rm.Pipeline.from_dict(row(code("def process(x):\n    return 1 / (3 - x)")))
        for run in (lambda: failing.run(range(9), progress=Bar), lambda: list(failing.stream(range(9), progress=Bar))):
            self.assertRaises(rm.NodeError, run)
            self.assertEqual(self.outcome(), (9, 3))
            Bar.made.clear()
        with self.assertRaises(rm.NodeError):
            await failing.arun(range(9), progress=Bar)
        self.assertEqual(self.outcome(), (9, 3))
        Bar.made.clear()

        pipeline = rm.Pipeline.from_dict(row(multiply()))
        stream = pipeline.stream(iter(range(9)), progress=Bar)
        next(stream)
        stream.close()
        self.assertEqual(self.outcome(), (None, 1))
        Bar.made.clear()
        stream = pipeline.stream(iter(range(9)), progress=Bar)
        next(stream)
        del stream
        self.assertEqual(self.outcome(), (None, 1))
        Bar.made.clear()
        stream = pipeline.astream(iter(range(9)), progress=Bar)
        await anext(stream)
        await stream.aclose()
        self.assertEqual(self.outcome(), (None, 1))
        Bar.made.clear()

        waiting = rm.Pipeline.from_dict(row(code("import asyncio\nasync def process(x):\n    await asyncio.sleep(30)")))
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.01):
                await waiting.arun([1], progress=Bar)
        self.assertEqual(self.outcome(), (1, 0))

    def test_what_cannot_begin_leaves_no_bar_open(self):
        pipeline = rm.Pipeline.from_dict(row(multiply()))
        self.assertRaises(TypeError, pipeline.run, 5, progress=Bar)
        self.assertEqual(self.outcome(), (None, 0))
        Bar.made.clear()
        self.assertRaises(ValueError, pipeline.run, [1], timeout=-1, progress=Bar)
        self.assertEqual(self.outcome(), (1, 0))

    def test_a_bar_that_fails_ends_the_run(self):
        class Broken(Bar):
            def update(self, count):
                raise LookupError("mine")

        self.assertRaises(LookupError, rm.Pipeline.from_dict(row(multiply())).run, [1, 2], progress=Broken)
        self.assertEqual(self.outcome()[0], 2)
        self.assertRaises(TypeError, rm.Pipeline.from_dict(row(multiply())).run, [1], progress=5)

    def test_no_bar(self):
        pipeline = rm.Pipeline.from_dict(row(multiply()))
        for none in (None, False):
            self.assertEqual(pipeline.run([1], progress=none), {"a": [2]})

    def test_tqdm_is_named_where_it_is_missing(self):
        text = ("import sys\nsys.modules['tqdm'] = None\nimport remotemedia as rm\ngraph = rm.Graph()\ngraph.add('PassThrough')\n"
                "try:\n    graph.pipeline().run([1], progress=True)\nexcept ImportError as error:\n    print(error)")
        done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, check=True)
        self.assertIn("pip install tqdm", done.stdout)


if __name__ == "__main__":
    unittest.main()
