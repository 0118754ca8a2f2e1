"""AsyncClient against a server on loopback, Client with a transport of the test's, streaming, timeouts."""
import asyncio

import httpx

LIBRARY = "httpx"
INPUT = ["one", "two"]
OUTPUT = [[200, "/one", "mock /one"], [200, "/two", "mock /two"], "ReadTimeout"]
WASM = "sockets are not available in WebAssembly"


class Node:
    async def initialize(self):
        async def serve(reader, writer):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            if path != b"/slow":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
                await writer.drain()
            else:
                await reader.read()
            writer.close()

        self.server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.mock = httpx.Client(transport=httpx.MockTransport(lambda r: httpx.Response(200, text="mock " + r.url.path)))

    async def process(self, item):
        async with self.client.stream("GET", "/" + item) as answer:
            text = (await answer.aread()).decode()
        return [answer.status_code, text, self.mock.get("http://host/" + item).text]

    async def flush(self):
        try:
            await self.client.get("/slow", timeout=0.05)
        except httpx.TimeoutException as error:
            return type(error).__name__

    async def cleanup(self):
        self.mock.close()
        await self.client.aclose()
        self.server.close()
        await self.server.wait_closed()
