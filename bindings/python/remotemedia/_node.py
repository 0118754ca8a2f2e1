"""@node: node types of functions and classes, with parameters that are checked."""
import functools
import inspect
import types
import typing

from ._held import seen_as_coroutine, takes_nothing
from .core.node import Node

# What an annotation lets pass; bool is no number here.
_KINDS = {int: (int,), float: (int, float), str: (str,), bool: (bool,), list: (list, tuple), dict: (dict,), None: (type(None),),
          type(None): (type(None),)}


def node(what=None, /, *, source=False, **options):
    """Makes a function, generator, coroutine or class a node type that a manifest can name.

    A function becomes a class. Its first parameter is the item, its further ones are parameters of the node, with their
    defaults: `@node def scale(item, factor: float = 2.0)`, then `scale(factor=3)`. The function itself is in `.function`.
    Of a class the parameters are those of __init__. Annotations of int, float, str, bool, list, dict, None and Literal, and
    unions of them, are checked: a TypeError says what a parameter must be.

    source: the function takes no item: it generates. options: attributes of the class, such as is_streaming=True,
    max_in_flight=8, outputs=("low", "high"), arrays="numpy".
    """
    if what is None:
        return lambda later: node(later, source=source, **options)
    kind = _keeping_params(what) if isinstance(what, type) else _of_function(what, source)
    for name, value in options.items():
        setattr(kind, name, value)
    return kind


# ---- Classes

def _keeping_params(kind):
    """The class, whose objects know the parameters that they were made with, in `.config`."""
    former = kind.__new__
    if former not in (object.__new__, Node.__new__):
        return kind

    def __new__(cls, *args, **params):
        self = object.__new__(cls)
        given, types = _parameters(cls), {}
        if given is not None:
            try:
                params = _flat(given.bind(*args, **params))
            except TypeError:  # __init__ says it better
                return self
            types = _types(given.parameters.values(), cls.__init__)
        self.config = params
        _check(params, types)
        return self

    kind.__new__ = __new__
    return kind


@functools.cache
def _parameters(cls):
    """The signature of __init__ without self; None: the class has none of its own."""
    if cls.__init__ in (object.__init__, Node.__init__):
        return None
    signature = _signature(cls.__init__)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _flat(bound):
    """The arguments by their names; None: some have no names."""
    params = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            return None
        params.update(value if kind is inspect.Parameter.VAR_KEYWORD else {name: value})
    return params


# ---- Functions

def _of_function(function, source):
    source = source or takes_nothing(function)
    params = list(_signature(function).parameters.values())[0 if source else 1:]
    role = "generate" if source else "process"
    members = {role: staticmethod(function), "function": staticmethod(function), "__doc__": function.__doc__,
               "__module__": function.__module__, "__qualname__": function.__qualname__}
    if params:
        members["__init__"] = _constructor(function, role, params)
    return type(Node)(function.__name__, (Node,), members)


def _constructor(function, role, params):
    """__init__ with the function's parameters by their names: manifests are checked against it."""
    space = {"_partial": _bound, "_function": function, "_check": _check, "_types": _types(params, function), "_dict": dict}
    words = []
    for place, each in enumerate(params):
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise TypeError(f"{function.__qualname__}: the parameters of a node have names, not *{each.name}")
        space[f"_default_{place}"] = each.default
        words.append(each.name if each.default is each.empty else f"{each.name}=_default_{place}")
    given = ", ".join(f"{each.name}={each.name}" for each in params)
    text = (f"def __init__(_self, *, {', '.join(words)}):\n    _params = _dict({given})\n    _check(_params, _types)\n"
            f"    _self.{role} = _partial(_function, _params)\n")
    exec(compile(text, __file__.replace("_node.py", "_constructor"), "exec"), space)
    return space["__init__"]


def _bound(function, params):
    return seen_as_coroutine(functools.partial(function, **params))


# ---- Annotations

def _signature(function):
    try:
        return inspect.signature(function)
    except NameError:  # Python 3.14 evaluates annotations late, and one names what is not there
        import annotationlib  # type: ignore[import-not-found]

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)  # type: ignore[call-arg]


def _types(params, function):
    """{name: what may be given}, of parameters whose annotations are understood."""
    names = getattr(function, "__globals__", {})
    found = {each.name: _alternatives(_evaluated(each.annotation, names)) for each in params}
    return {name: expected for name, expected in found.items() if expected is not None}


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
    for name, expected in types.items():
        value = params.get(name) if params else None
        if params and name in params and not any(_passes(value, classes, only) for _, classes, only in expected):
            shown = repr(value) if all(classes is None for _, classes, _ in expected) else type(value).__name__
            raise TypeError(f"{name} must be {' or '.join(text for text, _, _ in expected)}, not {shown}")
