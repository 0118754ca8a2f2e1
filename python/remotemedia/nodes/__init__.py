"""The node types that a manifest names without a module. Where pip has installed the package, those of the runtime too."""

_MODULES = {
    "PassThroughNode": "basic",
    "DataTransform": "basic",
    "BufferNode": "basic",
    "CalculatorNode": "arithmetic",
    "MultiplyNode": "arithmetic",
    "AddNode": "arithmetic",
    "TextProcessorNode": "text",
}
__all__ = ["PassThroughNode", "DataTransform", "BufferNode", "CalculatorNode", "MultiplyNode", "AddNode",
           "TextProcessorNode"]


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    value = getattr(__import__(f"remotemedia.nodes.{module}", fromlist=(name,)), name) if module else _of_runtime(name)
    if value is None:
        raise AttributeError(f"module 'remotemedia.nodes' has no attribute {name!r}")
    globals()[name] = value
    return value


def _of_runtime(name: str) -> object:
    """A node type of the runtime, where the package is installed; None: there is none."""
    if name.startswith("_"):
        return None
    try:
        from .. import _native as module
    except ImportError:
        return None
    return module.native(name)


def __dir__() -> "list[str]":
    try:
        from .. import _native as module
    except ImportError:
        return __all__
    return sorted({*__all__, *module.native_names()})
