"""The rows of `make bench-python`. Each is (what, unit, ours, peer's name, peer): functions that measure once."""
import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time

import remotemedia as rm

sys.path.append(os.environ["RM_TEST_NUMPY"])
import numpy  # noqa: E402

CALLS, ITEMS, ARRAYS, TASKS = 2000, 200_000, 5000, 20_000


def row(count, node_type="Multiply"):
    names = [f"n{i}" for i in range(count)]
    params = {"params": {"factor": 1}} if node_type == "Multiply" else {}
    return {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": name, "node_type": node_type, **params} for name in names],
            "connections": [{"from": a, "to": b} for a, b in zip(names, names[1:])]}


def each(function, count, unit):
    """The time of one of `count` calls."""
    begin = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - begin) / count * unit


def drained(iterable, count, unit):
    begin = time.perf_counter()
    for _ in iterable:
        pass
    return (time.perf_counter() - begin) / count * unit


# ---- Starting

def import_time(text):
    def measure():
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", text], check=True)
        return (time.perf_counter() - begin) * 1e3
    return measure


# ---- Calls

TEXT = json.dumps(row(1))
PIPELINE = rm.Pipeline.from_json(TEXT)


def arun():
    async def main():
        begin = time.perf_counter()
        for _ in range(CALLS):
            await PIPELINE.arun([1])
        return (time.perf_counter() - begin) / CALLS * 1e6
    return asyncio.run(main())


# ---- Items

def times_one(items):
    for item in items:
        yield item * 1


def chained(count):
    items = iter(range(ITEMS))
    for _ in range(count):
        items = times_one(items)
    return items


def streamed(count, source=range):
    pipeline = rm.Pipeline.from_dict(row(count))
    return lambda: drained(pipeline.stream(source(ITEMS)), ITEMS, 1e9)


def generator(count):
    yield from range(count)


def arrays():
    pipeline = rm.Pipeline.from_dict(row(1, "PassThrough"))
    array = numpy.ones(1 << 18, "float32")
    results = pipeline.run([array])["n0"]
    assert numpy.shares_memory(numpy.asarray(results[0]), array)
    return lambda: drained(pipeline.stream([array] * ARRAYS), ARRAYS, 1e6)


# ---- Coroutines: an item takes one turn of the loop

async def work(item):
    await asyncio.sleep(0)
    return item


def in_flight():
    graph = rm.Graph()
    graph.add(work, max_in_flight=100)
    pipeline = graph.pipeline()

    async def main():
        begin = time.perf_counter()
        async for _ in pipeline.astream(range(TASKS)):
            pass
        return (time.perf_counter() - begin) / TASKS * 1e6
    return lambda: asyncio.run(main())


def queues():
    async def main():
        todo, done = asyncio.Queue(100), asyncio.Queue(100)

        async def feed():
            for item in [*range(TASKS), *[None] * 100]:
                await todo.put(item)

        async def worker():
            while (item := await todo.get()) is not None:
                await done.put(await work(item))

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(feed())
            for _ in range(100):
                group.create_task(worker())
            for _ in range(TASKS):
                await done.get()
        return (time.perf_counter() - begin) / TASKS * 1e6
    return asyncio.run(main())


def tasks():
    """A task an item, 100 at once, as `astream` has them."""
    async def main():
        room, results = asyncio.Semaphore(100), []

        async def one(item):
            try:
                results.append(await work(item))
            finally:
                room.release()

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for item in range(TASKS):
                await room.acquire()
                group.create_task(one(item))
        return (time.perf_counter() - begin) / TASKS * 1e6
    return asyncio.run(main())


def memory():
    """MiB that a million items add to the most that the process has had."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in PIPELINE.stream(generator(1_000_000)):
        pass
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


ROWS = [
    ("import remotemedia, in a process", "ms", import_time("import remotemedia"), "a bare interpreter", import_time("")),
    ("import and Pipeline, in a process", "ms", import_time("import remotemedia; remotemedia.Pipeline"), "a bare interpreter", import_time("")),
    ("from_json and run([1])", "us", lambda: each(lambda: rm.Pipeline.from_json(TEXT).run([1]), CALLS, 1e6), None, None),
    ("run([1])", "us", lambda: each(lambda: PIPELINE.run([1]), CALLS, 1e6), None, None),
    ("await arun([1])", "us", arun, None, None),
    ("an int of a range, one node", "ns", streamed(1), "a generator", lambda: drained(chained(1), ITEMS, 1e9)),
    ("an int of a generator, one node", "ns", streamed(1, generator), "two generators", lambda: drained(times_one(generator(ITEMS)), ITEMS, 1e9)),
    ("an int of a range, ten nodes", "ns", streamed(10), "ten generators", lambda: drained(chained(10), ITEMS, 1e9)),
    ("1 MiB of numpy, one node, 0 bytes copied", "us", arrays(), None, None),
    ("a coroutine an item, 100 in flight", "us", in_flight(), "a task an item", tasks),
    ("the same", "us", in_flight(), "100 workers and queues", queues),
    ("a million items", "MiB more", memory, None, None),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    best = [[float("inf")] * 2 for _ in ROWS]
    for _ in range(rounds):
        for place, (_, _, ours, _, peer) in enumerate(ROWS):
            for which, measure in enumerate((ours, peer)):
                if measure is not None:
                    best[place][which] = min(best[place][which], measure())
    print("| what | ours | peer | |\n|---|---|---|---|")
    for (what, unit, _, name, peer), (ours, other) in zip(ROWS, best):
        print(f"| {what} | {ours:.4g} {unit} | {f'{other:.4g} {unit}' if peer else ''} | {name or ''} |")


if __name__ == "__main__":
    main()
