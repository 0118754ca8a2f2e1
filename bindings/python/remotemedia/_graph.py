"""Pipelines that are written in Python."""
import sys

from . import _runtime
from .core.node import Node


class Step:
    """A node type with parameters, as `remotemedia.nodes.NAME(...)` makes it: Graph.add adds it."""

    __slots__ = ("node_type", "params")

    def __init__(self, node_type, params):
        self.node_type, self.params = node_type, params

    def __repr__(self):
        return f"{self.node_type}({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"


class Place:
    """A node of a graph, or one of its ports: `a >> b` connects, `a["loud"]` is an output, `b["right"]` an input."""

    __slots__ = ("graph", "id", "port")

    def __init__(self, graph, id, port=None):
        self.graph, self.id, self.port = graph, id, port

    def __getitem__(self, port):
        return Place(self.graph, self.id, port)

    def __rshift__(self, other):
        for place in other if isinstance(other, (list, tuple)) else [other]:
            self.graph.connect(self, place)
        return other

    def __rrshift__(self, others):
        for place in others:
            self.graph.connect(place, self)
        return self

    def __repr__(self):
        return self.id if self.port is None else f"{self.id}.{self.port}"


class Graph:
    """A pipeline that is built node by node.

    name: the pipeline's, for readers.
    """

    def __init__(self, name="pipeline"):
        self.name = name
        self._nodes = {}  # id: (what, fields)
        self._connections = []

    def add(self, what, /, id=None, **fields):
        """Adds a node and returns its place.

        what: remotemedia.nodes.NAME(...), the name of a node type, a function, a class, or an object with process().
        id: its name in results; made of the function's or the type's where it is left out.
        fields: of a node in a manifest, such as on_error="skip", max_in_flight=8, params={...}.
        """
        if isinstance(what, str):
            what = Step(what, fields.pop("params", {}))
        elif not isinstance(what, (Step, type)) and not callable(what) and not callable(getattr(what, "process", None)) \
                and not callable(getattr(what, "generate", None)):
            raise TypeError(f"a node is a step, a class, a function, or an object with process(), not {what!r}")
        id = self._free_id(what) if id is None else id
        if id in self._nodes:
            raise ValueError(f"the graph has a node {id!r} already")
        self._nodes[id] = what, fields
        return Place(self, id)

    def connect(self, source, target, **fields):
        """Connects two places; `source >> target` is the same. fields: of a connection, such as queue={"packets": 4}."""
        for place in (source, target):
            if not isinstance(place, Place) or place.graph is not self:
                raise ValueError(f"{place!r} is no place of this graph: add() makes them")
        self._connections.append({"from": repr(source), "to": repr(target), **fields})

    def _free_id(self, what):
        name = what.node_type if isinstance(what, Step) else getattr(what, "__name__", type(what).__name__)
        name = "".join(c if c.isalnum() and c.isascii() or c in "_-" else "_" for c in name).strip("_") or "node"
        number, id = 1, name
        while id in self._nodes:
            number += 1
            id = f"{name}_{number}"
        return id

    def _manifest(self, describe):
        nodes = []
        for id, (what, fields) in self._nodes.items():
            node_type, params = (what.node_type, what.params) if isinstance(what, Step) else describe(id, what)
            params = {**params, **fields.get("params", {})}
            nodes.append({"id": id, "node_type": node_type, **fields, **({"params": params} if params else {})})
        return {"version": "v1", "metadata": {"name": self.name}, "nodes": nodes, "connections": list(self._connections)}

    def to_dict(self):
        """The manifest. Raises ValueError where it cannot name a node: a function, or what is in no module."""
        return self._manifest(_named)

    def pipeline(self, *, arrays=None, sandbox=None):
        """Makes the pipeline, which holds the graph's functions and objects. Raises ManifestError.

        sandbox: where nodes run that were added with execution={"placement": "sandbox"}.
        """
        from ._held import hold
        from ._pipeline import Pipeline

        held = []

        def describe(id, what):
            if isinstance(what, Node) and not what.name:
                what.name = id
            name, kept = hold(what)
            held.append(kept)
            return f"remotemedia._held:{name}", {}

        return Pipeline.from_dict(self._manifest(describe), arrays=arrays, sandbox=sandbox, _held=held)


