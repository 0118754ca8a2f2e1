"""Functions of the node in pools of concurrent.futures and multiprocessing, by every way to start a process."""
import concurrent.futures
import multiprocessing

LIBRARY = "python"
INPUT = ["fork", "spawn", "forkserver"]
OUTPUT = [["fork", [0, 1, 4], [0, 1, 4]], ["spawn", [0, 1, 4], [0, 1, 4]], ["forkserver", [0, 1, 4], [0, 1, 4]]]
WASM = "there are no processes in WebAssembly"


def square(x):
    return x * x


class Node:
    def process(self, method):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            first = list(pool.map(square, range(3)))
        with context.Pool(2) as pool:
            second = pool.map(square, range(3))
        return [method, first, second]
