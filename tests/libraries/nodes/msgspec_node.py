"""Structs with generics and tagged unions, to JSON and MessagePack; annotations that are texts."""
from __future__ import annotations

import typing

import msgspec

LIBRARY = "msgspec"
INPUT = ['{"type": "Dot", "x": 1}', '{"type": "Line", "ends": [1, 2]}', '{"type": "Dot", "x": "a"}']
OUTPUT = [{"type": "Dot", "x": 1, "note": None}, {"type": "Line", "ends": [1, 2], "parent": None},
          "Expected `int`, got `str` - at `$.x`"]


class Dot(msgspec.Struct, tag=True):
    x: int
    note: str | None = None


class Line(msgspec.Struct, tag=True):
    ends: tuple[int, int]
    parent: typing.Optional[Line] = None


class Node:
    def __init__(self):
        self.decoder = msgspec.json.Decoder(typing.Union[Dot, Line])

    def process(self, item):
        try:
            value = self.decoder.decode(item)
        except msgspec.ValidationError as error:
            return str(error)
        back = msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=Dot | Line)
        assert back == value
        return msgspec.to_builtins(back)