def _named(id, what):
    kind, params = (what, {}) if isinstance(what, type) else (type(what), getattr(what, "config", None))
    module, name = kind.__module__, kind.__qualname__
    if not isinstance(what, type) and hasattr(what, "__code__"):
        raise ValueError(f"node '{id}' is the function {what.__qualname__}, which a manifest cannot name; "
                         "@remotemedia.node makes it a class")
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not kind or module == "__main__":
        raise ValueError(f"node '{id}' is a {name} of {module}, which other programs cannot import")
    if params is None:
        raise ValueError(f"node '{id}' is a {name} whose parameters are not known; @remotemedia.node on its class keeps them")
    return f"{module}:{name}", params


# ---- Node types of the runtime

def native(name):
    """A function that makes a Step of a node type that the runtime has; None: it has none."""
    import inspect

    from ._errors import Error

    try:
        found = [each for each in _runtime.describe_nodes(name) if each["kind"] == "native"]
    except Error:
        return None
    if not found:
        return None
    described = found[0]
    params = described.get("params", [])

    def make(**given):
        make.__signature__.bind(**given)
        return Step(name, given)

    make.__name__ = make.__qualname__ = name
    make.__signature__ = inspect.Signature(
        [inspect.Parameter(each["name"], inspect.Parameter.KEYWORD_ONLY, annotation=each["type"],
                           default=inspect.Parameter.empty if each.get("required") else each.get("default"))
         for each in params])
    lines = [described["summary"] + ".", "", described.get("description", "")]
    lines += ["", *(f"{each['name']}: {each.get('text', each['type'])}" for each in params)]
    make.__doc__ = "\n".join(lines).strip()
    return make


def native_names():
    found = _runtime.describe_nodes(None)
    return [name for each in found if each["kind"] == "native" for name in (each["name"], *each.get("aliases", ()))]


# ---- @node

_KINDS = {int: (int,), float: (int, float), str: (str,), bool: (bool,), list: (list, tuple), dict: (dict,)}


def node(what=None, /, *, source=False, **options):
    """Makes a function, generator, coroutine or class a node type that a manifest can name.

    A function becomes a class. Its first parameter is the item, its further ones are parameters of the node, with their
    defaults: `@node def scale(item, factor: float = 2.0)`, then `scale(factor=3)`. Annotations int, float, str, bool, list
    and dict are checked. The function itself is in `.function`.

    source: the function takes no item: it generates. options: attributes of the class, such as is_streaming=True,
    max_in_flight=8, outputs=("low", "high"), arrays="numpy".
    """
    if what is None:
        return lambda later: node(later, source=source, **options)
    kind = _keeping_params(what) if isinstance(what, type) else _of_function(what, source)
    for name, value in options.items():
        setattr(kind, name, value)
    return kind


def _keeping_params(kind):
    if kind.__new__ is object.__new__:
        def __new__(cls, *args, **params):
            self = object.__new__(cls)
            self.config = None if args else params
            return self
        kind.__new__ = __new__
    return kind


def _of_function(function, source):
    import inspect

    from ._held import takes_nothing

    source = source or takes_nothing(function)
    params = list(inspect.signature(function).parameters.values())[0 if source else 1:]
    role = "generate" if source else "process"
    members = {role: staticmethod(function), "function": staticmethod(function), "__doc__": function.__doc__,
               "__module__": function.__module__, "__qualname__": function.__qualname__}
    if params:
        members["__init__"] = _constructor(function, role, params)
    return type(Node)(function.__name__, (Node,), members)


def _constructor(function, role, params):
    """__init__ with the function's parameters by their names: manifests are checked against it."""
    import functools

    space = {"partial": functools.partial, "function": function, "check": _check}
    words, types = [], {}
    for place, each in enumerate(params):
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise TypeError(f"{function.__qualname__}: the parameters of a node have names, not *{each.name}")
        space[f"default_{place}"] = each.default
        words.append(each.name if each.default is each.empty else f"{each.name}=default_{place}")
        expected = each.annotation if not isinstance(each.annotation, str) else \
            {known.__name__: known for known in _KINDS}.get(each.annotation)
        if expected in _KINDS:
            types[each.name] = expected
    space["types"] = types
    given = ", ".join(f"{each.name}={each.name}" for each in params)
    exec(f"def __init__(self, *, {', '.join(words)}):\n    params = dict({given})\n    check(params, types)\n"
         f"    self.{role} = partial(function, **params)\n", space)
    return space["__init__"]


def _check(params, types):
    for name, expected in types.items():
        value = params[name]
        if not isinstance(value, _KINDS[expected]) or isinstance(value, bool) and expected is not bool:
            raise TypeError(f"{name} must be {expected.__name__}, not {type(value).__name__}")
