"""Blocking calls in anyio's worker threads."""
import threading

import anyio
import anyio.to_thread

LIBRARY = "anyio"
INPUT = [1, 2]
OUTPUT = [[2, True], [4, True]]
WASM = "No module named 'ssl'"


def block(x):
    return [2 * x, threading.current_thread() is not threading.main_thread()]


class Node:
    async def process(self, item):
        return await anyio.to_thread.run_sync(block, item)
