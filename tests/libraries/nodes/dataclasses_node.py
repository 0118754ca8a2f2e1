"""Dataclasses with annotations that are texts, slots and InitVar; their hints, their source, copies by pickle."""
from __future__ import annotations

import dataclasses
import inspect
import pickle
import typing

LIBRARY = "python"
INPUT = [1, 2]
OUTPUT = [[True, 2], [True, 4], ["int", "Box"], "class Box:"]
WASM = True


@dataclasses.dataclass(slots=True, order=True)
class Box:
    size: int
    parent: typing.Optional[Box] = None
    factor: dataclasses.InitVar[int] = 2
    scaled: int = dataclasses.field(init=False, default=0)

    def __post_init__(self, factor):
        self.scaled = factor * self.size


class Node:
    def process(self, item):
        box = Box(item)
        return [pickle.loads(pickle.dumps(box)) == box, box.scaled]

    def flush(self):
        hints = typing.get_type_hints(Box)
        yield [hints["size"].__name__, typing.get_args(hints["parent"])[0].__name__]
        yield inspect.getsource(Box).splitlines()[1]
