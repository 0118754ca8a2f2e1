"""Pipelines that nodes run: in coroutines, in threads for which a coroutine waits, in callbacks of the runtime."""
import asyncio
import logging
import subprocess
import sys
import textwrap
import threading
import unittest

import remotemedia as rm


def pipeline_of(what, **fields):
    graph = rm.Graph()
    graph.add(what, id="node", **fields)
    return graph.pipeline()


async def waits(item):
    await asyncio.sleep(0)
    return item


async def returns(item):
    return item


async def gives(item):
    await asyncio.sleep(0)
    yield item


async def generates():
    yield 1
    await asyncio.sleep(0)
    yield 2


class Hooks:
    async def initialize(self):
        await asyncio.sleep(0)

    async def process(self, item):
        return await asyncio.sleep(0, item)

    async def cleanup(self):
        await asyncio.sleep(0)


@rm.node(is_streaming=True)
async def streams(items):
    async for item in items:
        await asyncio.sleep(0)
        yield item


INNER = [pipeline_of(each) for each in (waits, returns, gives, Hooks, streams)]
SOURCE = pipeline_of(generates)


def inner(item):
    """Runs pipelines of every kind, to the end and not. Afterwards the caller's loop and task are what they were."""
    def here():
        loop = asyncio._get_running_loop()
        return loop, loop and asyncio.current_task(), sys.get_asyncgen_hooks()

    before = here()
    for pipeline in INNER:
        assert pipeline.run([item, item]) == {"node": [item] * 2}
        assert list(pipeline.stream([item])) == [item]
        with pipeline.stream(range(100)) as stream:
            assert next(stream) == 0
            assert pipeline.run([item]) == {"node": [item]}
            assert next(stream) == 1
    assert SOURCE.run() == {"node": [1, 2]}
    assert here() == before, (here(), before)
    return item


