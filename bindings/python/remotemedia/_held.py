"""Python objects that are nodes of graphs. A manifest names them `remotemedia._held:NAME`."""
import itertools
import weakref
from types import FunctionType

_classes: weakref.WeakValueDictionary[str, type] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)
_METHODS = ("process", "generate", "initialize", "flush", "cleanup")
_OPTIONS = ("is_streaming", "is_source", "max_in_flight", "outputs", "arrays")
_VARIADIC = 0x04 | 0x08  # flags of code: *args, **kwargs


def __getattr__(name):
    try:
        return _classes[name]
    except KeyError:
        raise AttributeError(f"no graph holds a node {name!r}") from None


def hold(what):
    """(name, class) of a node type for a class, a function, or an object with process() or generate().

    The class must be kept as long as the name is used.
    """
    name = name_of(what)
    if not isinstance(what, type) or is_function(what):
        what = _class_of(what, name)
    name = f"{''.join(c if c.isalnum() or c == '_' else '_' for c in name)}_{next(_numbers)}"
    _classes[name] = what
    return name, what


def name_of(what):
    """The name of a class or a function; of other objects that of their class."""
    name = attribute(what, "__name__")
    return name if isinstance(name, str) else type(what).__name__


def is_node(what):
    """Whether it is a class or an object with process() or generate()."""
    return any(_method(what, name) is not None for name in ("process", "generate"))


def is_function(what):
    """Whether it is called with each item: what is callable, also int and other classes of Python's own; no other class."""
    return callable(what) and not is_node(what) and (not isinstance(what, type) or what.__module__ == "builtins")


def role(function):
    """"process" or "generate": whether it takes an item, or is a source. Raises TypeError where it can be called neither way."""
    code = function.__code__ if type(function) is FunctionType else None
    if code is not None and not code.co_flags & _VARIADIC:
        required = code.co_argcount - len(function.__defaults__ or ())
        others = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
        takes_item, takes_nothing = required <= 1 <= code.co_argcount and not others, not required and not others
    else:
        from ._signatures import accepts, signature

        found = signature(function)
        takes_item = found is None or accepts(found, None)
        takes_nothing = found is not None and accepts(found)
    if takes_item or takes_nothing:
        return "process" if takes_item else "generate"
    from ._signatures import signature

    raise TypeError(f"{name_of(function)}{signature(function)} can be no node: a node is called with one item, a source with "
                    "nothing; functools.partial gives a function its other arguments, @remotemedia.node makes them parameters")


def _class_of(what, name):
    if is_node(what):
        members = {key: staticmethod(method) for key in _METHODS if (method := _method(what, key)) is not None}
        members.update((key, value) for key in _OPTIONS if (value := attribute(what, key)) is not None)
        return type(name, (), members)
    return type(name, (), {role(what): staticmethod(seen_as_coroutine(what)), "_function": staticmethod(what)})


def _method(what, name):
    """What can be called by this name; None: it has none, or that of Node, which only says that it is missing."""
    found = attribute(what, name)
    return found if callable(found) and getattr(found, "_not_defined", None) is not True else None


def attribute(what, name):
    """The attribute, or None. Of an object that answers whatever it is asked for, as mocks do, only what is defined counts."""
    try:
        if hasattr(what, "_remotemedia_asks_for_what_nothing_has"):
            places = (what, *type(what).__mro__)
            if not any(name in getattr(place, "__dict__", ()) for place in places):
                return None
        return getattr(what, name, None)
    except Exception:  # of an object's own __getattr__
        return None


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
