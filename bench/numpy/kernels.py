"""What is measured of numpy: a Python node, or another host, calls `process` with a kernel's name; the result is the seconds
of one call: the least of a few timings, each of as many calls as KERNELS says, which take some milliseconds natively."""

import time

import numpy as np

SIZE = 1_000_000
random = np.random.default_rng(0)
x, y, out = random.random(SIZE), random.random(SIZE), np.empty(SIZE)
a, b = random.random((256, 256)), random.random((256, 256))
signal = random.random(1 << 16)
integers = random.integers(0, 1 << 30, SIZE, dtype=np.int32)
small = np.arange(8.0)


def small_ufuncs():
    values = small
    for _ in range(2000):
        values = values * 1.0000001 + 0.5
    return values


KERNELS = {
    "sum": (lambda: x.sum(), 5),
    "add": (lambda: x + y, 3),
    "where": (lambda: np.where(x > 0.5, x, y), 1),
    "sin": (lambda: np.sin(x), 1),
    "exp": (lambda: np.exp(x), 2),
    "fft": (lambda: np.fft.fft(signal), 2),
    "small": (small_ufuncs, 1),
    "matmul": (lambda: a @ b, 4),
    "sort": (lambda: np.sort(x), 1),
    "argsort": (lambda: np.argsort(x), 1),
    "sort_int32": (lambda: np.sort(integers), 1),
    "multiply": (lambda: np.multiply(x, y, out=out), 3),
    "sqrt": (lambda: np.sqrt(x), 3),
    "max": (lambda: x.max(), 5),
    "cumsum": (lambda: np.cumsum(x), 1),
    "rfft": (lambda: np.fft.rfft(signal), 4),
    "solve": (lambda: np.linalg.solve(a, b[:, 0]), 2),
    "svd": (lambda: np.linalg.svd(a[:128, :128]), 1),
    "normal": (lambda: random.standard_normal(SIZE), 1),
}
TIMINGS = 5


def seconds_of(kernel, calls):
    started = time.perf_counter()
    for _ in range(calls):
        kernel()
    return (time.perf_counter() - started) / calls


def process(item):
    return min(seconds_of(*KERNELS[item]) for _ in range(TIMINGS))
