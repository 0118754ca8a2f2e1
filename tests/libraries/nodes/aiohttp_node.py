"""A session that async initialize opens, used by eight requests at once; the server runs in the same loop."""
from aiohttp import ClientSession, web

LIBRARY = "aiohttp"
INPUT = ["one", "two", "three"]
OUTPUT = [["one", 200], ["two", 200], ["three", 200]]
WASM = "module 'socket' has no attribute 'AI_NUMERICSERV'"


class Node:
    max_in_flight = 8

    async def initialize(self):
        async def reply(request):
            return web.json_response({"name": request.match_info["name"]})

        app = web.Application()
        app.router.add_get("/{name}", reply)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = self.runner.addresses[0][1]
        self.session = ClientSession(f"http://127.0.0.1:{port}")

    async def process(self, item):
        async with self.session.get("/" + item) as answer:
            return [(await answer.json())["name"], answer.status]

    async def cleanup(self):
        await self.session.close()
        await self.runner.cleanup()
