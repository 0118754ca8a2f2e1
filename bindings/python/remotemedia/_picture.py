"""Pictures of graphs for notebooks: SVG inside HTML, which needs no network, and text for terminals."""
import functools
import html
import inspect
import re
import sys

from . import _held
from ._graph import Step
from ._native import native_names

# What a kind of node looks like: the colour of its edge and, thinner, of its ground. Texts have the colour of the page's.
_COLOURS = {"native": "#3f7fd6", "Python": "#3a9a5b", "async": "#a864c7", "sandbox": "#d07f2e"}
_FONT = "font-family='ui-monospace,Menlo,Consolas,monospace'"
_LETTER, _SMALL_LETTER = 7.3, 6.1  # widths, at 12 and 10 pixels
_LONGEST = 28  # letters of a text; the rest is in the node's tooltip
_PORT_HEIGHT, _HEIGHT, _GAP = 20, 42, 18
_MARGIN = 8
_BACK = 26  # room for connections that lead back
_MOST_BENDS = 20_000  # places where edges pass layers; of a larger graph they are drawn as straight lines


class Drawn:
    """A graph as it is drawn.

    nodes: {id: (text of the type, kind)}. connections: [(id, port or None, id, port or None)].
    """

    def __init__(self, title, name, nodes, connections):
        self.title, self.name, self.nodes = title, name, nodes
        self.connections = [each for each in connections if each[0] in nodes and each[2] in nodes]
        self.targets = {id: [] for id in nodes}
        self.origins = {id: [] for id in nodes}
        for origin, _, target, _ in self.connections:
            self.targets[origin].append(target)
            self.origins[target].append(origin)

    def bundle(self):
        return {"text/plain": text_of(self), "text/html": html_of(self)}


# ---- What is drawn

def of_graph(graph):
    """A remotemedia.Graph, which need not be right."""
    def described(what, fields):
        if isinstance(what, Step):
            return what.node_type, _kind_of_type(what.node_type)
        return _name_of_code(what), _kind_of_code(what)

    nodes = {id: described(what, fields) for id, (what, fields) in graph._nodes.items()}
    for id, (_, fields) in graph._nodes.items():
        if fields.get("runtime_hint") == "cpython_wasm" or (fields.get("execution") or {}).get("placement") == "sandbox":
            nodes[id] = nodes[id][0], "sandbox"
    connections = [(*_parts(each["from"]), *_parts(each["to"])) for each in graph._connections]
    return Drawn("Graph", graph.name, nodes, connections)


def of_pipeline(pipeline):
    """A remotemedia.Pipeline."""
    name, nodes, connections = pipeline._graph()
    return Drawn("Pipeline", name, {id: _of_type(node_type, kind) for id, node_type, kind in nodes}, connections)


def _of_type(node_type, kind):
    """The text and the kind of a node type in a manifest."""
    module, _, name = node_type.rpartition(":")
    found = sys.modules.get(module)
    what = getattr(found, name, None) if found is not None and kind == "Python" else None
    text = _name_of_code(what) if module == _held.__name__ and what is not None else node_type
    return text, kind if what is None else _kind_of_code(what)


def _kind_of_type(node_type):
    return "sandbox" if node_type.startswith("wasm:") else "native" if node_type in _native_names() else "Python"


@functools.cache
def _native_names():
    return frozenset(native_names())


def _name_of_code(what):
    what = getattr(what, "_function", what)
    name = getattr(what, "__name__", type(what).__name__)
    return name if isinstance(what, type) or not callable(what) else "lambda" if name == "<lambda>" else name + "()"


def _kind_of_code(what):
    for part in (getattr(what, "process", None), getattr(what, "generate", None), what):
        if inspect.iscoroutinefunction(part) or inspect.isasyncgenfunction(part):
            return "async"
    return "Python"


def _parts(place):
    id, dot, port = place.rpartition(".")
    return (id, port) if dot else (port, None)


# ---- Text

