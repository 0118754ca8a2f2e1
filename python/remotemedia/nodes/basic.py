"""Nodes that emit items unchanged, or gather them."""
from ..core.node import Node


class PassThroughNode(Node):
    """Gives each item unchanged.

    A null item is dropped, as every returned None is; the native PassThrough carries it.
    """

    def __init__(self) -> None:
        pass

    def process(self, item: object) -> object:
        return item


class DataTransform(Node):
    """Gives each item unchanged; a place to start from."""

    def __init__(self) -> None:
        pass

    def process(self, item: object) -> object:
        return item


class BufferNode(Node):
    """Gathers items into lists of `buffer_size`; what is left comes at the end."""

    def __init__(self, buffer_size: int = 10) -> None:
        if isinstance(buffer_size, bool) or not isinstance(buffer_size, int) or buffer_size < 1:
            raise ValueError(f"buffer_size must be an integer of at least 1, not {buffer_size!r}")
        self.buffer_size = buffer_size
        self.items: "list[object]" = []

    def process(self, item: object) -> "list[object] | None":
        self.items.append(item)
        return self.flush() if len(self.items) >= self.buffer_size else None

    def flush(self) -> "list[object] | None":
        items, self.items = self.items, []
        return items or None
