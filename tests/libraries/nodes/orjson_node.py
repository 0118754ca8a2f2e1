"""Values there and back, numpy's arrays, dataclasses, and errors."""
import dataclasses
import datetime

import orjson

LIBRARY = "orjson"
INPUT = ['{"a": [1, 2.5, null]}', "{", "[]"]
OUTPUT = [{"a": [1, 2.5, None]}, "JSONDecodeError", [], '{"x":1,"at":"2024-02-29T12:00:00"}']


@dataclasses.dataclass
class Point:
    x: int
    at: datetime.datetime


class Node:
    def process(self, item):
        try:
            return orjson.loads(item)
        except orjson.JSONDecodeError as error:
            return type(error).__name__

    def flush(self):
        return orjson.dumps(Point(1, datetime.datetime(2024, 2, 29, 12))).decode()
