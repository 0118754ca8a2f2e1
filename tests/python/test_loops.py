"""Callers with other event loops, and with libraries around asyncio's."""
import asyncio
import importlib
import os
import subprocess
import sys
import tempfile
import unittest

import remotemedia as rm

sys.path += [path for path in os.environ["RM_TEST_LOOPS"].split(os.pathsep) if path not in sys.path]


def library(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise unittest.SkipTest(f"{name} is not there for this Python: {error}") from None


class Waits:
    """A node that says what becomes of its items. Even ones come after a while, odd ones at once."""
    max_in_flight = 8

    def __init__(self, told, stuck=False):
        self.told, self.stuck, self.started = told, stuck, None

    async def process(self, item):
        try:
            await asyncio.sleep(0)
            if self.stuck:
                self.told.append("waits")
                await asyncio.Event().wait()
            elif item % 2 == 0:
                await asyncio.sleep(0.001)
            return item * 2
        except asyncio.CancelledError:
            self.told.append("cancelled")
            raise

    async def cleanup(self):
        self.told.append("closed")


def pipeline_of(told, **fields):
    graph = rm.Graph()
    graph.add(Waits(told, **fields), id="node")
    return graph.pipeline()


async def numbers(count):
    for i in range(count):
        await asyncio.sleep(0)
        yield i


async def works():
    told = []
    pipeline = pipeline_of(told)
    assert await pipeline.arun(range(20)) == {"node": [2 * i for i in range(20)]}
    assert [each async for each in pipeline.astream(numbers(20))] == [2 * i for i in range(20)]
    stream = pipeline.astream(range(20))
    assert await anext(stream) == 0
    await stream.aclose()
    assert told.count("closed") == 3


async def expires():
    """A timeout closes the node, whose task is cancelled, and the loop has no task more than before."""
    told = []
    try:
        async with asyncio.timeout(None) as scope:
            async def wait():
                while "waits" not in told:
                    await asyncio.sleep(0)
                scope.reschedule(0)
            waiter = asyncio.create_task(wait())
            await pipeline_of(told, stuck=True).arun(numbers(5))
    except TimeoutError:
        told.append("timeout")
    await waiter
    assert told[-1] == "timeout" and "closed" in told and "cancelled" in told, told
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Uvloop(unittest.TestCase):
    def test_runs(self):
        library("uvloop").run(works())

    def test_timeouts(self):
        library("uvloop").run(expires())


class Anyio(unittest.TestCase):
    def run_in(self, function):
        library("anyio").run(function, backend="asyncio")

    def test_runs(self):
        self.run_in(works)

    def test_timeouts(self):
        self.run_in(expires)

    def test_cancel_scopes(self):
        anyio = library("anyio")

        async def main():
            told = []
            with anyio.move_on_after(3600) as scope:
                async with anyio.create_task_group() as group:
                    async def cancel():
                        while "waits" not in told:
                            await anyio.sleep(0)
                        scope.cancel()
                    group.start_soon(cancel)
                    async for _ in pipeline_of(told, stuck=True).astream(range(3)):
                        pass
            assert scope.cancelled_caught and sorted(told) == ["cancelled"] * 3 + ["closed"] + ["waits"] * 3, told

        self.run_in(main)

    def test_scopes_in_nodes(self):
        anyio = library("anyio")

        async def node(item):
            with anyio.move_on_after(0.005) as scope:
                await anyio.sleep(3600 if item == 1 else 0)
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
            return scope.cancelled_caught

        async def main():
            graph = rm.Graph()
            graph.add(node, max_in_flight=2)
            assert await graph.pipeline().arun(range(4)) == {"node": [False, True, False, False]}

        self.run_in(main)

    def test_a_group_that_fails_ends_its_runs(self):
        anyio = library("anyio")

        async def main():
            told = []
            try:
                async with anyio.create_task_group() as group:
                    async def fail():
                        while "waits" not in told:
                            await anyio.sleep(0)
                        raise LookupError("mine")
                    group.start_soon(pipeline_of(told, stuck=True).arun, [1])
                    group.start_soon(fail)
            except* LookupError:
                told.append("failed")
            assert sorted(told) == ["cancelled", "closed", "failed", "waits"], told

        self.run_in(main)


class Trio(unittest.TestCase):
    """By a thread: nodes that are coroutines run on the runtime's own loop there."""

    def test_runs_in_a_thread(self):
        trio, told = library("trio"), []
        pipeline = pipeline_of(told)

        async def main():
            results = []

            async def one():
                results.append(await trio.to_thread.run_sync(pipeline.run, range(20)))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(one)
                nursery.start_soon(one)
            assert results == [{"node": [2 * i for i in range(20)]}] * 2

        trio.run(main)
        self.assertEqual(told, ["closed"] * 2)

    def test_cancelling(self):
        """Trio leaves the thread to itself; stream().cancel() ends the run."""
        trio, told = library("trio"), []

        async def main():
            stream = pipeline_of(told, stuck=True).stream([1])
            with trio.move_on_after(3600) as scope:
                async with trio.open_nursery() as nursery:
                    async def cancel():
                        while "waits" not in told:
                            await trio.sleep(0)
                        scope.cancel()
                    nursery.start_soon(cancel)
                    try:
                        await trio.to_thread.run_sync(list, stream, abandon_on_cancel=True)
                    finally:
                        stream.cancel()
            assert scope.cancelled_caught
            while "closed" not in told:
                await trio.sleep(0.001)

        trio.run(main)


class Pytest(unittest.TestCase):
    def test_with_pytest_asyncio(self):
        for name in "pytest", "pytest_asyncio":
            library(name)
        text = ("import asyncio, pytest, remotemedia as rm\n"
                "@pytest.mark.asyncio\nasync def test_a_pipeline():\n"
                "    async def node(item):\n        await asyncio.sleep(0)\n        return item + 1\n"
                "    graph = rm.Graph()\n    graph.add(node)\n"
                "    assert await graph.pipeline().arun([1]) == {'node': [2]}\n"
                "    assert [each async for each in graph.pipeline().astream([1])] == [2]\n"
                "@pytest.mark.asyncio\nasync def test_a_failure():\n"
                "    graph = rm.Graph()\n    graph.add(lambda item: 1 / item)\n"
                "    with pytest.raises(rm.NodeError):\n        await graph.pipeline().arun([0])\n")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "test_it.py"), "w") as file:
                file.write(text)
            env = dict(os.environ, PYTHONPATH=os.environ["RM_TEST_LOOPS"], PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
            command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "test_it.py"]
            done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("2 passed", done.stdout)


if __name__ == "__main__":
    unittest.main()
