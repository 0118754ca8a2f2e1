"""The node types that a manifest names without a module."""

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


def __getattr__(name: str) -> type:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'remotemedia.nodes' has no attribute {name!r}")
    value = getattr(__import__(f"remotemedia.nodes.{module}", fromlist=(name,)), name)
    globals()[name] = value
    return value
