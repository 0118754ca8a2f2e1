"""What a graph must give, from the documented order alone: items one after the other, and for each of them all nodes in
topological order. The runtime does much at once; its outcome has to be this one.

A graph is {"nodes": [{"id", "kind", "args", "on_error", "retry", "timeout_ms", "max_in_flight", "output"}],
"edges": [{"from", "to", "packets", "bytes"}], "input": list, {source: list} or null, "broken"}; all but id, kind and
args is optional. "broken" is the index of a line of input that is no JSON.
"""

import dataclasses

from graphs.kinds import END, ENDLESS, KINDS, READ, Done, Failure

END_SEQ = 1 << 62


class Unfit(Exception):
    """The graph is none to be run: it does not end, or is too large."""


@dataclasses.dataclass
class Outcome:
    status: str
    outputs: dict  # {sink: values}
    lines: list  # [(sink, value)]: the results in the order of items
    order: list
    error: dict = None  # {"code", "node", "item"}
    failed: list = dataclasses.field(default_factory=list)
    calls: dict = dataclasses.field(default_factory=dict)  # {node: items that it has worked on}


def topological(ids, edges):
    """Kahn's order, always the ready node that stands first in the manifest."""
    waits, order = {id: 0 for id in ids}, []
    for edge in edges:
        waits[edge["to"]] += 1
    while len(order) < len(ids):
        id = next(id for id in ids if waits.get(id) == 0)
        del waits[id]
        order.append(id)
        for edge in edges:
            if edge["from"] == id:
                waits[edge["to"]] -= 1
    return order


class Node:
    def __init__(self, entry, rank, incoming, consumers, before):
        self.id, self.entry, self.rank = entry["id"], entry, rank
        self.kind = KINDS[entry["kind"]](entry["id"], entry["args"])
        self.incoming, self.consumers = incoming, consumers  # ids, in the order of connections
        self.reports = not consumers or entry.get("output", False)
        self.closed = False  # it takes no more items
        self.unwanted = None  # the seq from which nobody wants what it gives
        self.emitted = []  # in this round
        self.body = None  # of a streaming node; False when it has ended
        self.calls = 0
        if hasattr(self.kind, "merges"):
            self.kind.sources = list(dict.fromkeys(incoming))
        if entry["kind"] == "Upper" and before & {"Batch", "Window", "Merge"}:
            raise Unfit("the manifest is refused: these give no text")

    @property
    def on_error(self):
        return self.entry.get("on_error", "fail")

    @property
    def attempts(self):
        return 1 + self.entry.get("retry", {}).get("attempts", 0)


