"""Cancel scopes around yields, task groups, memory streams and worker threads."""
import anyio

LIBRARY = "anyio"
INPUT = [1, 2]
OUTPUT = [[1, 4, 9], 1, "late", [1, 4, 9], 2, "late"]
WASM = "No module named 'ssl'"


async def square(x, results):
    await anyio.sleep(0.001 * x)
    results.append(x * x)


class Node:
    async def process(self, item):
        results = []
        async with anyio.create_task_group() as group:
            for x in (3, 1, 2):
                group.start_soon(square, x, results)
        yield results
        with anyio.move_on_after(0.05) as scope:
            yield item
            await anyio.sleep(60)
            yield "not reached"
        if scope.cancelled_caught:
            yield "late"
