"""The base class of nodes."""


class Node:
    """A step of a pipeline: takes items, gives items.

    A subclass defines `process(item)`, which may be a coroutine function. What it returns is sent on; None drops the
    item. A generator sends each thing that it yields, None included.

    `name` is the node's id in the manifest, `config` the parameters that the manifest gives. With `arrays = "numpy"` a
    subclass is given arrays as numpy's, not as `remotemedia.Tensor`.
    """

    name: str = ""
    config: "dict[str, object]"
    arrays: str  # "numpy" or "tensor"; unless it is set, the run decides

    def __new__(cls, *args: object, **params: object) -> "Node":
        self = super().__new__(cls)
        self.config = params
        return self

    def __init__(self, **params: object) -> None:
        pass

    def initialize(self) -> object:
        """Called once before the first item; may be a coroutine function."""

    def process(self, item: object) -> object:
        """Called with each item; what it returns is sent on."""
        raise NotImplementedError(f"{type(self).__name__} has no process(item)")

    def cleanup(self) -> object:
        """Called once after the last item, also after a failure; may be a coroutine function."""


Node.process._not_defined = True  # tells the runtime that a subclass must define it, unless it generates