def text_of(drawn):
    """One line a node: its id, its type, and where its results go."""
    def shown(text, width=0):
        return _printable(text).ljust(width)

    lines = [f"{drawn.title} {drawn.name!r}"]
    wide = max(map(len, drawn.nodes), default=0)
    wide_types = max((len(words) for words, _ in drawn.nodes.values()), default=0)
    for id, (words, _) in drawn.nodes.items():
        targets = [shown(target + (f".{port}" if port else "")) for origin, _, target, port in drawn.connections if origin == id]
        arrow = f"  >> {', '.join(targets)}" if targets else ""
        lines.append(f"  {shown(id, min(wide, 40))}  {shown(words, min(wide_types, 40) if arrow else 0)}{arrow}".rstrip())
    return "\n".join(lines if drawn.nodes else [lines[0], "  (empty)"])


def _printable(text):
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


# ---- Layers: every node stands right of those that it gets something from

def _layers(drawn):
    """{id: layer}. In a cycle, which no pipeline has, one connection leads back."""
    waits = {id: len(origins) for id, origins in drawn.origins.items()}
    layer = dict.fromkeys(drawn.nodes, 0)
    ready, rest = [id for id, count in waits.items() if count == 0], iter(drawn.nodes)
    done = set()
    while len(done) < len(layer):
        if not ready:
            ready.append(next(id for id in rest if id not in done))
        id = ready.pop()
        if id in done:
            continue
        done.add(id)
        for target in drawn.targets[id]:
            if target not in done:
                layer[target] = max(layer[target], layer[id] + 1)
                waits[target] -= 1
                if waits[target] == 0:
                    ready.append(target)
    return layer


