"""Functions, closures and classes of the node there and back in the same process."""
import cloudpickle

LIBRARY = "cloudpickle"
INPUT = [1, 2]
OUTPUT = [[11, "Point(x=1)"], [12, "Point(x=2)"]]
WASM = True
FACTOR = 10


class Point:
    def __init__(self, x):
        self.x = x

    def __repr__(self):
        return f"Point(x={self.x})"


class Node:
    def process(self, item):
        call = cloudpickle.loads(cloudpickle.dumps(lambda: item + FACTOR))
        return [call(), repr(cloudpickle.loads(cloudpickle.dumps(Point(item))))]
