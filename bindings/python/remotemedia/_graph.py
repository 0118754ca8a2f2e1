"""Pipelines that are written in Python."""
import contextlib
import sys
from collections.abc import Mapping
from types import FunctionType

from ._held import attribute, is_function, is_node, name_of, role
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
    __iter__ = __contains__ = None  # ports are asked for by name: there is no list of them

    def __init__(self, graph, id, port=None):
        self.graph, self.id, self.port = graph, id, port

    def __getitem__(self, port):
        """One of the node's ports, by its name."""
        return Place(self.graph, self.id, port)

    def __rshift__(self, other):
        """Connects this place to another one, or to each of a list; returns that. What is no place yet is added first."""
        if isinstance(other, (list, tuple)):
            return [self >> each for each in other]
        place = self.graph._place(other)
        self.graph.connect(self, place)
        return place

    def __rrshift__(self, others):
        """Connects each of a list of places, or what is added as a node, to this one."""
        for other in others if isinstance(others, (list, tuple)) else [others]:
            self.graph.connect(self.graph._place(other), self)
        return self

    def __repr__(self):
        return self.id if self.port is None else f"{self.id}.{self.port}"


class Graph:
    """A pipeline that is built node by node, of the runtime's nodes and of Python's functions, classes and objects.

    name: the pipeline's, for readers. add() gives places, `a >> b` connects them, pipeline() makes what runs. Notebooks show
    a picture of the graph. A graph is for one thread at a time; its pipelines are for any number.
    """

    def __init__(self, name="pipeline"):
        self.name = name
        self._nodes = {}  # id: (what, fields)
        self._connections = []
        self._numbers = {}  # name: the last number of an id that was made of it

    def add(self, what, /, id=None, **fields):
        """Adds a node and returns its place.

        what: remotemedia.nodes.NAME(...), the name of a node type, a function, a class, or an object with process().
            What a function returns is a result; None drops the item; a generator gives each value that it yields; a
            coroutine function works on up to max_in_flight items at once; a function that can take no argument is a source.
        id: its name in results: letters, digits, "_" and "-"; made of the function's or the type's where it is left out.
        fields: of a node in a manifest, such as on_error="skip", max_in_flight=8, timeout_ms=500; params={...} of a class or of
            a node type's name. The graph keeps copies.
        Raises TypeError where it can be no node, ValueError where the id is taken.
        """
        if "node_type" in fields:
            raise TypeError(f"the node's type is the first argument: add({fields['node_type']!r}), without node_type=")
        params = _params(fields.pop("params", {}))
        if isinstance(what, FunctionType) and hasattr(what, "_step_of"):
            raise TypeError(f"remotemedia.nodes.{what._step_of} has to be called, with its parameters: {what._step_of}(...)")
        if isinstance(what, str):
            what = Step(what, {})
        elif isinstance(kind := attribute(what, "__origin__"), type) and is_node(kind):
            what = kind  # of Kind[int]
        if isinstance(what, Step):
            what = Step(what.node_type, _copied(_merged(what, params)))
        elif is_function(what):
            role(what)
            if params:
                raise TypeError(f"{name_of(what)} is called with the item alone: functools.partial gives it arguments, not params=")
        elif not is_node(what):
            raise TypeError(f"a node is a step, a function, or a class or an object with process() or generate(), not {_shown(what)}")
        elif params and not isinstance(what, type):
            raise TypeError(f"this object of {name_of(what)} has its parameters already: params= is for the class")
        elif params:
            fields["params"] = params
        fields = _copied(fields)
        id = self._free_id(what) if id is None else id
        if not isinstance(id, str):
            raise TypeError(f"the id of a node is a str, not {type(id).__name__}")
        if id in self._nodes:
            raise ValueError(f"the graph has a node {id!r} already")
        self._nodes[id] = what, fields
        return Place(self, id)

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The picture of the graph, in notebooks."""
        from ._picture import of_graph

        return of_graph(self).bundle()

    def __repr__(self):
        return f"<remotemedia.Graph {self.name!r}, {len(self._nodes)} node{'s' * (len(self._nodes) != 1)}>"

    def connect(self, source, target, **fields):
        """Connects two places; `source >> target` is the same.

        fields: of a connection in a manifest, such as queue={"packets": 4}. Raises ValueError for places of another graph.
        """
        if taken := {"from", "to"}.intersection(fields):
            raise TypeError(f"the places of a connection are the first two arguments, without {min(taken)!r}")
        for place in (source, target):
            if not isinstance(place, Place) or place.graph is not self:
                raise ValueError(f"{_shown(place)} is no place of this graph: add() makes them")
        self._connections.append({"from": repr(source), "to": repr(target), **_copied(fields)})

    def _place(self, what):
        if isinstance(what, Place):
            return what
        if isinstance(what, str):
            raise TypeError(f"{what!r} is no place: add() makes one of a node type's name")
        return self.add(what)

    def _free_id(self, what):
        name = what.node_type if isinstance(what, Step) else name_of(what)
        name = "".join(c if c.isalnum() and c.isascii() or c in "_-" else "_" for c in name).strip("_") or "node"
        id = name
        while id in self._nodes:
            self._numbers[name] = self._numbers.get(name, 1) + 1
            id = f"{name}_{self._numbers[name]}"
        return id

    def _manifest(self, describe):
        nodes = []
        for id, (what, fields) in self._nodes.items():
            node_type, params = (what.node_type, what.params) if isinstance(what, Step) else describe(id, what)
            params = {**params, **fields.get("params", {})}
            nodes.append({"id": id, "node_type": node_type, **fields, **({"params": params} if params else {})})
        return {"version": "v1", "metadata": {"name": self.name}, "nodes": nodes, "connections": self._connections}

    def to_dict(self):
        """The manifest, which other programs can run; a copy, which may be changed.

        Raises ValueError where it cannot name a node, and says which: a plain function, an object whose parameters are not
        known, or what is in no module. ManifestError, which is one: a parameter has no form in JSON.
        """
        from . import _runtime

        manifest = self._manifest(_named)
        _runtime.check_manifest(manifest)
        return _copied(manifest, _plain)

    def pipeline(self, *, arrays=None, sandbox=None):
        """Makes the pipeline, which holds the graph's functions and objects.

        arrays: as for Pipeline.from_json(). Raises ManifestError: for a cycle, an unknown port, a wrong parameter.
        A class is made anew for each run; an object serves all runs, also those at the same time.
        sandbox: where nodes run that were added with execution={"placement": "sandbox"}.
        """
        from ._held import hold
        from ._pipeline import Pipeline

        held = []

        def describe(id, what):
            if isinstance(what, Node) and not what.name:
                with contextlib.suppress(AttributeError):  # a property, or a slot that the class has not
                    object.__setattr__(what, "name", id)  # its own __setattr__ may refuse, as of frozen dataclasses
            name, kept = hold(what)
            held.append(kept)
            return f"remotemedia._held:{name}", {}

        return Pipeline.from_dict(self._manifest(describe), arrays=arrays, sandbox=sandbox, _held=held)


# ---- Parameters

_DEEPEST = 200  # levels; what is deeper, or holds itself, is refused when the graph becomes a pipeline


def _params(given):
    if not isinstance(given, Mapping):
        raise TypeError(f"params must be a dict of the node's parameters, not {type(given).__name__}")
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"the names of parameters are strings, not {type(name).__name__}")
    return dict(given)


def _merged(step, params):
    given = _params(step.params)
    for name in params:
        if name in given:
            raise TypeError(f"the parameter {name!r} of {step.node_type} is given twice: in {step.node_type}(...) and in params=")
    return {**given, **params}


def _copied(value, leaf=None, seen=None, depth=0):
    """A copy of dicts, lists and tuples at any depth. leaf: makes another value of what is none of JSON's."""
    seen = {} if seen is None else seen  # id: (what was copied, which keeps its id; the copy)
    if id(value) in seen:
        return seen[id(value)][1]
    if depth > _DEEPEST or not isinstance(value, (dict, list, tuple)):
        return leaf(value) if leaf is not None and not isinstance(value, (str, int, float, bool, type(None))) else value
    if isinstance(value, dict):
        seen[id(value)] = value, copy = value, {}
        for key, item in value.items():
            copy[key] = _copied(item, leaf, seen, depth + 1)
        return copy
    seen[id(value)] = value, items = value, []
    for item in value:
        items.append(_copied(item, leaf, seen, depth + 1))
    return items