class _Layout:
    """Where everything stands. A cell is a node's id, or a bend: a tuple (connection, layer)."""

    def __init__(self, drawn):
        self.drawn, self.layer = drawn, _layers(drawn)
        self.ports = {id: ([], []) for id in drawn.nodes}  # names of the inputs and outputs in use
        for origin, out, target, into in drawn.connections:
            for id, side, port in ((origin, 1, out), (target, 0, into)):
                if port not in self.ports[id][side]:
                    self.ports[id][side].append(port)
        self.paths = self._paths()
        self.columns = [[] for _ in range(max(self.layer.values(), default=-1) + 1)]
        for id, number in self.layer.items():
            self.columns[number].append(id)
        self.before, self.after = {}, {}
        for path in self.paths:
            for cell in path[1:-1]:
                self.columns[cell[1]].append(cell)
            for one, two in zip(path, path[1:]):
                self.after.setdefault(one, []).append(two)
                self.before.setdefault(two, []).append(one)
        self._sort()
        self._place_rows()
        self._place_columns()

    def _paths(self):
        """The cells that each connection passes."""
        bends = sum(max(self.layer[target] - self.layer[origin] - 1, 0) for origin, _, target, _ in self.drawn.connections)
        return [(origin, *(((number, at) for at in range(self.layer[origin] + 1, self.layer[target])) if bends <= _MOST_BENDS else ()),
                 target) for number, (origin, _, target, _) in enumerate(self.drawn.connections)]

    def _sort(self):
        """Cells stand about as high as their neighbours, so that few lines cross."""
        place = {cell: i for column in self.columns for i, cell in enumerate(column)}
        for sweep in range(4):
            neighbours = self.after if sweep % 2 else self.before
            for column in self.columns[::-1 if sweep % 2 else 1]:
                wanted = {cell: _mean([place[each] for each in neighbours[cell]]) if cell in neighbours else place[cell]
                          for cell in column}
                column.sort(key=wanted.__getitem__)
                place.update((cell, i) for i, cell in enumerate(column))

    def height(self, cell):
        if isinstance(cell, tuple):
            return 4
        inputs, outputs = self.ports[cell]
        return max(_HEIGHT, _PORT_HEIGHT * max(len(inputs), len(outputs)) + 6)

    def leads_back(self, number):
        """Whether the connection goes against the direction of the layers: it closes a cycle."""
        origin, _, target, _ = self.drawn.connections[number]
        return self.layer[target] <= self.layer[origin]

    def _place_rows(self):
        """self.middle: {cell: y}. Each column is packed, then moved towards its neighbours."""
        self.middle = {}
        for column in self.columns:
            y = 0
            for cell in column:
                self.middle[cell] = y + self.height(cell) / 2
                y += self.height(cell) + _GAP
        for sweep in range(4):
            neighbours = self.after if sweep % 2 else self.before
            for column in self.columns[::-1 if sweep % 2 else 1]:
                self._spread(column, [_mean([self.middle[each] for each in neighbours.get(cell, [cell])]) for cell in column])
        top = min((self.middle[cell] - self.height(cell) / 2 for cell in self.middle), default=0)
        self.middle = {cell: y - top + _MARGIN for cell, y in self.middle.items()}

    def _spread(self, column, wanted):
        """Puts the cells of a column, in their order, as near to where they want to be as others let them."""
        blocks = []  # [sum of wanted tops, cells, tops of the cells inside the block]
        for cell, y in zip(column, wanted):
            blocks.append([y - self.height(cell) / 2, [cell], [0.0], self.height(cell) + _GAP])
            while len(blocks) > 1 and self._top(blocks[-2]) + blocks[-2][3] > self._top(blocks[-1]):
                total, cells, tops, size = blocks.pop()
                last = blocks[-1]
                last[0] += total - len(cells) * last[3]
                last[1] += cells
                last[2] += [top + last[3] for top in tops]
                last[3] += size
        for block in blocks:
            for cell, top in zip(block[1], block[2]):
                self.middle[cell] = self._top(block) + top + self.height(cell) / 2

    @staticmethod
    def _top(block):
        return block[0] / len(block[1])

    def _place_columns(self):
        """self.left: {id: x}, self.width: {id: width}, self.edges: [(left, right)] of columns."""
        back = _BACK if any(map(self.leads_back, range(len(self.paths)))) else 0
        self.left, self.width, self.edges, x = {}, {}, [], float(_MARGIN + back)
        into, out = [0] * len(self.columns), [0] * len(self.columns)  # letters of the ports' names
        for id, (inputs, outputs) in self.ports.items():
            number = self.layer[id]
            into[number] = max(into[number], *(len(_short(port or "")) for port in inputs or [""]))
            out[number] = max(out[number], *(len(_short(port or "")) for port in outputs or [""]))
        for number, column in enumerate(self.columns):
            x += into[number] * _SMALL_LETTER if number else 0
            for id in column:
                if not isinstance(id, tuple):
                    words, _ = self.drawn.nodes[id]
                    self.width[id] = 26 + max(len(_short(id)) * _LETTER, len(_short(words)) * _SMALL_LETTER)
            wide = max((self.width[id] for id in column if not isinstance(id, tuple)), default=0)
            for id in column:
                if not isinstance(id, tuple):
                    self.left[id], self.width[id] = x, wide
            self.edges.append((x, x + wide))
            x += wide + 44 + out[number] * _SMALL_LETTER
        self.size = (self.edges[-1][1] + _MARGIN + back,
                     max(y + self.height(cell) / 2 for cell, y in self.middle.items()) + _MARGIN + back)

    def port(self, id, side, name):
        """Where a line leaves (side 1) or enters a node."""
        names = self.ports[id][side]
        step = (names.index(name) + 0.5) / len(names) - 0.5
        return self.left[id] + (self.width[id] if side else 0), self.middle[id] + step * _PORT_HEIGHT * len(names)


def _mean(numbers):
    return sum(numbers) / len(numbers)


# ---- SVG

