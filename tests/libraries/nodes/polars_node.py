"""A lazy query with groups, in polars' own threads."""
import polars

LIBRARY = "polars"
INPUT = [[["a", 1], ["b", 2], ["a", 3]], [["c", 5]]]
OUTPUT = [[{"k": "a", "v": 4}, {"k": "b", "v": 2}], [{"k": "c", "v": 5}]]


class Node:
    def process(self, rows):
        frame = polars.LazyFrame(rows, schema=["k", "v"], orient="row")
        return frame.group_by("k").agg(polars.col("v").sum()).sort("k").collect().to_dicts()
