"""The node types of the runtime as functions: `remotemedia.nodes.NAME(...)` makes a Step."""
import inspect
import textwrap

from . import _runtime
from ._errors import Error
from ._graph import Step

_TYPES = {"int": int, "float": float, "number": float, "bool": bool, "string": str, "enum": str, "value": object}


def native(name):
    """The function of a node type; None: the runtime has none of this name."""
    described = _described(name)
    if described is None:
        return None

    def make(**given):
        try:
            signature.bind(**given)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        return Step(name, given)

    make.__name__ = make.__qualname__ = make._step_of = name
    make.__module__ = "remotemedia.nodes"
    make.__signature__ = signature = inspect.Signature([_parameter(each) for each in described.get("params", [])],
                                                       return_annotation=Step)
    make.__doc__ = documentation(described)
    return make


def native_names():
    """The names of all, aliases among them."""
    found = _runtime.describe_nodes(None)
    return [name for each in found if each["kind"] == "native" for name in (each["name"], *each.get("aliases", ()))]


def _described(name):
    try:
        return next((each for each in _runtime.describe_nodes(name) if each["kind"] == "native"), None)
    except Error:
        return None


def _parameter(described):
    default = inspect.Parameter.empty if described.get("required") else described.get("default")
    return inspect.Parameter(described["name"], inspect.Parameter.KEYWORD_ONLY, annotation=_TYPES[described["type"]], default=default)


# ---- Documentation

def documentation(described):
    """What help() shows: what the node does, its parameters with their ranges, and what its ports take and give."""
    parts = [described["summary"] + "."]
    if described.get("description"):
        parts.append(textwrap.fill(described["description"], 100))
    for title, lines in (("Parameters", [_line(each["name"], each["text"], _limits(each)) for each in described.get("params", [])]),
                         ("Ports", [_line(f"{each['name']} ({each['direction']})", each.get("text", ""), _content(each))
                                    for each in described.get("ports", [])])):
        if lines:
            parts.append("\n".join([f"{title}:", *lines]))
    return "\n\n".join(parts)


def _line(name, text, more):
    text = f"{name}: {text}{'; ' if text and more else ''}{more}"
    return textwrap.fill(text, 100, initial_indent="    ", subsequent_indent="        ")


def _limits(param):
    if param.get("choices"):
        return " or ".join(map(repr, param["choices"]))
    low, high = param.get("min"), param.get("max")
    if low is None or param["type"] not in ("int", "float"):
        return ""
    shown = "{:g}".format if param["type"] == "float" else str
    return f"at least {shown(low)}" if high is None or high >= 1 << 60 else f"{shown(low)} to {shown(high)}"


def _content(port):
    """Kinds of packets, and the format of arrays."""
    kinds = port.get("kinds") or []
    words = [*kinds] if 0 < len(kinds) <= 4 else ["any item" if not kinds or "map" in kinds and "tensor" in kinds else " or ".join(kinds)]
    words += [f"{name} {value}" for name, value in (port.get("format") or {}).items()]
    return ", ".join(words) + (", any number of connections" if port.get("variadic") else "")
