"""Small programs in the manner of pyperformance; a Python node calls the one that an item names, as often as KERNELS
says, so that each takes about 10 ms natively. The result is the seconds it took.

V8 replaces no function while it runs, so what warms up is the number of items, not of loops inside."""

import json
import pickle
import re
import time


def bodies():
    places = [(0.0, 0.0, 0.0, 40.0), (4.8, -1.2, -0.1, 0.04), (8.3, 4.1, -0.4, 0.01), (12.9, -15.1, -0.2, 0.002)]
    state = [[x, y, z, 0.01 * y, -0.01 * x, 0.0, mass] for x, y, z, mass in places]
    for _ in range(2000):
        for i, a in enumerate(state):
            for b in state[i + 1:]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                pull = 0.001 * (dx * dx + dy * dy + dz * dz) ** -1.5
                a[3] -= dx * b[6] * pull
                a[4] -= dy * b[6] * pull
                a[5] -= dz * b[6] * pull
                b[3] += dx * a[6] * pull
                b[4] += dy * a[6] * pull
                b[5] += dz * a[6] * pull
        for body in state:
            for axis in range(3):
                body[axis] += 0.001 * body[axis + 3]


def calls(n=20):
    return n if n < 2 else calls(n - 1) + calls(n - 2)


class Task:
    def __init__(self, number, following):
        self.number, self.following, self.left = number, following, 200

    def work(self):
        self.left -= 1
        return self.following if self.left % 3 else self


class Waiting(Task):
    def work(self):
        self.left -= 2
        return self.following


def objects():
    last = None
    for number in range(50):
        last = (Waiting if number % 2 else Task)(number, last)
    done = 0
    for _ in range(300):
        task = last
        while task is not None:
            done += task.number
            following = task.work()
            task = following if following is not task else task.following


def containers():
    counts, items = {}, []
    for i in range(20000):
        key = f"k{i % 700}"
        counts[key] = counts.get(key, 0) + i
        items.append((i * 7919 % 1000, key))
    items.sort()
    return sorted(counts.items(), key=lambda item: item[1])[:3], {value for value, _ in items}


def matrix():
    size = 60
    vector = [1.0] * size
    for _ in range(3):
        vector = [sum(v / ((i + j) * (i + j + 1) // 2 + i + 1) for j, v in enumerate(vector)) for i in range(size)]


def permutations():
    def place(left, taken):
        if not left:
            return 1
        return sum(place(left[:i] + left[i + 1:], taken + [x]) for i, x in enumerate(left))

    return place([0, 1, 2, 3, 4, 5, 6], [])


def generators():
    def count(n):
        yield from range(n)

    return sum(x * 2 for x in (y for y in count(20000) if y % 3))


def text():
    return "".join(f"{i:05d} {i / 3:.3f} {str(i).upper()!r:>8}\n".replace("3", "three") for i in range(5000)).split()


DOCUMENT = {"names": ["a", 2.5, None, True] * 50, "values": {f"k{i}": i for i in range(200)}}
PATTERN = re.compile(r"(\w+)@(\w+)\.(com|org)")
LETTERS = "someone wrote to baz@qux.com and nobody@example.org today " * 20


def json_text():
    for _ in range(40):
        json.loads(json.dumps(DOCUMENT))


def regular_expressions():
    for _ in range(40):
        PATTERN.findall(LETTERS)


def pickled():
    for _ in range(60):
        pickle.loads(pickle.dumps(DOCUMENT))


KERNELS = {
    "bodies": (bodies, 1),
    "calls": (calls, 10),
    "objects": (objects, 6),
    "containers": (containers, 1),
    "matrix": (matrix, 7),
    "permutations": (permutations, 1),
    "generators": (generators, 7),
    "text": (text, 1),
    "json": (json_text, 4),
    "expressions": (regular_expressions, 8),
    "pickle": (pickled, 6),
}


def process(item):
    kernel, times = KERNELS[item]
    started = time.perf_counter()
    for _ in range(times):
        kernel()
    return time.perf_counter() - started
