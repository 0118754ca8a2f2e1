"""Docstrings for `remotemedia nodes info`."""


def dedent(doc: str) -> str:
    """The text of a docstring without the indentation that it has in the source."""
    first, *rest = doc.strip().expandtabs().split("\n")
    widths = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    width = min(widths, default=0)
    return "\n".join([first, *(line[width:].rstrip() for line in rest)])


class Python:
    """Runs Python code that stands in the manifest.

    The code defines process(item), or a class Node with process(self, item). It may also define initialize(), flush()
    and cleanup(), or generate() for a source. With functions, the other parameters of the node are in `params`; a class
    gets them as arguments.
    """

    def __init__(self, code: str, **params: object) -> None:
        pass

    def process(self, item: object) -> object:
        return item
