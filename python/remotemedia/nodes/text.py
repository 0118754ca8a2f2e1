"""Nodes that work on text."""
from ..core.node import Node

_OPERATIONS = {
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


class TextProcessorNode(Node):
    """Applies operations to the text of {"text", "operations"} items.

    The operations are uppercase (the default), lowercase, reverse, word_count, char_count, title_case, remove_spaces,
    first_word and last_word. The result is {"original_text", "operations", "results", "processed_by", "node_config"};
    a string stands for an item without operations, and every other item passes unchanged.
    """

    def __init__(self) -> None:
        pass

    def process(self, item: object) -> object:
        if isinstance(item, str):
            item = {"text": item}
        if not isinstance(item, dict) or "text" not in item:
            return item
        text, operations = item["text"], item.get("operations", ["uppercase"])
        if not isinstance(text, str):
            raise TypeError(f'"text" must be a string, not {type(text).__name__}')
        if not isinstance(operations, list):
            raise TypeError(f'"operations" must be a list, not {type(operations).__name__}')
        for name in operations:
            if name not in _OPERATIONS:
                raise ValueError(f"unknown operation {name!r}; known are {', '.join(_OPERATIONS)}")
        return {"original_text": text, "operations": operations,
                "results": {name: _OPERATIONS[name](text) for name in operations},
                "processed_by": f"TextProcessorNode[{self.name}]", "node_config": self.config}
