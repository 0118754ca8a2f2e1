"""The nodes that are measured, as a user would write them; loop.py calls their methods in loops."""

import asyncio


class AddOne:
    def process(self, item):
        return item + 1


class Multiply:
    def process(self, item):
        return item * 3


class Update:
    def process(self, item):
        item["value"] = item["value"] + 1
        return item


class AsyncAddOne:
    async def process(self, item):
        return item + 1


class AsyncThousand:
    async def process(self, item):
        for i in range(1000):
            yield i


class AsyncThousandWaits:
    async def process(self, item):
        for i in range(1000):
            yield i
            await asyncio.sleep(0)
