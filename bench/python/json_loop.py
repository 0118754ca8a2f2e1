"""What a pipeline of three nodes does, with Python's json module and a loop.

    json_loop.py ints|dicts INPUT OUTPUT            one document in, one out
    json_loop.py ints|dicts INPUT.jsonl OUTPUT      line by line

Prints nanoseconds an item, without reading and writing the file when it is one document.
"""

import json
import sys
import time


def passed(item):
    return item


def multiplied(item):
    return item * 3


def added(item):
    return item + 1


def positive(item):
    return item if item["value"] >= 0 else None


NODES = {"ints": (multiplied, added, passed), "dicts": (passed, positive, passed)}
COMPACT = {"ensure_ascii": False, "separators": (",", ":")}


def document(source, target, nodes):
    one, two, three = nodes
    text = source.read()
    started = time.perf_counter_ns()
    items = json.loads(text)["input_data"]
    results = []
    for item in items:
        item = two(one(item))
        if item is not None:
            results.append(three(item))
    text = json.dumps({"status": "success", "outputs": {"c": results}}, **COMPACT)
    took = time.perf_counter_ns() - started
    target.write(text)
    return took / len(items)


def lines(source, target, nodes):
    one, two, three = nodes
    count = 0
    started = time.perf_counter_ns()
    write = json.JSONEncoder(**COMPACT).encode
    for line in source:
        item = two(one(json.loads(line)))
        if item is not None:
            target.write(write(three(item)) + "\n")
        count += 1
    return (time.perf_counter_ns() - started) / count


def main():
    kind, source, target = sys.argv[1:]
    work = lines if source.endswith(".jsonl") else document
    with open(source, encoding="utf-8") as items, open(target, "w", encoding="utf-8") as results:
        print(work(items, results, NODES[kind]))


main()
