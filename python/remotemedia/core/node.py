"""The base class of nodes."""
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Node:
    """A step of a pipeline: takes items, emits items.

    A subclass defines `process(item)`, which may be a coroutine function. The node emits what `process` returns; None
    drops the item. A generator emits each value that it yields, None included.

    `name` is the node's id in the manifest, `config` the node's parameters in the manifest. With `arrays = "numpy"` a
    subclass gets arrays as numpy's, not as `remotemedia.Tensor`.
    """

    name: str = ""
    config: "dict[str, object]"
    arrays: str  # "numpy" or "tensor"; unless it is set, the run decides

    def __new__(cls, *args: object, **params: object) -> "Node":
        self = super().__new__(cls)
        object.__setattr__(self, "config", params)  # a frozen dataclass refuses its own
        return self

    def __init__(self, **params: object) -> None:
        pass

    def initialize(self) -> object:
        """Called once before the first item; may be a coroutine function."""

    def process(self, item: "Any", /) -> object:
        """Called with each item; the node emits what this returns."""
        raise NotImplementedError(f"{type(self).__name__} has no process(item)")

    def cleanup(self) -> object:
        """Called once after the last item, also after a failure; may be a coroutine function."""


setattr(Node.process, "_not_defined", True)  # tells the runtime that a subclass must define it, unless it generates
