"""The rows of the table. A figure is made of samples that a statistic has summed up: once of medians, once of least
values, which other load on the machine disturbs less."""

import math
import statistics

import layout

KERNEL = "Python kernels against native, geometric mean"
PEERS = {"native": "native", "pyodide": "Pyodide", "python": "python3.13 -c pass", "cli": "wasmtime's CLI",
         "soxr": "soxr", "gst": "GStreamer", "ffmpeg": "FFmpeg", "sndfile": "libsndfile"}


class Row:
    """`value` and the peers, by their names in PEERS, take a function that gives the figure of a key; they raise KeyError where
    something has not been measured. `why` tells in a few words what is behind a miss."""

    def __init__(self, what, unit, value, aim=None, why="", **peers):
        self.what, self.unit, self.value, self.aim = what, unit, value, aim
        self.why, self.peers = why, peers


def key(name, factor=1):
    return lambda of: of(name) * factor


def less(one, other):
    return lambda of: of(one) - of(other)


def against(name, host):
    """CPU time of many items less that of few, in the host and natively."""
    return lambda of: (of(f"{name} many {host}") - of(f"{name} few {host}")) / (
        of(f"{name} many native") - of(f"{name} few native")
    )


def rows(kernels, hop_items):
    yield "Size"
    for kind, what, raw, brotli in (
        ("full", "full", 12, 3.2),
        ("lite", "lite", 0.6, 0.2),
        ("snapshot", "snapshot", None, None),
    ):
        peer = {"pyodide": key("size pyodide")} if kind == "full" else {}
        yield Row(f"{what}, raw", "MB", key(f"size {kind}"), raw, why="size", **peer)
        peer = {"pyodide": key("brotli pyodide")} if kind == "full" else {}
        yield Row(f"{what}, brotli -q 11", "MB", key(f"brotli {kind}"), brotli, why="size", **peer)
    for kind in ("full", "lite", "snapshot"):
        yield Row(f"reactor {kind}, raw", "MB", key(f"size reactor {kind}"))
    yield "Start: a whole process in Node, beyond `node -e 0`"
    peer = {"pyodide": less("start pyodide wall", "start node wall"), "native": key("start native python wall")}
    yield Row("snapshot, a Python node", "ms", less("start snapshot wall", "start node wall"), 90, why="start", **peer)
    yield Row("plain, a Python node", "ms", less("start full wall", "start node wall"), **peer)
    yield Row("lite", "ms", less("start lite wall", "start node wall"), native=key("start native lite wall"))
    peer = {"pyodide": less("start pyodide cpu", "start node cpu"), "native": key("start native python cpu")}
    yield Row("snapshot, CPU time", "ms", less("start snapshot cpu", "start node cpu"), **peer)
    yield Row("plain, CPU time", "ms", less("start full cpu", "start node cpu"), **peer)
    yield "First result in a new page in Chromium, the file in its cache"
    yield Row("snapshot, fetch, compile and run", "ms", key("first result"), 60, why="first")
    yield Row("snapshot, run alone", "ms", key("first result, run alone"))
    yield KERNEL
    for host, name, aim in (("chromium", "Chromium", 1.4), ("node", "Node", 1.6), ("wasmtime", "wasmtime", 1.7)):
        yield Row(name, "times", geometric(kernels, host), aim, pyodide=geometric(kernels, "pyodide"), why="python")
    for host, name in (("node", "Node"), ("wasmtime", "wasmtime")):
        yield Row(f"{name}, CPU time of 25 calls less that of 15", "times", geometric_cpu(kernels, host))
    yield "Native nodes against native, CPU time an item"
    yield Row("audio file, buffer, level", "times", against("audio", "node"), 1.25, why="nodes")
    yield Row("100 KiB JSON items, three PassThrough", "times", against("json", "node"), 1.25, why="nodes")
    yield "A further hop: (100 - 10 PassThrough) / 90, CPU time"
    for host, name in (("node", "Node"), ("wasmtime", "wasmtime")):
        native = hop("native", hop_items)
        yield Row(name, "ns", hop(host, hop_items), 8, native=native, why="hop")
    yield "Memory: WASM memory at its end against what the native program had resident at most"
    for name, what in (("json", "100 KiB JSON items"), ("hop", "300,000 ints, one document"), ("python", "a Python node")):
        value = lambda of, name=name: of(f"memory {name} wasm") / of(f"memory {name} native")
        yield Row(what, "times", value, 1.2, why="memory")
        yield Row(f"{what}: bytes", "MiB", key(f"memory {name} wasm"), native=key(f"memory {name} native"))


