"""Runs on the caller's event loop."""
import asyncio
import contextvars
import inspect
import operator
import sys
import threading
import time
import unittest

import remotemedia as rm
from manifests import code, multiply, row

VARIABLE = contextvars.ContextVar("VARIABLE")


def pipeline_of(*what):
    graph = rm.Graph()
    places = [graph.add(each) for each in what]
    for before, after in zip(places, places[1:]):
        before >> after
    return graph.pipeline()


class Guests(unittest.IsolatedAsyncioTestCase):
    async def items(self, count):
        for i in range(count):
            await asyncio.sleep(0)
            yield i

    async def test_coroutines_are_tasks_of_the_callers_loop(self):
        loop, seen = asyncio.get_running_loop(), []

        class Node:
            max_in_flight = 8

            async def initialize(self):
                self.lock = asyncio.Lock()
                await asyncio.sleep(0)
                seen.append(("initialize", asyncio.get_running_loop() is loop, VARIABLE.get()))

            async def process(self, item):
                async with self.lock:
                    await asyncio.sleep(0)
                seen.append((item, asyncio.get_running_loop() is loop, VARIABLE.get()))
                return -item

            async def flush(self):
                await asyncio.sleep(0)
                return "flushed"

            async def cleanup(self):
                await asyncio.sleep(0)
                seen.append(("cleanup", asyncio.get_running_loop() is loop, VARIABLE.get()))

        VARIABLE.set("mine")
        pipeline = pipeline_of(Node)
        self.assertEqual(await pipeline.arun([1, 2]), {"Node": [-1, -2, "flushed"]})
        self.assertEqual(seen, [(what, True, "mine") for what in ("initialize", 1, 2, "cleanup")])
        self.assertEqual([each async for each in pipeline.astream(self.items(3))], [0, -1, -2, "flushed"])

    async def test_initialize_works_for_long(self):
        """The run then hands out results before anything else; that must not look as if it waited for the task, which is done."""

        class Node:
            async def initialize(self):
                time.sleep(0.01)
                await asyncio.sleep(0)

            def process(self, item):
                return item

        self.assertEqual(await pipeline_of(Node).arun([1, 2]), {"Node": [1, 2]})

    async def test_many_in_flight(self):
        most, now = 0, 0

        class Node:
            max_in_flight = 50

            async def process(self, item):
                nonlocal most, now
                now += 1
                most = max(most, now)
                for _ in range(item % 7):
                    await asyncio.sleep(0)
                now -= 1
                return item

        self.assertEqual(await pipeline_of(Node).arun(range(1000)), {"Node": list(range(1000))})
        self.assertGreater(most, 30)
        self.assertLessEqual(most, 50)

    async def test_iterators_and_streams(self):
        async def three(item):
            for i in range(3):
                await asyncio.sleep(0)
                yield 10 * item + i

        @rm.node(is_streaming=True)
        async def sums(stream):
            total = 0
            async for item in stream:
                total += item
                yield total
            await asyncio.sleep(0)
            yield "end"

        expected = [0, 1, 3, 13, 24, 36, "end"]
        pipeline = pipeline_of(three, sums)
        self.assertEqual((await pipeline.arun(range(2)))["sums"], expected)
        self.assertEqual([each async for each in pipeline.astream(self.items(2))], expected)
        self.assertEqual(pipeline.run(range(2))["sums"], expected)  # on the runtime's loop, inside of ours
        await asyncio.sleep(0)

    async def test_a_source_that_generates(self):
        async def source():
            for i in range(3):
                await asyncio.sleep(0)
                yield i

        self.assertEqual(await pipeline_of(source).arun(), {"source": [0, 1, 2]})

    async def test_the_iterable_waits_for_room(self):
        read = 0

        async def items():
            nonlocal read
            for read in range(10000):
                yield read

        stream = rm.Pipeline.from_dict(row(multiply())).astream(items())
        self.assertEqual(await anext(stream), 0)
        await asyncio.sleep(0.01)
        self.assertLess(read, 300)
        await stream.aclose()

    async def test_several_asynchronous_sources(self):
        manifest = row(multiply(), multiply(10), multiply())
        manifest["connections"] = [{"from": "a", "to": "c"}, {"from": "b", "to": "c"}]
        results = (await rm.Pipeline.from_dict(manifest).arun({"a": self.items(500), "b": self.items(300)}))["c"]
        self.assertEqual(sorted(results), sorted([4 * i for i in range(500)] + [20 * i for i in range(300)]))

    async def test_cancelling(self):
        ended, started = [], asyncio.Event()

        class Node:
            async def process(self, item):
                started.set()
                try:
                    await asyncio.sleep(30)
                finally:
                    ended.append("task")

            def cleanup(self):
                ended.append("node")

        async def reads():
            try:
                yield 1
                await asyncio.sleep(30)
            finally:
                ended.append("items")

        pipeline = pipeline_of(Node)
        async def expire(scope):
            await started.wait()
            scope.reschedule(0)

        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(None) as scope:
                expiry = asyncio.create_task(expire(scope))
                await pipeline.arun(reads())
        await expiry
        self.assertEqual(sorted(ended), ["items", "node", "task"])
        ended.clear()
        started.clear()
        stream = pipeline.astream(reads())
        task = asyncio.create_task(anext(stream))
        await started.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(sorted(ended), ["items", "node", "task"])
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_closing_early(self):
        ended = []

        class Node:
            async def process(self, item):
                return item

            async def cleanup(self):
                await asyncio.sleep(0)
                ended.append(True)

        stream = pipeline_of(Node).astream(self.items(10))
        self.assertEqual(await anext(stream), 0)
        await stream.aclose()
        self.assertEqual(ended, [True])
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_failures(self):
        async def fail(item):
            await asyncio.sleep(0)
            raise KeyError("mine")

        with self.assertRaises(rm.NodeError) as raised:
            await pipeline_of(fail).arun([1])
        self.assertEqual((raised.exception.node, repr(raised.exception.__cause__)), ("fail", "KeyError('mine')"))

        async def items():
            yield 1
            raise LookupError("mine too")

        with self.assertRaises(LookupError):
            await rm.Pipeline.from_dict(row(multiply())).arun(items())

        class Node:
            async def initialize(self):
                await asyncio.sleep(0)
                raise OSError("no model")

            def process(self, item):
                return item

        with self.assertRaises(rm.NodeError) as raised:
            await pipeline_of(Node).arun([1])
        self.assertIsInstance(raised.exception.__cause__, OSError)
        with self.assertRaises(rm.Timeout):
            await rm.Pipeline.from_dict(row(code("import asyncio\nasync def process(x):\n    await asyncio.sleep(30)"))).arun([1], timeout=0.05)

    async def test_retries_wait_for_their_time(self):
        tries = []

        def sometimes(item):
            tries.append(item)
            if len(tries) < 3:
                raise OSError("not yet")
            return item

        graph = rm.Graph()
        graph.add(sometimes, retry={"attempts": 5, "backoff_ms": 5})
        self.assertEqual(await graph.pipeline().arun([1]), {"sometimes": [1]})
        self.assertEqual(tries, [1, 1, 1])

    async def test_several_at_once(self):
        async def slow(item):
            await asyncio.sleep(0.001)
            return item

        pipeline = pipeline_of(slow)
        results = await asyncio.gather(*(pipeline.arun([n, n]) for n in range(20)))
        self.assertEqual(results, [{"slow": [n, n]} for n in range(20)])


