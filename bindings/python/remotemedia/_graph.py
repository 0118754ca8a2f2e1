"""Pipelines that are written in Python."""
import sys

from ._held import is_function, is_node
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
            coroutine function works on up to max_in_flight items at once; a function without arguments is a source.
        id: its name in results: letters, digits, "_" and "-"; made of the function's or the type's where it is left out.
        fields: of a node in a manifest, such as on_error="skip", max_in_flight=8, timeout_ms=500, params={...}.
        Raises TypeError where it can be no node, ValueError where the id is taken.
        """
        if isinstance(what, str):
            what = Step(what, fields.pop("params", {}))
        elif not isinstance(what, Step) and not is_node(what) and not is_function(what):
            raise TypeError(f"a node is a step, a function, or a class or an object with process() or generate(), not {what!r}")
        elif hasattr(what, "_step_of"):
            raise TypeError(f"remotemedia.nodes.{what._step_of} has to be called, with its parameters: {what._step_of}(...)")
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
        for place in (source, target):
            if not isinstance(place, Place) or place.graph is not self:
                raise ValueError(f"{place!r} is no place of this graph: add() makes them")
        self._connections.append({"from": repr(source), "to": repr(target), **fields})

    def _place(self, what):
        if isinstance(what, Place):
            return what
        if isinstance(what, str):
            raise TypeError(f"{what!r} is no place: add() makes one of a node type's name")
        return self.add(what)

    def _free_id(self, what):
        name = what.node_type if isinstance(what, Step) else getattr(what, "__name__", type(what).__name__)
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
        return {"version": "v1", "metadata": {"name": self.name}, "nodes": nodes, "connections": list(self._connections)}

    def to_dict(self):
        """The manifest, which other programs can run.

        Raises ValueError where it cannot name a node, and says which: a plain function, an object whose parameters are not
        known, or what is in no module.
        """
        return self._manifest(_named)

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
                what.name = id
            name, kept = hold(what)
            held.append(kept)
            return f"remotemedia._held:{name}", {}

        return Pipeline.from_dict(self._manifest(describe), arrays=arrays, sandbox=sandbox, _held=held)


def _named(id, what):
    kind, params = (what, {}) if isinstance(what, type) else (type(what), getattr(what, "config", None))
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
