"""RemoteMedia: media and data pipelines, and nodes in Python.

`Node` is a base class for nodes (any class with `process` is a node), `Packet` adds a port, times and metadata to an emitted
value, `Tensor` is the class of audio and arrays in Python. Installed with pip, the package runs pipelines: see `Pipeline`.
"""
from .core.node import Node

# What the package has when it is installed with pip; the program has pipelines of its own.
_INSTALLED = {"Pipeline": "_pipeline", "Error": "_errors", "ManifestError": "_errors", "NodeError": "_errors",
              "Timeout": "_errors", "Cancelled": "_errors", "Graph": "_graph", "node": "_node", "Place": "_graph",
              "Step": "_graph", "Run": "_runtime", "Sandbox": "_sandbox", "connect": "_connect",
              "Connection": "_connect"}

__all__ = ["Node", "Packet", "Tensor"]


def __getattr__(name: str) -> object:
    if name in ("Packet", "Tensor"):
        value = getattr(_compiled(name), name)
    elif name == "nodes":
        return __import__("remotemedia.nodes", fromlist=("nodes",))
    elif name == "__version__":
        value = _version()
    elif name in _INSTALLED:
        try:
            value = getattr(__import__(f"remotemedia.{_INSTALLED[name]}", fromlist=(name,)), name)
        except ModuleNotFoundError:
            raise AttributeError(f"remotemedia.{name} is in the package that pip installs, not inside the program") from None
    else:
        raise AttributeError(f"module 'remotemedia' has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    try:
        from . import _runtime
    except ImportError:
        raise AttributeError("remotemedia.__version__ is in the package that pip installs, not inside the program") from None
    return str(_runtime.version()["version"])


def __dir__() -> "list[str]":
    try:
        from . import _runtime  # noqa: F401
    except ImportError:
        installed: "list[str]" = []
    else:
        installed = [*_INSTALLED, "nodes"]
    return sorted({*globals(), *__all__, *installed})


def _compiled(name: str) -> object:
    """The runtime's own module; where the package is installed, `_runtime` brings it."""
    try:
        import _remotemedia
    except ImportError:
        try:
            from . import _runtime  # noqa: F401
            import _remotemedia
        except ImportError:
            raise ImportError(f"remotemedia.{name} exists only inside a pipeline: run this with `remotemedia run`") from None
    return _remotemedia