def _plain(value):
    """A number of numpy's, an array: as JSON has it."""
    import json

    from . import _runtime

    return json.loads(_runtime.to_json(value))


def _shown(what):
    try:
        return repr(what)
    except Exception:  # it cannot even be shown
        return f"an object of {type(what).__name__}"


# ---- Names

def _given_params(what):
    """The parameters that an object was made with; None: they are not known."""
    found = attribute(what, "_given_params" if hasattr(type(what), "_given_params") else "config")
    return found if isinstance(found, dict) else None


def _named(id, what):
    kind, params = (what, {}) if isinstance(what, type) else (type(what), _given_params(what))
    module, name = kind.__module__, kind.__qualname__
    if is_function(what):
        raise ValueError(f"node '{id}' is the {'function' if hasattr(what, '__code__') else 'callable'} "
                         f"{getattr(what, '__qualname__', name)}, which a manifest cannot name; "
                         "@remotemedia.node makes it a class")
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not kind or module == "__main__":
        raise ValueError(f"node '{id}' is {name} of {module}, which other programs cannot import")
    if params is None:
        raise ValueError(f"node '{id}' is an object of {name} whose parameters are not known; @remotemedia.node on the class keeps them")
    return f"{module}:{name}", params


for _each in (Step, Place, Graph):
    _each.__module__ = "remotemedia"  # where users find them
