"""@node: node types of functions and classes, with parameters that are checked."""
import functools
import inspect
import types
import typing

from ._held import name_of, seen_as_coroutine
from ._signatures import signature
from .core.node import Node

# What an annotation lets pass; bool is no number here.
_KINDS = {int: (int,), float: (int, float), str: (str,), bool: (bool,), list: (list, tuple), dict: (dict,), None: (type(None),),
          type(None): (type(None),)}


def node(what=None, /, *, source=False, **options):
    """Makes a function, generator, coroutine or class a node type that a manifest can name.

    A function becomes a class. Its first parameter is the item, its further ones are parameters of the node, with their
    defaults: `@node def scale(item, factor: float = 2.0)`, then `scale(factor=3)`. The function itself is in `.function`. A
    function without a first parameter that could be the item is a source.
    Of a class the parameters are those of __init__. Annotations of int, float, str, bool, list, dict, None and Literal, and
    unions of them, are checked: a TypeError says what a parameter must be.

    source: the function takes no item: it generates. options: attributes of the class, such as is_streaming=True,
    max_in_flight=8, outputs=("low", "high"), arrays="numpy".
    """
    if what is None:
        return lambda later: node(later, source=source, **options)
    if not callable(what):
        raise TypeError(f"remotemedia.node makes a node type of a function or a class, not of {name_of(what)}")
    kind = _keeping_params(what) if isinstance(what, type) else _of_function(what, source)
    for name, value in options.items():
        setattr(kind, name, value)
    return kind


# ---- Classes

def _keeping_params(kind):
    """The class, whose objects know the parameters that they were made with, in `.config`; of a class whose objects have no
    room for them, one derived from it."""
    former = kind.__new__
    if former not in (object.__new__, Node.__new__):
        return kind
    if kind.__dictoffset__ == 0:
        members = {"__slots__": ("config", "_given_params"), "__module__": kind.__module__, "__qualname__": kind.__qualname__,
                   "__doc__": kind.__doc__}
        members["__slots__"] = tuple(name for name in members["__slots__"] if not hasattr(kind, name))
        kind = type(kind)(kind.__name__, (kind,), members)
    else:
        kind._given_params = None

    def __new__(cls, *args, **params):
        self = object.__new__(cls)
        given, types = _parameters(cls), {}
        if given is not None:
            try:
                params = _flat(given.bind(*args, **params))
            except TypeError:  # __init__ says it better
                return self
            types = _types(given.parameters.values(), cls.__init__)
        for name in ("config", "_given_params"):
            try:
                object.__setattr__(self, name, params)  # a frozen dataclass refuses its own
            except AttributeError:  # a property
                pass
        _check(params, types)
        return self

    kind.__new__ = __new__
    kind._wrong_param = classmethod(_wrong_of_class)
    return kind


def _wrong_of_class(cls, params):
    given = _parameters(cls)
    return _wrong(params, _types(given.parameters.values(), cls.__init__)) if given is not None else None


@functools.cache
def _parameters(cls):
    """The signature of __init__ without self; None: the class has none of its own, or it is not known."""
    if cls.__init__ in (object.__init__, Node.__init__):
        return None
    found = signature(cls.__init__)
    return found and found.replace(parameters=list(found.parameters.values())[1:])


def _flat(bound):
    """The arguments by their names; None: some have no names."""
    params = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            return None
        params.update(value if kind is inspect.Parameter.VAR_KEYWORD else {name: value})
    return params


# ---- Functions

_ITEM = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _of_function(function, source):
    found = signature(function)
    params = list(found.parameters.values()) if found is not None else []
    source = source or (found is not None and not (params and params[0].kind in _ITEM))
    if [each.kind for each in params] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        params = []  # it says nothing, as functions in C do
    params = params if source else params[1:]
    role = "generate" if source else "process"
    name = name_of(getattr(function, "func", function) if isinstance(function, functools.partial) else function)
    members = {role: staticmethod(seen_as_coroutine(function)), "function": staticmethod(function), "__doc__": function.__doc__,
               "__module__": _text(function, "__module__") or type(function).__module__,
               "__qualname__": _text(function, "__qualname__") or name}
    if params:
        types = _types(params, function)
        members["__init__"] = _constructor(function, role, params, members["__qualname__"], types)
        members["_wrong_param"] = staticmethod(lambda params: _wrong(params, types))
    return type(Node)(name, (Node,), members)


