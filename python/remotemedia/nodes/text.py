"""Nodes that work on text."""
from ..core.node import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_OPERATIONS: "dict[str, Callable[[str], Any]]" = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "reverse": lambda text: text[::-1],
    "word_count": lambda text: len(text.split()),
    "char_count": len,
    "title_case": str.title,
    "remove_spaces": lambda text: text.replace(" ", ""),
    "first_word": lambda text: (text.split() or [""])[0],
    "last_word": lambda text: (text.split() or [""])[-1],
}


def _check(operations: object) -> None:
    if not isinstance(operations, list):
        raise TypeError(f'"operations" must be a list, not {type(operations).__name__}')
    for name in operations:
        if not isinstance(name, str) or name not in _OPERATIONS:
            raise ValueError(f"unknown operation {name!r}; known are {', '.join(_OPERATIONS)}")


class TextProcessorNode(Node):
    """Applies operations to the text of {"text", "operations"} items.

    The operations are uppercase, lowercase, reverse, word_count, char_count, title_case, remove_spaces, first_word and
    last_word; an item that names none gets those of the parameter (preset: uppercase). The result is {"original_text",
    "operations", "results", "processed_by", "node_config"}; a string stands for an item without operations, and every
    other item passes unchanged.
    """

    def __init__(self, operations: "list[str]" = ["uppercase"]) -> None:  # never changed
        _check(operations)
        self.operations = operations

    def process(self, item: object) -> object:
        if isinstance(item, str):
            item = {"text": item}
        if not isinstance(item, dict) or "text" not in item:
            return item
        text, operations = item["text"], item.get("operations", self.operations)
        if not isinstance(text, str):
            raise TypeError(f'"text" must be a string, not {type(text).__name__}')
        _check(operations)
        return {"original_text": text, "operations": list(operations),
                "results": {name: _OPERATIONS[name](text) for name in operations},
                "processed_by": f"TextProcessorNode[{self.name}]", "node_config": self.config}
