"""A server and a client in the runtime's loop; the threaded client."""
import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.sync.client import connect as connect_sync

LIBRARY = "websockets"
INPUT = ["a", "b"]
OUTPUT = [["A", "A"], ["B", "B"]]
WASM = "No module named 'ssl'"


async def upper(connection):
    async for message in connection:
        await connection.send(message.upper())


def ask(port, text):
    with connect_sync(f"ws://127.0.0.1:{port}", proxy=None) as client:
        client.send(text)
        return client.recv()


class Node:
    async def initialize(self):
        self.server = await serve(upper, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.client = await connect(f"ws://127.0.0.1:{self.port}", proxy=None)

    async def process(self, item):
        await self.client.send(item)
        return [await self.client.recv(), await asyncio.to_thread(ask, self.port, item)]

    async def cleanup(self):
        await self.client.close()
        self.server.close()
        await self.server.wait_closed()
