"""uvloop in a loop of the node's own, from a synchronous node."""
import asyncio

import uvloop

LIBRARY = "uvloop"
INPUT = [1, 2]
OUTPUT = [[1, "uvloop"], [2, "uvloop"]]


async def main(item):
    await asyncio.sleep(0.001)
    return [item, type(asyncio.get_running_loop()).__module__.split(".")[0]]


class Node:
    def process(self, item):
        return uvloop.run(main(item))
