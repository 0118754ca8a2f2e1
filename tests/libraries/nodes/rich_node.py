"""Tables to a text, a console on standard error."""
import io

from rich.console import Console
from rich.table import Table

LIBRARY = "rich"
INPUT = [["a", "1"], ["b", "2"]]
OUTPUT = [True, True]
STDERR = ["a is 1"]
WASM = True


class Node:
    def initialize(self):
        self.console = Console(stderr=True, width=60)

    def process(self, item):
        self.console.print(f"[bold]{item[0]}[/bold] is {item[1]}")
        table = Table("name", "value")
        table.add_row(*item)
        text = io.StringIO()
        Console(file=text, width=40).print(table)
        return item[0] in text.getvalue() and "─" in text.getvalue()