def hop(host, items):
    return lambda of: (of(f"hop 100 {host}") - of(f"hop 10 {host}")) * 1e6 / 90 / items


def geometric(kernels, host, peer="native"):
    return lambda of: math.exp(
        statistics.mean(math.log(of(f"kernel {kernel} {host}") / of(f"kernel {kernel} {peer}")) for kernel in kernels)
    )


def geometric_cpu(kernels, host):
    def call(of, kernel, host):
        return of(f"cpu {kernel} many {host}") - of(f"cpu {kernel} few {host}")

    return lambda of: math.exp(
        statistics.mean(math.log(call(of, kernel, host) / call(of, kernel, "native")) for kernel in kernels)
    )


REASONS = {
    "size": "the file holds CPython and its whole standard library, and the native nodes with all audio decoders",
    "start": "most of it is reading, checking and compiling the file in Node, before the first instruction runs",
    "first": "most of it is compiling the file in Chromium; see the row of the run alone",
    "python": "the interpreter's loop is one large function, which WASM compilers treat less well than gcc, and calls through "
    "tables are checked; the reasons have not been measured singly",
    "nodes": "not measured singly; the native build has vector instructions, in WASM only loops over samples have them",
    "hop": "not measured singly",
    "memory": "WASM memory counts in pages of 64 KiB, holds the data of the whole file and its stack from the start, and never "
    "shrinks; what is natively resident leaves pages out that were never touched",
}


# ---- From samples to figures


def figure(function, samples, statistic):
    """None where there is no such figure, or nothing to make it of."""
    if function is None:
        return None
    try:
        return function(lambda name: statistic(samples[name]))
    except (KeyError, ZeroDivisionError, ValueError):
        return None


def evaluate(samples, wanted):
    """One dict a row, in order; a heading is a str."""
    results = []
    for row in wanted:
        if isinstance(row, str):
            results.append(row)
            continue
        result = {"what": row.what, "unit": row.unit, "aim": row.aim, "why": row.why}
        for name, function in {"value": row.value, **row.peers}.items():
            figures = {"median": figure(function, samples, statistics.median), "least": figure(function, samples, min)}
            result[name] = figures if figures["median"] is not None else None
        results.append(result | {"verdict": judge(row.aim, result["value"])})
    return results


def judge(aim, value):
    if aim is None or value is None:
        return ""
    met = "missed; the least meets it" if value["least"] is not None and value["least"] <= aim else "MISSED"
    return "met" if value["median"] <= aim else met


# ---- Text

HEADER = ["", "median", "of least values", "aim", ""]


def peers_of(results):
    """Those that something has been measured of."""
    return [name for name in PEERS if any(isinstance(result, dict) and result.get(name) for result in results)]


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_unit(figures, unit, kind="median"):
    return f"{number(figures[kind])} {unit}" if figures and figures[kind] is not None else ""


def cells(result, peers):
    unit = result["unit"]
    if not result["value"]:
        return [result["what"], "not measured", *[""] * (len(HEADER) - 2 + len(peers))]
    same = result["value"]["median"] == result["value"]["least"]
    return [
        result["what"],
        with_unit(result["value"], unit),
        "" if same else with_unit(result["value"], unit, "least"),
        "" if result["aim"] is None else f"{result['aim']:g} {unit}",
        result["verdict"],
        *(with_unit(result.get(name), unit) for name in peers),
    ]


def notes(results, reasons):
    """Why what misses its aim does so."""
    missed = [result for result in results if isinstance(result, dict) and result["verdict"] not in ("", "met")]
    why = {result["why"]: [] for result in missed}
    for result in missed:
        why[result["why"]].append(result["what"])
    return [f"missed: {', '.join(whats)}: {reasons[name]}" for name, whats in why.items() if name]


def table(results):
    """The header, and what gives a result's cells."""
    peers = peers_of(results)
    return [*HEADER, *(PEERS[name] for name in peers)], lambda result: cells(result, peers)


def as_text(results, reasons):
    header, of = table(results)
    return layout.as_text(header, results, of, notes(results, reasons))


def as_markdown(results, reasons):
    header, of = table(results)
    return layout.as_markdown(header, results, of, [f"- {note}" for note in notes(results, reasons)])
