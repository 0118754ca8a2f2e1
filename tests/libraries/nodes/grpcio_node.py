"""A server of grpc.aio and a channel to it in the runtime's loop; and both with threads."""
from concurrent import futures

import grpc
import grpc.aio

LIBRARY = "grpcio"
INPUT = ["a", "b"]
OUTPUT = [["A", "A"], ["B", "B"]]


def handlers(function):
    return grpc.method_handlers_generic_handler("Test", {"Upper": grpc.unary_unary_rpc_method_handler(function)})


async def upper_async(request, context):
    return request.upper()


def upper(request, context):
    return request.upper()


class Node:
    async def initialize(self):
        self.server = grpc.aio.server()
        self.server.add_generic_rpc_handlers((handlers(upper_async),))
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.threads = grpc.server(futures.ThreadPoolExecutor(2))
        self.threads.add_generic_rpc_handlers((handlers(upper),))
        port = self.threads.add_insecure_port("127.0.0.1:0")
        self.threads.start()
        self.plain = grpc.insecure_channel(f"127.0.0.1:{port}")

    async def process(self, item):
        first = await self.channel.unary_unary("/Test/Upper")(item.encode())
        second = self.plain.unary_unary("/Test/Upper")(item.encode(), timeout=20)
        return [first.decode(), second.decode()]

    async def cleanup(self):
        await self.channel.close()
        await self.server.stop(None)
        self.plain.close()
        self.threads.stop(None).wait()
