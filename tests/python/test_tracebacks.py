"""A traceback has the user's frames only, however a run was started and wherever it failed."""
import asyncio
import contextlib
import traceback
import unittest

import remotemedia as rm
import remotemedia_runtime
from manifests import multiply, row


def graph_of(*what):
    graph = rm.Graph()
    places = [graph.add(each) for each in what]
    for before, after in zip(places, places[1:]):
        before >> after
    return graph.pipeline()


def chain(error):
    """The exception, and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Tracebacks(unittest.IsolatedAsyncioTestCase):
    def check(self, error, *names):
        """The functions in whose frames the exceptions of the chain were raised, from the outermost exception on."""
        last = []
        for each in chain(error):
            frames = traceback.extract_tb(each.__traceback__)
            ours = [frame.filename for frame in frames if frame.filename != __file__ and "asyncio" not in frame.filename]
            self.assertEqual(ours, [], repr(each))
            last.append(frames[-1].name if frames else None)
        self.assertEqual(last[1:], list(names))

    async def caught(self, run, kind):
        """What a run raised; assertRaises would take the traceback away."""
        try:
            made = run()
            if hasattr(made, "__await__"):
                await made
        except kind as error:
            return error
        self.fail("nothing was raised")

    async def gather(self, stream):
        return [each async for each in stream]

    async def test_in_nodes(self):
        def low(item):
            raise OSError("low")

        def chained(item):
            try:
                low(item)
            except OSError as error:
                raise KeyError("high") from error

        async def awaited(item):
            await asyncio.sleep(0)
            chained(item)

        def generator(item):
            yield item
            chained(item)

        async def iterator(item):
            yield item
            await asyncio.sleep(0)
            chained(item)

        for node in (chained, awaited, generator, iterator, rm.node(chained), rm.node(awaited)):
            pipeline = graph_of(node)
            for run in (lambda: pipeline.run([1]), lambda: list(pipeline.stream([1]))):
                with self.subTest(node=node, run=run):
                    error = await self.caught(run, rm.NodeError)
                    self.check(error, "chained", "low")
            for run in (lambda: pipeline.arun([1]), lambda: self.gather(pipeline.astream([1]))):
                with self.subTest(node=node, run=run):
                    error = await self.caught(run, rm.NodeError)
                    self.check(error, "chained", "low")

    async def test_in_the_iterable(self):
        def items():
            yield 1
            raise LookupError("mine")

        async def async_items():
            yield 1
            await asyncio.sleep(0)
            raise LookupError("mine")

        pipeline = graph_of(lambda item: item)
        for run in (lambda: pipeline.run(items()), lambda: list(pipeline.stream(items()))):
            error = await self.caught(run, LookupError)
            self.check(error)
            self.assertEqual(traceback.extract_tb(error.__traceback__)[-1].name, "items")
        for source in (items, async_items):
            for run in (lambda: pipeline.arun(source()), lambda: self.gather(pipeline.astream(source())),
                        lambda: pipeline.arun({"lambda": source()})):
                error = await self.caught(run, LookupError)
                self.check(error)
                self.assertEqual(traceback.extract_tb(error.__traceback__)[-1].name, source.__name__)

    async def test_at_the_beginning_and_at_the_end(self):
        class Begins:
            async def initialize(self):
                await asyncio.sleep(0)
                raise OSError("no model")

            def process(self, item):
                return item

        class Ends:
            def process(self, item):
                return item

            async def cleanup(self):
                await asyncio.sleep(0)
                raise OSError("no end")

        @rm.node
        class Refuses:
            def __init__(self, count: int = 1):
                raise OSError("not so many")

            def process(self, item):
                return item

        for kind, name in ((Begins, "initialize"), (Ends, "cleanup"), (Refuses, "__init__")):
            error = await self.caught(lambda: graph_of(kind).arun([1]), rm.NodeError)
            self.check(error, name)
        graph = rm.Graph()
        graph.add(Refuses, params={"count": "many"})
        self.assertRaises(rm.ManifestError, graph.pipeline)

    async def test_cancelling(self):
        async def slow(item):
            await asyncio.sleep(30)

        pipeline = graph_of(slow)
        for run in (lambda: pipeline.arun([1]), lambda: self.gather(pipeline.astream([1]))):
            async def limited():
                async with asyncio.timeout(0.01):
                    await run()

            error = await self.caught(limited, TimeoutError)
            frames = [frame.filename for each in chain(error) for frame in traceback.extract_tb(each.__traceback__)]
            self.assertEqual([name for name in frames if "remotemedia" in name], [])
        error = await self.caught(lambda: pipeline.arun([1], timeout=0.01), rm.Timeout)
        self.check(error)

    async def test_wrong_arguments(self):
        pipeline = graph_of(lambda item: item)
        for run in (lambda: pipeline.arun(5), lambda: self.gather(pipeline.astream(5))):
            error = await self.caught(run, TypeError)
            self.check(error)

    async def test_older_names(self):
        error = await self.caught(lambda: remotemedia_runtime.execute_pipeline("{"), rm.ManifestError)
        self.check(error)

    async def test_what_they_are_to_asyncio(self):
        """A coroutine that was started, and an asynchronous generator, in all that asyncio asks of them."""
        import collections.abc

        pipeline = rm.Pipeline.from_dict(row(multiply()))
        self.assertEqual(await asyncio.create_task(pipeline.arun([1])), {"a": [2]})
        self.assertEqual(await asyncio.gather(pipeline.arun([1]), pipeline.arun([2])), [{"a": [2]}, {"a": [4]}])
        self.assertEqual(await asyncio.wait_for(pipeline.arun([1]), 10), {"a": [2]})
        self.assertEqual(await asyncio.to_thread(asyncio.run, pipeline.arun([3])), {"a": [6]})
        coroutine = pipeline.arun([1])
        self.assertIsInstance(coroutine, collections.abc.Coroutine)
        coroutine.close()
        stream = pipeline.astream([1, 2])
        self.assertIsInstance(stream, collections.abc.AsyncGenerator)
        async with contextlib.aclosing(stream):
            self.assertEqual(await anext(stream), 2)
            self.assertEqual(await stream.asend(None), 4)
            with self.assertRaises(StopAsyncIteration):
                await anext(stream)
        self.assertEqual(await anext(stream, "end"), "end")
        stream = pipeline.astream(iter(range(9)))
        await anext(stream)
        with self.assertRaises(LookupError):
            await stream.athrow(LookupError("mine"))


if __name__ == "__main__":
    unittest.main()
