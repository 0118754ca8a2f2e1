"""The rows of the table of bench/numpy/run; bench/wasm/rows.py makes figures of them."""

from array_samples import JSON_MIB, KERNELS
from rows import Row, key, less

TWICE = ("sum", "add", "where", "sin", "exp", "fft", "small")  # what may take twice as long as natively
LIMITS = {"matmul": 8, "sort": 90, "argsort": 150}  # milliseconds in Node
HOSTS = {"node": "Node", "wasmtime": "wasmtime", "chromium": "Chromium"}


def times(kernel, host, peer):
    return lambda of: of(f"kernel {kernel} {host}") / of(f"kernel {kernel} {peer}")


def rows():
    yield "Natively: an array of 1 MiB through a C node, a Python node and a C node"
    yield Row("bytes copied, returned as it came", "bytes", key("hop_tensor_copied"), 0, why="hop")
    yield Row("bytes copied, returned as numpy's array", "bytes", key("hop_array_copied"), 0, why="hop")
    yield Row("beyond an int, returned as it came", "us", scaled(less("hop_tensor", "hop_scalar")), 1, why="hop")
    yield Row("beyond an int, returned as numpy's array", "us", scaled(less("hop_array", "hop_scalar")), 1, why="hop")
    yield Row("an int", "us", key("hop_scalar", 1e-3))
    yield f"JSON: {JSON_MIB} MiB of float32 in the __numpy__ form"
    for host, name, rate in (("native", "natively", 1.5), ("node", "in Node", 0.4)):
        aim = JSON_MIB * 2**20 / 1e6 / rate  # milliseconds at that many GB/s
        yield Row(f"read, {name}: {rate} GB/s", "ms", key(f"json parse {host}"), round(aim, 1), why="json")
        yield Row(f"written, {name}: {rate} GB/s", "ms", key(f"json write {host}"), round(aim, 1), why="json")
    yield "Size"
    for kind, raw, brotli in (("full", 18.5, 4.8), ("snapshot", None, None)):
        yield Row(f"{kind}, raw", "MB", key(f"size {kind}"), raw, why="size")
        yield Row(f"{kind}, brotli -q 11", "MB", key(f"brotli {kind}"), brotli, why="size")
    yield "Start: a whole process in Node with numpy imported, beyond `node -e 0`"
    peer = {"pyodide": less("start pyodide wall", "start node wall"), "native": key("start native wall")}
    yield Row("snapshot", "ms", less("start snapshot wall", "start node wall"), 200, why="start", **peer)
    yield Row("plain", "ms", less("start full wall", "start node wall"), **peer)
    peer = {"pyodide": less("start pyodide cpu", "start node cpu"), "native": key("start native cpu")}
    yield Row("snapshot, CPU time", "ms", less("start snapshot cpu", "start node cpu"), **peer)
    yield Row("plain, CPU time", "ms", less("start full cpu", "start node cpu"), **peer)
    yield "Kernels in Node"
    for kernel, what in KERNELS.items():
        peer = {"native": key(f"kernel {kernel} native"), "pyodide": key(f"kernel {kernel} pyodide")}
        yield Row(what, "ms", key(f"kernel {kernel} node"), LIMITS.get(kernel), why="kernel", **peer)
    for host, name in HOSTS.items():
        yield f"Kernels in {name} against native numpy with one thread"
        for kernel, what in KERNELS.items():
            aim = 2 if kernel in TWICE else None
            yield Row(what, "times", times(kernel, host, "native"), aim, why="exp" if kernel == "exp" else "kernel")


def scaled(function):
    return lambda of: function(of) / 1000


REASONS = {
    "hop": "numpy's asarray, a box for the array, the search for others who hold its memory, three takes of Python's "
    "lock",
    "json": "not measured singly",
    "size": "the file holds CPython and its whole standard library with their docstrings, and the native nodes with all audio "
    "decoders; numpy is the smaller part",
    "start": "most of it is reading, checking and compiling the file in Node, before the first instruction runs",
    "exp": "natively numpy has an exp of its own for AVX-512, where the processor has it; inside it is the C library's, with the "
    "bits of math.exp",
    "kernel": "WASM has vectors of two float64, natively there are four or eight, and calls through tables are checked",
}