def html_of(drawn):
    """The graph as HTML: a figure of SVG, which scrolls where it is wider than the page."""
    if not drawn.nodes:
        return f"<div><i>{_escaped(drawn.title)} {_escaped(drawn.name)}: empty</i></div>"
    layout = _Layout(drawn)
    width, height = layout.size
    parts = [_line(layout, number) for number in range(len(drawn.connections))]
    parts += [_node(layout, id) for id in drawn.nodes]
    parts += [text for id in drawn.nodes for text in _port_names(layout, id)]
    kinds = {kind for _, kind in drawn.nodes.values()}
    legend = " ".join(f"<span style='white-space:nowrap'><span style='color:{colour}'>&#9632;</span> {kind}</span>"
                      for kind, colour in _COLOURS.items() if kind in kinds)
    label = f"{drawn.title} {drawn.name}: {len(drawn.nodes)} nodes, {len(drawn.connections)} connections"
    return (f"<div style='overflow-x:auto;max-width:100%'>"
            f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{_escaped(label)}' "
            f"width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}' "
            f"style='max-width:none' fill='none' color='inherit'>{''.join(parts)}</svg>"
            f"<div style='font-size:11px;opacity:.75'>{_escaped(drawn.name)} &nbsp; {legend}</div></div>")


def _node(layout, id):
    words, kind = layout.drawn.nodes[id]
    x, y, width, height = layout.left[id], layout.middle[id], layout.width[id], layout.height(id)
    colour = _COLOURS[kind]
    radius = 4 if layout.drawn.origins[id] and layout.drawn.targets[id] else height / 2 if height <= _HEIGHT else 16
    middle = x + width / 2
    return (f"<g><title>{_escaped(f'{id}: {words} ({kind})')}</title>"
            f"<rect x='{x:.1f}' y='{y - height / 2:.1f}' width='{width:.1f}' height='{height}' rx='{radius:g}' "
            f"fill='{colour}' fill-opacity='.14' stroke='{colour}' stroke-width='1.5'/>"
            f"<text x='{middle:.1f}' y='{y - 2:.1f}' font-size='12' font-weight='600' {_FONT} text-anchor='middle' "
            f"fill='currentColor'>{_escaped(_short(id))}</text>"
            f"<text x='{middle:.1f}' y='{y + 12:.1f}' font-size='10' {_FONT} text-anchor='middle' fill='currentColor' "
            f"fill-opacity='.75'>{_escaped(_short(words))}</text></g>")


def _line(layout, number):
    origin, out, target, into = layout.drawn.connections[number]
    x, y = layout.port(origin, 1, out)
    end_x, end_y = layout.port(target, 0, into)
    path = [f"M{x:.1f} {y:.1f}"]
    if layout.leads_back(number):
        low = max(layout.middle[id] + layout.height(id) / 2 for id in (origin, target)) + _BACK
        path.append(f"C{x + 40:.1f} {y:.1f} {x + 40:.1f} {low:.1f} {(x + end_x) / 2:.1f} {low:.1f}S{end_x - 40:.1f} {end_y:.1f} ")
        path.append(f"{end_x - 6:.1f} {end_y:.1f}")
    else:
        for cell in layout.paths[number][1:-1]:
            left, right = layout.edges[cell[1]]
            path.append(_curve(x, y, left, layout.middle[cell]) + f"H{right:.1f}")
            x, y = right, layout.middle[cell]
        path.append(_curve(x, y, end_x - 6, end_y))
    return (f"<path d='{''.join(path)}' stroke='currentColor' stroke-opacity='.55' stroke-width='1.3'/>"
            f"<path d='M{end_x - 1:.1f} {end_y:.1f}l-8 -4v8z' fill='currentColor' fill-opacity='.6'/>")


def _port_names(layout, id):
    for side, names in enumerate(layout.ports[id]):
        for name in filter(None, names):
            x, y = layout.port(id, side, name)
            yield (f"<text x='{x + 4 if side else x - 9:.1f}' y='{y - 4:.1f}' font-size='10' {_FONT} "
                   f"text-anchor='{'start' if side else 'end'}' fill='currentColor' fill-opacity='.75'>{_escaped(_short(name))}</text>")


def _curve(x, y, to_x, to_y):
    if abs(to_y - y) < 0.05:
        return f"L{to_x:.1f} {to_y:.1f}"
    half = max((to_x - x) / 2, 16)
    return f"C{x + half:.1f} {y:.1f} {to_x - half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _short(text):
    return text if len(text) <= _LONGEST else text[:_LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _escaped(text):
    return html.escape(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text))
