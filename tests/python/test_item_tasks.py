"""Coroutines of items see a task of their own, as asyncio has them."""
import asyncio
import contextvars
import logging
import unittest
import weakref

import remotemedia as rm

VARIABLE = contextvars.ContextVar("VARIABLE", default="none")
ITEMS = range(6)


async def both(function, **fields):
    """What a run on the caller's loop gives, after one on the runtime's has given the same."""
    graph = rm.Graph()
    graph.add(function, id="node", max_in_flight=8, **fields)
    pipeline = graph.pipeline()
    expected = pipeline.run(ITEMS)["node"]
    results = (await pipeline.arun(ITEMS))["node"]
    assert results == expected, (results, expected)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return results


class ItemTasks(unittest.IsolatedAsyncioTestCase):
    async def test_each_item_has_a_context(self):
        async def node(item):
            before = VARIABLE.get()
            VARIABLE.set(item)
            await asyncio.sleep(0)
            await asyncio.sleep(0.001 * (item % 2))
            return before, VARIABLE.get()

        self.assertEqual(await both(node), [("none", item) for item in ITEMS])

    async def test_timeouts(self):
        async def node(item):
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(0)
                    while item % 3 == 0:
                        await asyncio.sleep(item)  # the first one spins
            except TimeoutError:
                return "timeout", asyncio.current_task().cancelling()
            return item, asyncio.current_task().cancelling()

        self.assertEqual(await both(node), [("timeout" if item % 3 == 0 else item, 0) for item in ITEMS])

    async def test_groups(self):
        async def node(item):
            async def part(k):
                await asyncio.sleep(0)
                if (item, k) == (2, 1):
                    raise ValueError
                return k * item

            try:
                async with asyncio.TaskGroup() as group:
                    parts = [group.create_task(part(k)) for k in range(3)]
                    await asyncio.sleep(0.01)
            except ExceptionGroup:
                return "failed"
            return [each.result() for each in parts]

        self.assertEqual(await both(node), ["failed" if item == 2 else [0, item, 2 * item] for item in ITEMS])

    async def test_a_task_that_others_know_ends_with_its_item(self):
        kept, told, weak = [], [], set()

        async def keeps(item):
            kept.append(asyncio.current_task())
            await asyncio.sleep(0)
            return item

        async def tells(item):
            asyncio.current_task().add_done_callback(lambda task: told.append(task.result()))
            await asyncio.sleep(0)
            return item

        async def refers(item):
            weak.add(weakref.ref(asyncio.current_task()))
            await asyncio.sleep(0)
            return len(weak)

        await both(keeps)
        self.assertEqual([task.result() for task in kept], [*ITEMS] * 2)
        await both(tells)
        await asyncio.sleep(0)
        self.assertEqual(sorted(told), sorted([*ITEMS] * 2))
        graph = rm.Graph()
        graph.add(refers)  # one at a time
        self.assertEqual(graph.pipeline().run(ITEMS), {"refers": [item + 1 for item in ITEMS]})

    async def test_nothing_stays_with_a_task(self):
        async def names(item):
            task = asyncio.current_task()
            before = task.get_name().startswith("mine")
            task.set_name(f"mine {item}")
            await asyncio.sleep(0)
            return before

        self.assertEqual(await both(names), [False] * len(ITEMS))

    async def test_a_coroutine_cancels_itself(self):
        async def at_a_yield(item):
            asyncio.current_task().cancel("mine")
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as error:
                return error.args

        async def at_a_future(item):
            asyncio.current_task().cancel("mine")
            future = asyncio.get_running_loop().create_future()
            try:
                await future
            except asyncio.CancelledError as error:
                return error.args, future.cancelled()

        async def and_returns(item):
            asyncio.current_task().cancel("mine")
            return item

        async def and_fails(item):
            asyncio.current_task().cancel("mine")
            raise ValueError("own")

        logging.getLogger("remotemedia").setLevel(logging.CRITICAL)
        self.assertEqual(await both(at_a_yield), [("mine",)] * len(ITEMS))
        self.assertEqual(await both(at_a_future), [(("mine",), True)] * len(ITEMS))
        self.assertEqual(await both(and_returns, on_error="skip"), [])
        self.assertEqual(await both(and_fails, on_error="skip"), [])
        graph = rm.Graph()
        graph.add(and_fails)
        with self.assertRaises(rm.NodeError) as raised:
            await graph.pipeline().arun([1])
        self.assertIsInstance(raised.exception.__cause__, ValueError)

    async def test_what_a_task_refuses(self):
        class Yields:
            def __await__(self):
                yield 5

        async def strange(item):
            await Yields()

        async def itself(item):
            await asyncio.current_task()

        for node in strange, itself:
            graph = rm.Graph()
            graph.add(node)
            with self.assertRaises(rm.NodeError) as raised:
                await graph.pipeline().arun([1])
            self.assertIsInstance(raised.exception.__cause__, RuntimeError)

    async def test_results_of_other_kinds(self):
        async def later(item):
            VARIABLE.set(item)

            async def inner():
                await asyncio.sleep(0)
                return VARIABLE.get()

            return inner()

        async def several(item):
            VARIABLE.set(item)

            async def values():
                yield item
                await asyncio.sleep(0)
                yield VARIABLE.get()

            return values()

        self.assertEqual(await both(later), ["none"] * len(ITEMS))  # a coroutine has a context of its own
        self.assertEqual(await both(several), [item for item in ITEMS for _ in range(2)])

    async def test_cancelling_while_coroutines_spin(self):
        ended = []

        async def node(item):
            try:
                while True:
                    await asyncio.sleep(0)
            finally:
                ended.append(item)

        graph = rm.Graph()
        graph.add(node, max_in_flight=3)
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.01):
                await graph.pipeline().arun(ITEMS)
        self.assertEqual(sorted(ended), [0, 1, 2])
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_frames(self):
        async def node(item):
            task = asyncio.current_task()
            await asyncio.sleep(0)
            return task.get_stack()[-1].f_code.co_name, asyncio.iscoroutine(task.get_coro())

        self.assertEqual((await both(node))[0], ("node", True))


if __name__ == "__main__":
    unittest.main()