class Model:
    def __init__(self, graph, endless=64, most=20000):
        """`endless`: how many values of an endless generator are made; `most`: packets in a graph that fits."""
        self.graph, self.endless, self.most, self.packets = graph, endless, most, 0
        edges = graph["edges"]
        ids = [node["id"] for node in graph["nodes"]]
        self.order = topological(ids, edges)
        self.nodes = {}
        for entry in graph["nodes"]:
            id = entry["id"]
            incoming = [edge["from"] for edge in edges if edge["to"] == id]
            consumers = [edge["to"] for edge in edges if edge["from"] == id]
            before = {node["kind"] for node in graph["nodes"] if node["id"] in incoming}
            self.nodes[id] = Node(entry, self.order.index(id), incoming, consumers, before)
        self.ranked = [self.nodes[id] for id in self.order]
        self.sinks = [id for id in ids if self.nodes[id].reports]
        self.lines, self.failures, self.collected = [], [], []

    # ---- What is given to sources ----

    def sources(self):
        """{id: what it gives or gets}, without those that have nothing."""
        given = self.graph["input"]
        sources = {node.id: node for node in self.ranked if not node.incoming}
        if given is None:
            return {id: self.generated(node) for id, node in sources.items() if node.kind.generates}
        if isinstance(given, dict):
            return {id: list(given.get(id, [])) for id in sources}
        return {id: given[: self.graph.get("broken")] for id in sources}

    def generated(self, node):
        values = []
        for value in node.kind.generate():
            values.append(value)
            if node.kind.endless and len(values) == self.endless:
                return [*values, ENDLESS]
            self.count(1)
        return values

    def count(self, packets):
        self.packets += packets
        if self.packets > self.most:
            raise Unfit("too many packets")

    # ---- One node ----

    def close(self, node, seq):
        """It takes no more items; whoever only fed it is not wanted any more."""
        if node.closed:
            return
        node.closed = True
        for id in dict.fromkeys(node.incoming):
            before = self.nodes[id]
            if before.unwanted is None and not before.reports and all(self.nodes[c].closed for c in before.consumers):
                before.unwanted = seq
                self.close(before, seq)

    def fail(self, node, seq, failure):
        entry = {"code": failure.code, "node": node.id, "item": seq if seq < END_SEQ else None}
        if node.on_error == "fail":
            self.failures.append((seq, node.rank, entry))
            self.close(node, seq)
            return
        if node.on_error == "collect":
            self.collected.append((seq, node.rank, entry))
        if node.kind.streaming:
            self.close(node, seq)

    def emit(self, node, seq, values):
        """Adds what the iterator gives; what comes before a failure stays."""
        for value in values:
            node.emitted.append(value)
            self.count(1)
            if node.kind.endless and len(node.emitted) > self.endless:
                node.emitted.append(ENDLESS)
                return

    def attempt(self, node, make):
        """Values of the last attempt, and how it ended. Failed attempts of a node that tries again give nothing."""
        for attempt in range(node.attempts):
            values, end = [], None
            try:
                for value in make():
                    values.append(value)
            except (Failure, Done) as raised:
                end = raised
            if not isinstance(end, Failure):
                return values, end
        return values if node.attempts == 1 else [], end

    def handle(self, node, seq, make):
        if node.kind.endless:
            self.emit(node, seq, make())
            return
        values, end = self.attempt(node, make)
        self.emit(node, seq, values)
        if isinstance(end, Failure):
            self.fail(node, seq, end)
        elif end is not None:
            self.close(node, seq)

    def stream(self, node, seq, item):
        """Lets a streaming node run until it reads again."""
        try:
            if node.body is None:
                node.body = node.kind.body()
                got = next(node.body)
                if got is not READ:
                    raise Unfit("it emits before it reads")
            got = node.body.send(item)
            while got is not READ:
                self.emit(node, seq, [got])
                got = next(node.body)
        except StopIteration:
            node.body = False
            self.close(node, seq)
        except Failure as failure:
            node.body = False
            self.fail(node, seq, failure)

    def merge(self, node, seq, source, value):
        def put():
            node.kind.put(source, value)
            return []

        self.handle(node, seq, put)

    def take(self, node, seq, source, value):
        node.calls += 1
        if value is ENDLESS:
            raise Unfit("an endless generator is not stopped")
        if node.kind.streaming:
            self.stream(node, seq, value)
        elif hasattr(node.kind, "merges"):
            self.merge(node, seq, source, value)
        else:
            self.handle(node, seq, lambda: node.kind.process(value))

    # ---- Rounds ----

    def round(self, seq, given, start=0):
        """All nodes from `start` on work on the packets of `seq`; `given`: {source: value}."""
        for node in self.ranked[start:]:
            if node.incoming:
                packets = [(id, value) for id in node.incoming for value in self.nodes[id].emitted]
            elif node.id in given and self.graph["input"] is None:
                packets = []
                if given[node.id] is ENDLESS and not node.closed:
                    raise Unfit("an endless source is not stopped")
                if not node.closed:
                    node.emitted = [given[node.id]]
            else:
                packets = [(None, given[node.id])] if node.id in given else []
            for source, value in packets:
                if node.closed:
                    break
                self.take(node, seq, source, value)
            if hasattr(node.kind, "merges") and seq < END_SEQ and not node.closed:
                self.emit(node, seq, node.kind.leave())
        self.report(seq)
        return self.decide(seq)

    def report(self, seq):
        for id in self.sinks:
            for value in self.nodes[id].emitted:
                if value is ENDLESS:
                    raise Unfit("an endless generator has results")
                self.lines.append((id, value))
        for node in self.ranked:
            node.emitted = []

    def decide(self, seq):
        """The failure with which the run ends, or None; failures of what is unwanted are none."""
        standing = [f for f in self.failures if self.nodes[f[2]["node"]].unwanted is None]
        self.failures = []
        return min(standing, key=lambda f: f[:2])[2] if standing else None

    def flush(self, node):
        seq = END_SEQ + node.rank
        if node.kind.streaming and node.body is not False and not node.closed:
            self.stream(node, seq, END)
        self.end(node, seq)
        return self.round(seq, {}, node.rank + 1)

    def end(self, node, seq):
        values, failure = [], None
        try:
            for value in node.kind.flush():
                values.append(value)
        except Failure as raised:
            failure = raised
        self.emit(node, seq, values)
        if failure is not None:
            self.fail(node, seq, failure)

    def run(self):
        given = self.sources()
        error = None
        for seq in range(max(map(len, given.values()), default=0)):
            if all(self.nodes[id].closed for id in given):
                break
            error = self.round(seq, {id: values[seq] for id, values in given.items() if seq < len(values)})
            if error is not None:
                break
        if error is None and "broken" in self.graph and not all(self.nodes[id].closed for id in given):
            error = {"code": "parse", "node": None, "item": min(self.graph["broken"], len(self.graph["input"]))}
        if error is None:
            for node in self.ranked:
                if node.unwanted is None:
                    error = self.flush(node)
                    if error is not None:
                        break
        return self.outcome(error)

    def outcome(self, error):
        outputs = {id: [value for sink, value in self.lines if sink == id] for id in self.sinks}
        failed = []
        for seq, _, entry in sorted(self.collected, key=lambda f: f[:2]):
            unwanted = self.nodes[entry["node"]].unwanted
            if unwanted is None or seq < unwanted:
                failed.append(entry)
        calls = {node.id: node.calls for node in self.ranked}
        status = "success" if error is None else "error"
        return Outcome(status, outputs, self.lines, self.order, error, failed, calls)


def expected(graph, endless=64, most=20000):
    return Model(graph, endless, most).run()
