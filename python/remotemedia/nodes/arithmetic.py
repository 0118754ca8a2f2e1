"""Arithmetic, with the results of the native nodes of the same names."""
from operator import add, mul

from ..core.node import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

try:
    from _remotemedia import compute as _compute  # type: ignore[import-not-found]
except ImportError:  # outside of a pipeline there are no Tensors

    def _compute(item: object, operand: object, multiplies: bool) -> object:
        return NotImplemented


def _is_number(item: object) -> bool:
    return isinstance(item, (int, float)) and not isinstance(item, bool)


def _divide(a: "int | float", b: "int | float") -> "int | float":
    """An integer where integers divide evenly, a float otherwise."""
    if isinstance(a, int) and isinstance(b, int):
        quotient, rest = divmod(a, b)
        return a / b if rest else quotient
    return a / b


def _power(a: "int | float", b: "int | float") -> "int | float":
    result: "int | float | complex" = a**b
    if isinstance(result, complex):
        raise ValueError(f"{a} to the power of {b} is no real number")
    return result


_OPERATIONS: "dict[str, Callable[[Any, Any], Any]]" = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": _divide,
    "power": _power,
    "modulo": lambda a, b: a % b,
}


def _operation(name: object) -> "Callable[[Any, Any], Any]":
    if not isinstance(name, str):
        raise TypeError(f'"operation" must be a string, not {type(name).__name__}')
    if name not in _OPERATIONS:
        raise ValueError(f"unknown operation {name!r}; known are {', '.join(_OPERATIONS)}")
    return _OPERATIONS[name]


def _check_number(name: str, value: object) -> None:
    if not _is_number(value):
        raise TypeError(f"{name} must be a number, not {value!r}")


class CalculatorNode(Node):
    """Calculates with numbers, or answers {"operation", "args"} items.

    A number becomes `number operation operand`. A dict with "operation" and "args" (a list of numbers, taken from left
    to right) becomes {"operation", "args", "result", "processed_by", "node_config"}. Every other item passes unchanged.
    """

    def __init__(self, operation: str = "add", operand: "int | float" = 0) -> None:
        _check_number("operand", operand)
        self.operation = _operation(operation)
        self.operand = operand

    def process(self, item: object) -> object:
        if _is_number(item):
            return self.operation(item, self.operand)
        if isinstance(item, dict) and "operation" in item:
            return self._answer(item)
        return item

    def _answer(self, item: "dict[str, Any]") -> "dict[str, object]":
        name, args = item["operation"], item.get("args")
        operation = _operation(name)
        if not isinstance(args, list) or not all(_is_number(arg) for arg in args):
            raise TypeError(f'"args" must be a list of numbers, not {args!r}')
        if not args and name not in ("add", "multiply"):
            raise ValueError(f'{name} needs at least one number in "args"')
        result = args[0] if args else int(name == "multiply")
        for arg in args[1:]:
            result = operation(result, arg)
        return {"operation": name, "args": args, "result": result,
                "processed_by": f"CalculatorNode[{self.name}]", "node_config": self.config}


def _scale(item: object, operand: "int | float", multiplies: bool) -> object:
    operation: "Callable[[Any, Any], Any]" = mul if multiplies else add
    if _is_number(item):
        return operation(item, operand)
    if isinstance(item, list):
        return [operation(one, operand) if _is_number(one) else one for one in item]
    result = _compute(item, operand, multiplies)
    return item if result is NotImplemented else result


class MultiplyNode(Node):
    """Multiplies numbers by `factor`, also those in a list or an array; every other item passes unchanged."""

    def __init__(self, factor: "int | float" = 2) -> None:
        _check_number("factor", factor)
        self.factor = factor

    def process(self, item: object) -> object:
        return _scale(item, self.factor, True)


class AddNode(Node):
    """Adds `addend` to numbers, also to those in a list or an array; every other item passes unchanged."""

    def __init__(self, addend: "int | float" = 0) -> None:
        _check_number("addend", addend)
        self.addend = addend

    def process(self, item: object) -> object:
        return _scale(item, self.addend, False)
