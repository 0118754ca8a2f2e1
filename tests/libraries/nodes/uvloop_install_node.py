"""uvloop.install() where the module is loaded: the asynchronous node runs, in which loop the documentation says."""
import asyncio
import warnings

import uvloop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    uvloop.install()

LIBRARY = "uvloop"
INPUT = [1, 2]
OUTPUT = [[1, "uvloop"], [2, "uvloop"]]


class Node:
    async def process(self, item):
        await asyncio.sleep(0.001)
        return [item, type(asyncio.get_running_loop()).__module__.split(".")[0]]
