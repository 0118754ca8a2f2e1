"""A progress bar on standard error."""
from rich.console import Console
from rich.progress import track

LIBRARY = "rich"
INPUT = [2, 3]
OUTPUT = [1, 3]
STDERR = ["working", "100%"]
WASM = "No module named 'mmap'"


class Node:
    def process(self, item):
        return sum(track(range(item), description="working", console=Console(stderr=True, width=60)))