class Marked(unittest.TestCase):
    def test_frameworks_see_a_coroutine_function(self):
        self.assertTrue(inspect.iscoroutinefunction(rm.Pipeline.arun))
        self.assertTrue(inspect.iscoroutinefunction(pipeline_of(len).arun))
        self.assertFalse(inspect.iscoroutinefunction(rm.Pipeline.astream))
        self.assertFalse(inspect.iscoroutinefunction(rm.Pipeline.run))

    def test_functions_that_are_marked_are_coroutine_nodes(self):
        now = most = 0

        async def later(item):
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            return item

        @inspect.markcoroutinefunction
        def node(item):
            return later(item)

        graph = rm.Graph()
        graph.add(node, max_in_flight=3)
        self.assertEqual(graph.pipeline().run(range(9)), {"node": list(range(9))})
        self.assertEqual(most, 3)


class Generators(unittest.TestCase):
    """Asynchronous generators that a node leaves unfinished are closed, as asyncio.run closes them."""

    def setUp(self):
        self.closed = closed = []

        async def values(name):
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                closed.append((name, threading.current_thread().name))

        async def breaks_off(item):
            async for _ in values("dropped"):
                break
            await asyncio.sleep(0.001)

        class Keeps:
            async def process(self, item):
                self.values = values("kept")
                return await anext(self.values)

        self.nodes = breaks_off, Keeps

    def in_threads(self, names, function):
        """One after the other, and the first one again."""
        for name in (*names, names[0]):
            if name == "MainThread":
                function()
                continue
            thread = threading.Thread(target=function, name=name)
            thread.start()
            thread.join()

    def test_in_every_thread(self):
        for names in ("MainThread", "A", "B"), ("A", "MainThread", "B"):
            for node, name in zip(self.nodes, ("dropped", "kept")):
                pipeline = pipeline_of(node)
                self.closed.clear()
                self.in_threads(names, lambda: pipeline.run([1]))
                self.assertEqual(self.closed, [(name, thread) for thread in (*names, names[0])])

    def test_on_the_callers_loop(self):
        pipeline = pipeline_of(self.nodes[0])
        self.in_threads(("MainThread", "A"), lambda: asyncio.run(pipeline.arun([1])))
        self.assertEqual(self.closed, [("dropped", thread) for thread in ("MainThread", "A", "MainThread")])

    def test_runs_leave_the_hooks_alone(self):
        first, last = lambda generator: None, lambda generator: None
        before = sys.get_asyncgen_hooks()
        try:
            sys.set_asyncgen_hooks(first, last)  # somebody's own loop
            pipeline_of(self.nodes[0]).run([1])
            self.assertEqual(tuple(sys.get_asyncgen_hooks()), (first, last))
        finally:
            sys.set_asyncgen_hooks(*before)
        self.assertEqual(len(self.closed), 1)


