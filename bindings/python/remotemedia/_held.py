"""Python objects that are nodes of graphs. A manifest names them `remotemedia._held:NAME`."""
import itertools
import weakref
from types import FunctionType

_classes: weakref.WeakValueDictionary[str, type] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)
_METHODS = ("process", "generate", "initialize", "flush", "cleanup")
_OPTIONS = ("is_streaming", "is_source", "max_in_flight", "outputs", "arrays")


def __getattr__(name):
    try:
        return _classes[name]
    except KeyError:
        raise AttributeError(f"no graph holds a node {name!r}") from None


def hold(what):
    """(name, class) of a node type for a class, a function, or an object with process() or generate().

    The class must be kept as long as the name is used.
    """
    name = getattr(what, "__name__", type(what).__name__)
    if not isinstance(what, type) or is_function(what):
        what = _class_of(what, name)
    name = f"{''.join(c if c.isalnum() or c == '_' else '_' for c in name)}_{next(_numbers)}"
    _classes[name] = what
    return name, what


def is_node(what):
    """Whether it is a class or an object with process() or generate()."""
    return any(callable(getattr(what, method, None)) for method in ("process", "generate"))


def is_function(what):
    """Whether it is called with each item: what is callable, also int and other classes of Python's own; no other class."""
    return callable(what) and not is_node(what) and (not isinstance(what, type) or what.__module__ == "builtins")


def _class_of(what, name):
    if is_node(what):
        members = {key: staticmethod(getattr(what, key)) for key in _METHODS if callable(getattr(what, key, None))}
        members.update((key, getattr(what, key)) for key in _OPTIONS if hasattr(what, key))
        return type(name, (), members)
    role = "generate" if takes_nothing(what) else "process"
    return type(name, (), {role: staticmethod(seen_as_coroutine(what)), "_function": staticmethod(what)})


def seen_as_coroutine(function):
    """The function; where only calling it would show that it gives coroutines (partials, objects), one that shows it."""
    if type(function) is FunctionType and not hasattr(function, "_is_coroutine_marker") and not hasattr(function, "__wrapped__"):
        return function
    import inspect

    call = getattr(type(function), "__call__", None)
    if not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(call):
        return function

    async def process(*items):
        return await function(*items)

    return process


def takes_nothing(function):
    """Whether it is a source: a function that takes no item."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_argcount == 0 and not code.co_flags & 0x04
