"""RemoteMedia: nodes in Python.

`Node` is a base class for nodes (any class with `process` is a node), `Packet` adds a port, times and metadata to an emitted
value, `Tensor` is the class of audio and arrays in Python.
"""
from .core.node import Node

__all__ = ["Node", "Packet", "Tensor"]


def __getattr__(name: str) -> object:
    if name in ("Packet", "Tensor"):
        try:
            import _remotemedia
        except ImportError:
            raise ImportError(f"remotemedia.{name} exists only inside a pipeline: run this with `remotemedia run`") from None
        value = getattr(_remotemedia, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'remotemedia' has no attribute {name!r}")