class OtherTasks(unittest.TestCase):
    """A run of which results keep coming lets the loop's other tasks go on."""

    MANY = 2_000_000  # items: as good as without end

    def check(self, main):
        async def coroutine(item):
            return item

        async def iterator(item):
            yield item

        def slow(item):
            time.sleep(0.0002)
            return item

        async def stream(pipeline, items):
            async for _ in pipeline.astream(items):
                pass

        async def later(items):
            for item in items:
                yield item

        for node in coroutine, iterator, slow, lambda item: item, lambda item: None, rm.nodes.Multiply(factor=2):
            pipeline = pipeline_of(node)
            for run in rm.Pipeline.arun, stream:
                for form in iter, lambda items: (item for item in items), later:
                    items = iter(range(self.MANY))
                    with self.subTest(node, run=run.__name__, form=form.__name__):
                        asyncio.run(main(run(pipeline, form(items))))
                        self.assertGreater(operator.length_hint(items), 0)

    def test_they_have_turns(self):
        async def main(run):
            async def other():
                for _ in range(10):
                    await asyncio.sleep(0)
                task.cancel()

            task = asyncio.ensure_future(run)
            async with asyncio.TaskGroup() as group:
                group.create_task(other())
                with self.assertRaises(asyncio.CancelledError):
                    await task

        self.check(main)

    def test_timeouts(self):
        async def main(run):
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await run

        self.check(main)


class Failures(unittest.IsolatedAsyncioTestCase):
    async def test_what_leaves_an_asynchronous_iterable(self):
        class Odd(BaseException):
            pass

        for error in (asyncio.CancelledError("of another task"), Odd("odd"), ValueError("usual")):
            async def items():
                yield 1
                raise error

            graph = rm.Graph()
            graph.add(lambda item: item, id="node")
            with self.assertRaises(type(error)):
                await asyncio.wait_for(graph.pipeline().arun(items()), 30)
            with self.assertRaises(type(error)):
                async for _ in graph.pipeline().astream(items()):
                    pass


if __name__ == "__main__":
    unittest.main()
