"""Docstrings for `remotemedia nodes info`."""


def describe(doc: str) -> "tuple[str, str]":
    """The first line of a docstring, and the paragraphs after it, each on one line."""
    first, *rest = doc.strip().expandtabs().split("\n")
    widths = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    width = min(widths, default=0)
    paragraphs = "\n".join(line[width:].rstrip() for line in rest).strip("\n").split("\n\n")
    return first.removesuffix("."), "\n\n".join(map(_join, paragraphs))


def _join(paragraph: str) -> str:
    """Lines joined to one, unless the paragraph is a list or code."""
    lines = paragraph.split("\n")
    return paragraph if any(line.startswith((" ", "- ", "* ")) for line in lines) else " ".join(lines)


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
