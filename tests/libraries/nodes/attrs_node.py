"""Classes with converters and validators, and annotations that are texts."""
from __future__ import annotations

import attrs
import typing

LIBRARY = "attrs"
INPUT = [["7", "a"], ["-1", "b"], ["3", ""]]
OUTPUT = [{"size": 7, "name": "a"}, "'size' must be > 0: -1", "name: ''", ["int", "str"]]
WASM = True


def not_empty(instance, attribute, value):
    if not value:
        raise ValueError(f"{attribute.name}: {value!r}")


@attrs.define(frozen=True, order=True)
class Box:
    size: int = attrs.field(converter=int, validator=attrs.validators.gt(0))
    name: str = attrs.field(validator=not_empty)


class Node:
    def process(self, item):
        try:
            return attrs.asdict(Box(*item))
        except ValueError as error:
            return str(error)

    def flush(self):
        attrs.resolve_types(Box)
        hints = typing.get_type_hints(Box)
        return [hints["size"].__name__, hints["name"].__name__]
