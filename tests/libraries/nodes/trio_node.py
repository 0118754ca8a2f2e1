"""trio.run in a synchronous node: nurseries, channels, timeouts."""
import trio

LIBRARY = "trio"
INPUT = [3, 2]
OUTPUT = [[0, 1, 4, "late"], [0, 1, "late"]]
WASM = "No module named '_ctypes'"


async def squares(count, channel):
    async with channel:
        for x in range(count):
            await channel.send(x * x)


async def main(count):
    found = []
    sender, receiver = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(squares, count, sender)
        async for value in receiver:
            found.append(value)
    with trio.move_on_after(0.05) as scope:
        await trio.sleep(60)
    return found + ["late" if scope.cancelled_caught else "in time"]


class Node:
    def process(self, count):
        return trio.run(main, count)
