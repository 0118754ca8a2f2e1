"""asyncio.timeout and a task group around yields of an async generator."""
import asyncio
import contextvars

LIBRARY = "python"
INPUT = [1, 2]
OUTPUT = [1, "t", "g", "reset", 2, "t", "g", "reset"]
WASM = True
current = contextvars.ContextVar("current")


class Node:
    async def process(self, item):
        token = current.set(item)
        try:
            async with asyncio.timeout(0.05):
                yield item
                await asyncio.sleep(60)
        except TimeoutError:
            yield "t"
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.001))
            yield "g"
        current.reset(token)
        yield "reset"
