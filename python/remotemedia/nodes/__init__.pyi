from typing import Any

from .arithmetic import AddNode as AddNode, CalculatorNode as CalculatorNode, MultiplyNode as MultiplyNode
from .basic import BufferNode as BufferNode, DataTransform as DataTransform, PassThroughNode as PassThroughNode
from .text import TextProcessorNode as TextProcessorNode

def __getattr__(name: str) -> Any: ...  # a node type of the runtime