def _text(function, name):
    found = getattr(function, name, None)
    return found if isinstance(found, str) else None


def _constructor(function, role, params, name, types):
    """__init__ with the function's parameters by their names: manifests are checked against it."""
    own = "_"  # begins the names of our own, and no parameter's
    while any(each.name.startswith(own) for each in params):
        own += "_"
    space = {f"{own}bound": _bound, f"{own}function": function, f"{own}check": _check, f"{own}types": types, f"{own}dict": dict,
             f"{own}unnamed": [each.name for each in params if each.kind is each.POSITIONAL_ONLY]}
    words = []
    for place, each in enumerate(params):
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            stars = "*" if each.kind is each.VAR_POSITIONAL else "**"
            raise TypeError(f"{name}: the parameters of a node have names, not {stars}{each.name}")
        space[f"{own}default_{place}"] = each.default
        words.append(each.name if each.default is each.empty else f"{each.name}={own}default_{place}")
    given = ", ".join(f"{each.name}={each.name}" for each in params)
    text = (f"def __init__({own}self, *, {', '.join(words)}):\n    {own}params = {own}dict({given})\n"
            f"    {own}check({own}params, {own}types)\n"
            f"    {own}self.{role} = {own}bound({own}function, {own}params, {own}unnamed)\n")
    exec(compile(text, __file__.replace("_node.py", "_constructor"), "exec"), space)
    space["__init__"].__qualname__ = f"{name}.__init__"
    return space["__init__"]


def _bound(function, params, unnamed):
    """The function with its parameters. Those that are positional only come after the item."""
    if not unnamed:
        return seen_as_coroutine(functools.partial(function, **params))
    values = [params[name] for name in unnamed]
    others = {name: value for name, value in params.items() if name not in unnamed}

    def bound(*item):
        return function(*item, *values, **others)

    if inspect.iscoroutinefunction(function):
        inspect.markcoroutinefunction(bound)
    return seen_as_coroutine(bound)


# ---- Annotations

def _types(params, function):
    """{name: (what may be given, the default)}, of parameters whose annotations are understood."""
    names = getattr(function, "__globals__", {})
    found = {each.name: (_alternatives(_evaluated(each.annotation, names)), each.default) for each in params}
    return {name: pair for name, pair in found.items() if pair[0] is not None}


def _evaluated(annotation, names):
    """What a text says, as typing.get_type_hints() reads it."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except Exception:  # it names what is not there
        return inspect.Parameter.empty


def _alternatives(annotation):
    """[(text, classes, None) or (text, None, the only value)], or None."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return [(repr(value), None, value) for value in arguments]
    if origin in (typing.Union, types.UnionType):
        parts = [_alternatives(each) for each in arguments]
        return None if None in parts else [one for part in parts for one in part]
    kind = origin if origin in (list, dict) else annotation
    if not isinstance(kind, (type, type(None))) or kind not in _KINDS:
        return None
    return [("None" if kind in (None, type(None)) else kind.__name__, _KINDS[kind], None)]


def _passes(value, classes, only):
    if classes is None:
        return type(value) is type(only) and value == only
    return isinstance(value, classes) and (not isinstance(value, bool) or bool in classes)


def _check(params, types):
    if params and (wrong := _wrong(params, types)) is not None:
        raise TypeError(" ".join(wrong))


def _wrong(params, types):
    """(the name of a parameter, what it must be); None: all are right. A default is right, whatever its annotation says."""
    for name, (expected, default) in types.items():
        value = params.get(name, default)
        if value is not default and not any(_passes(value, classes, only) for _, classes, only in expected):
            shown = repr(value) if all(classes is None for _, classes, _ in expected) else type(value).__name__
            return name, f"must be {' or '.join(text for text, _, _ in expected)}, not {shown}"
    return None
