"""Plain Python loops over the methods of bench_nodes.py; prints "case nanoseconds-an-item" for each case."""

import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0])
from bench_nodes import AddOne, AsyncAddOne, AsyncThousand, AsyncThousandWaits, Multiply, Update  # noqa: E402


def one(make, items):
    process = make().process
    started = time.perf_counter_ns()
    for item in items:
        process(item)
    return time.perf_counter_ns() - started


def ten(make, items):
    methods = [make().process for _ in range(10)]
    started = time.perf_counter_ns()
    for item in items:
        for process in methods:
            item = process(item)
    return time.perf_counter_ns() - started


def coroutines(make, items):
    import asyncio

    async def loop():
        process = make().process
        started = time.perf_counter_ns()
        for item in items:
            await process(item)
        return time.perf_counter_ns() - started

    return asyncio.run(loop())


def generators(make, items):
    """Nanoseconds a value."""
    import asyncio

    async def loop():
        process = make().process
        started = time.perf_counter_ns()
        for item in items:
            async for _ in process(item):
                pass
        return (time.perf_counter_ns() - started) / 1000

    return asyncio.run(loop())


def small_dicts(count):
    item = {"id": 7, "name": "item", "value": 1}
    for _ in range(count):
        yield item


CASES = {
    "python_int_1": (one, AddOne, range, 500_000),
    "python_int_10": (ten, AddOne, range, 50_000),
    "python_multiply_10": (ten, Multiply, range, 50_000),
    "python_dict_1": (one, Update, small_dicts, 200_000),
    "python_dict_10": (ten, Update, small_dicts, 20_000),
    "python_async_1": (coroutines, AsyncAddOne, range, 100_000),
    "python_generator": (generators, AsyncThousand, range, 1000),
    "python_generator_waits": (generators, AsyncThousandWaits, range, 40),
}

for name in sys.argv[1:] or CASES:
    measure, make, source, count = CASES[name]
    measure(make, source(count // 20))
    print(f"{name} {measure(make, source(count)) / count:.3f}")
