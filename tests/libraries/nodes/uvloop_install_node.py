"""uvloop.install() where the module is loaded: an asynchronous node refuses the policy, which would have no effect."""
import asyncio
import warnings

import uvloop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    uvloop.install()

LIBRARY = "uvloop"
INPUT = [1, 2]
ERROR = "the event loop policy uvloop.EventLoopPolicy has no effect in node"


class Node:
    async def process(self, item):
        await asyncio.sleep(0.001)
        return [item, type(asyncio.get_running_loop()).__module__.split(".")[0]]
