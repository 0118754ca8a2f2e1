"""One round of bench/package/wheels, as JSON: {what: microseconds of processor time of one}."""
import asyncio
import json
import time

import remotemedia as rm


def pipeline(*nodes, **fields):
    graph = rm.Graph("t")
    place = graph.add(nodes[0], **fields)
    for node in nodes[1:]:
        place >>= node
    return graph.pipeline()


def times(function, count):
    """Of one of `count`, when the function does all of them."""
    begin = time.process_time()
    function()
    return (time.process_time() - begin) / count * 1e6


async def later(item):
    return item


def calls(function, count):
    return times(lambda: [function() for _ in range(count)], count)


def items(made, values):
    return times(lambda: [None for _ in made.stream(values)], len(values))


TEXT = json.dumps(rm.Graph("t")._manifest(None) | {"nodes": [{"id": "a", "node_type": "Multiply", "params": {"factor": 2}}]})
NATIVE = rm.Pipeline.from_json(TEXT)
DICTS = [{"id": i, "text": "some words", "list": [1, 2.5, None]} for i in range(20_000)]


async def aruns(count):
    for _ in range(count):
        await NATIVE.arun([1])


print(json.dumps({
    "`from_json` and `run([1])`": calls(lambda: rm.Pipeline.from_json(TEXT).run([1]), 5000),
    "`run([1])`, one native node": calls(lambda: NATIVE.run([1]), 10_000),
    "`await arun([1])`": times(lambda: asyncio.run(aruns(10_000)), 10_000),
    "an int through a native node": items(NATIVE, range(500_000)),
    "an int through a Python function": items(pipeline(lambda item: item), range(200_000)),
    "an int through a coroutine function": items(pipeline(later, max_in_flight=16), range(20_000)),
    "a dict through a Python function": items(pipeline(lambda item: item), DICTS),
    "a dict through a native node": items(pipeline("PassThrough"), DICTS),
    "a list of 10,000 ints through a native node": items(pipeline(rm.nodes.Multiply(factor=3)), [list(range(10_000))] * 50),
}))