def in_thread(function):
    """As a coroutine should not do it: nothing else runs meanwhile."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def run_of(pipeline, items):
    return pipeline.run(items)["node"]


def stream_of(pipeline, items):
    return list(pipeline.stream(items))


def arun_of(pipeline, items):
    return asyncio.run(pipeline.arun(items))["node"]


def astream_of(pipeline, items):
    async def main():
        return [each async for each in pipeline.astream(items)]

    return asyncio.run(main())


OUTER = run_of, stream_of, arun_of, astream_of


class InNodes(unittest.TestCase):
    def check(self, what, expected=(0, 1, 2), **fields):
        for outer in OUTER:
            with self.subTest(getattr(what, "__name__", ""), outer=outer.__name__):
                self.assertEqual(outer(pipeline_of(what, **fields), range(3)), list(expected))

    def test_coroutines(self):
        async def at_once(item):
            return inner(item)

        async def after_a_wait(item):
            await asyncio.sleep(0)
            first = inner(item)
            await asyncio.sleep(0.001)
            return inner(first)

        async def in_a_task(item):
            async def part():
                await asyncio.sleep(0)
                return inner(item)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(part()) for _ in range(3)]
            return tasks[0].result()

        async def in_a_callback(item):
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(lambda: future.set_result(inner(item)))
            return await future

        for node in at_once, after_a_wait, in_a_task, in_a_callback:
            self.check(node)
            self.check(node, max_in_flight=3)

    def test_runs_that_are_awaited(self):
        async def inner_arun(item):
            for pipeline in INNER:
                self.assertEqual(await pipeline.arun([item, item]), {"node": [item] * 2})
                inner(item)
            return item

        async def inner_astream(item):
            for pipeline in INNER:
                self.assertEqual([each async for each in pipeline.astream([item])], [item])
                stream = pipeline.astream(range(100))
                self.assertEqual(await anext(stream), 0)
                inner(item)
                await stream.aclose()
            return item

        for node in inner_arun, inner_astream:
            self.check(node)
            self.check(node, max_in_flight=3)

    def test_iterators(self):
        async def before(item):
            inner(item)
            yield item

        async def between(item):
            yield inner(item)
            await asyncio.sleep(0)
            inner(item)

        @rm.node(is_streaming=True)
        async def of_the_stream(items):
            async for item in items:
                yield inner(item)

        for node in before, between, of_the_stream:
            self.check(node)

    def test_hooks(self):
        class Outer:
            async def initialize(self):
                inner(1)
                await asyncio.sleep(0)
                inner(1)

            async def process(self, item):
                return item

            async def flush(self):
                await asyncio.sleep(0)
                return inner("flushed")

            async def cleanup(self):
                await asyncio.sleep(0)
                inner(1)

        self.check(Outer, (0, 1, 2, "flushed"))

    def test_synchronous_nodes(self):
        def plain(item):
            return inner(item)

        def generator(item):
            yield inner(item)

        @rm.node(is_streaming=True)
        def of_the_stream(items):
            for item in items:
                yield inner(item)

        for node in plain, generator, of_the_stream:
            self.check(node)

    def test_a_pipeline_in_itself(self):
        async def factorial(item):
            await asyncio.sleep(0)
            return item * pipeline.run([item - 1])["node"][0] if item > 1 else 1

        pipeline = pipeline_of(factorial)
        for outer in OUTER:
            self.assertEqual(outer(pipeline, [1, 10]), [1, 3628800])

    def test_without_end(self):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent("""
            import remotemedia as rm

            async def again(item):
                return pipeline.run([item])

            graph = rm.Graph()
            graph.add(again)
            pipeline = graph.pipeline()
            try:
                pipeline.run([1])
            except rm.NodeError as error:
                while error.__cause__ is not None:
                    error = error.__cause__
                print(type(error).__name__)
            """)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn(done.stdout, ("RecursionError\n", "OSError\n"), done.stderr)  # or there are no more descriptors

    def test_streams_side_by_side(self):
        """A coroutine goes on with a stream that was begun outside."""
        stream = pipeline_of(waits).stream(iter(range(100)))
        self.assertEqual(next(stream), 0)

        async def node(item):
            await asyncio.sleep(0)
            return next(stream)

        self.assertEqual(run_of(pipeline_of(node), range(3)), [1, 2, 3])
        self.assertEqual(next(stream), 4)
        stream.close()

    def test_failures(self):
        async def fails(item):
            await asyncio.sleep(0)
            raise LookupError("mine")

        failing = pipeline_of(fails)

        async def outer(item):
            return failing.run([item])

        for run in OUTER:
            with self.assertRaises(rm.NodeError) as raised:
                run(pipeline_of(outer), [1])
            self.assertIsInstance(raised.exception.__cause__.__cause__, LookupError)


class AroundNodes(unittest.TestCase):
    """Code that the runtime calls beside nodes: iterables, messages, progress bars."""

    def test_iterables(self):
        def items():
            for item in range(3):
                yield inner(item)

        async def later():
            for item in items():
                await asyncio.sleep(0)
                yield item

        for outer in OUTER:
            self.assertEqual(outer(pipeline_of(waits), items()), [0, 1, 2])
        for outer in arun_of, astream_of:
            self.assertEqual(outer(pipeline_of(waits), later()), [0, 1, 2])

    def test_messages_and_progress(self):
        told = []

        class Handler(logging.Handler):
            def emit(self, record):
                told.append(inner("message"))

        class Bar:
            def __init__(self, total=None):
                pass

            def update(self, count):
                told.append(inner("progress"))

            def close(self):
                told.append(inner("closed"))

        async def fails(item):
            await asyncio.sleep(0)
            raise ValueError

        handler, logger = Handler(), logging.getLogger("remotemedia")
        level = logger.level
        logger.setLevel(logging.WARNING)
        logger.addHandler(handler)
        try:
            pipeline = pipeline_of(fails, on_error="skip")
            self.assertEqual(pipeline.run([1, 2], progress=Bar), {"node": []})
            self.assertEqual(asyncio.run(pipeline.arun([1, 2], progress=Bar)), {"node": []})
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
        self.assertEqual(told.count("message"), 4)
        self.assertEqual(told.count("closed"), 2)
        self.assertIn("progress", told)


class Threads(unittest.TestCase):
    def test_a_coroutine_waits_for_a_thread(self):
        async def blocks(item):
            await asyncio.sleep(0)
            return in_thread(lambda: inner(item))

        async def waits_well(item):
            return await asyncio.to_thread(inner, item)

        for node in blocks, waits_well:
            for outer in OUTER:
                with self.subTest(node.__name__, outer=outer.__name__):
                    self.assertEqual(outer(pipeline_of(node, max_in_flight=2), range(3)), [0, 1, 2])

    def test_two_that_wait_for_each_other(self):
        """Coroutines of two threads meet at a barrier, which blocks them: each has a loop that runs."""
        barrier = threading.Barrier(2)

        async def meets(item):
            await asyncio.sleep(0)
            barrier.wait(60)
            return item

        pipeline = pipeline_of(meets)
        results = []
        threads = [threading.Thread(target=lambda: results.append(pipeline.run(range(3)))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [{"node": [0, 1, 2]}] * 2)

    def test_a_node_that_opens_waits_for_a_thread(self):
        class Opens:
            async def initialize(this):
                self.assertEqual(in_thread(lambda: inner(1)), 1)

            async def process(this, item):
                return item

        self.assertEqual(run_of(pipeline_of(Opens), [1]), [1])


class EndingEarly(unittest.TestCase):
    """What ends the outer run ends a run inside of it."""

    def setUp(self):
        logger = logging.getLogger("remotemedia")
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)

    def outer(self, told, started=None):
        async def stuck(item):
            try:
                if started is not None:
                    started.set()
                await asyncio.sleep(3600)
            finally:
                told.append("inner")

        within = pipeline_of(stuck)

        async def node(item):
            await asyncio.sleep(0)
            try:
                return within.run([item])
            finally:
                told.append("outer")

        return pipeline_of(node)

    def test_timeouts(self):
        for outer in (lambda pipeline: pipeline.run([1], timeout=0.05),
                      lambda pipeline: list(pipeline.stream([1], timeout=0.05))):
            told = []
            with self.assertRaises(rm.Timeout):
                outer(self.outer(told))
            self.assertEqual(told, ["inner", "outer"])

    def test_timeouts_of_every_kind(self):
        async def waits_for_long(item):
            await asyncio.sleep(3600 if item == 1 else 0)
            return item

        async def spins(item):
            while item == 1:
                await asyncio.sleep(0)
            return item

        def works(item):
            while item == 1:
                pass
            return item

        for stuck in waits_for_long, spins, works:
            within = pipeline_of(stuck)

            async def node(item, **limits):
                await asyncio.sleep(0)
                return within.run([item], **limits)["node"][0]

            def plain(item):
                return within.run([item])["node"][0]

            async def limited(item):
                try:
                    return await node(item, timeout=0.05)
                except rm.Timeout:
                    return "timeout"

            def expires(pipeline):
                with self.assertRaises(rm.Timeout):
                    pipeline.run(range(3), timeout=0.05)
                return True

            with self.subTest(stuck.__name__):
                for outer in OUTER:
                    self.assertEqual(outer(pipeline_of(limited, max_in_flight=3), range(3)), [0, "timeout", 2])
                for each in node, plain:
                    pipeline = pipeline_of(each, timeout_ms=50, on_error="skip")
                    self.assertEqual(pipeline.run(range(3)), {"node": [0, 2]})
                    self.assertEqual(in_thread(lambda: pipeline.run(range(3))), {"node": [0, 2]})
                    self.assertTrue(expires(pipeline_of(each)))
                    self.assertTrue(in_thread(lambda: expires(pipeline_of(each))))

    def test_cancelling(self):
        told, started = [], threading.Event()
        stream = self.outer(told, started).stream([1])

        def cancel():
            started.wait()
            stream.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        with self.assertRaises(rm.Cancelled):
            next(stream)
        thread.join()
        self.assertEqual(told, ["inner", "outer"])

    def test_interrupts(self):
        text = """
            import asyncio, os, signal, threading
            import remotemedia as rm

            async def stuck(item):
                threading.Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
                try:
                    await asyncio.sleep(3600)
                finally:
                    print("inner")

            async def node(item):
                try:
                    return within.run([item])
                finally:
                    print("outer")

            graphs = [rm.Graph(), rm.Graph()]
            graphs[0].add(stuck), graphs[1].add(node)
            within, outer = [graph.pipeline() for graph in graphs]
            try:
                outer.run([1])
            except KeyboardInterrupt:
                print("interrupted")
            """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "inner\nouter\ninterrupted\n"))


if __name__ == "__main__":
    unittest.main()
