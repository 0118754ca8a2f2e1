"""What is measured of numpy: a Python node, or another host, calls `process` with a kernel's name; the result is the seconds
that it took. Each is called as often as KERNELS says, so that it takes about 20 ms natively; a browser's engine compiles
anew what has run for a while."""

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
    "sum": (lambda: x.sum(), 30),
    "add": (lambda: x + y, 15),
    "where": (lambda: np.where(x > 0.5, x, y), 4),
    "sin": (lambda: np.sin(x), 2),
    "exp": (lambda: np.exp(x), 10),
    "fft": (lambda: np.fft.fft(signal), 15),
    "small": (small_ufuncs, 4),
    "matmul": (lambda: a @ b, 20),
    "sort": (lambda: np.sort(x), 1),
    "argsort": (lambda: np.argsort(x), 1),
    "sort_int32": (lambda: np.sort(integers), 1),
    "multiply": (lambda: np.multiply(x, y, out=out), 15),
    "sqrt": (lambda: np.sqrt(x), 15),
    "max": (lambda: x.max(), 30),
    "cumsum": (lambda: np.cumsum(x), 5),
    "rfft": (lambda: np.fft.rfft(signal), 20),
    "solve": (lambda: np.linalg.solve(a, b[:, 0]), 10),
    "svd": (lambda: np.linalg.svd(a[:128, :128]), 4),
    "normal": (lambda: random.standard_normal(SIZE), 1),
}


def process(item):
    kernel, times = KERNELS[item]
    started = time.perf_counter()
    for _ in range(times):
        kernel()
    return (time.perf_counter() - started) / times
