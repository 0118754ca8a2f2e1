"""The rows of the table: what is shown of the samples, beside which peer, against which aim.

A sample is what bench/measure.py returns for one round. Every figure is the median over the rounds; ratios to
a peer are taken within a round, where both have met the same load."""

import statistics

import layout

GST = "GStreamer identity"
TEE = "GStreamer tee, fakesink"
FUNNEL = "GStreamer tee, identity, funnel"
LAUNCHED = "gst-launch-1.0, 100 more elements"
LOOP = "plain Python loop"
JSON = "Python json and a loop"
BARE = "python3.13 -I -S -c pass"
LAUNCH = "gst-launch-1.0"
NO_GST = "gst-launch-1.0 is not installed"
NO_PYTHON = "built without Python"


class Row:
    """`value` and `peer` take a round's sample; they raise KeyError where something has not been measured.

    aim: ("most", x) the value itself is at most x; ("ratio", x) it is at most x times the peer; ("times", x)
    the peer takes at least x times as long."""

    def __init__(self, what, unit, value, peer=None, peer_name="", old="", aim=None, aim_text=""):
        self.what, self.unit, self.value, self.peer, self.peer_name = what, unit, value, peer, peer_name
        self.old, self.aim, self.aim_text = old, aim, aim_text


def key(name, divisor=1):
    return lambda sample: sample[name] / divisor


def each(long, short, more, n=1):
    """What one of the `more` further steps costs."""
    return lambda sample: (sample[long] - sample[short]) / more / n


def most(limit, unit):
    return {"aim": ("most", limit), "aim_text": f"{limit:g} {unit}"}


def ratio(limit, of):
    return {"aim": ("ratio", limit), "aim_text": f"{limit:g} times {of}"}


def rows():
    hop, gst = most(5, "ns"), {"peer": key("gst_hop"), "peer_name": GST}
    old_hop, lone = {"old": "30-47 ns"}, most(20, "ns") | {"old": "69-461 us a round trip"} | gst
    tee = {"peer": key("gst_delivery"), "peer_name": TEE}
    python = {"peer_name": LOOP}
    yield "One hop: PassThrough, int items, streaming"
    yield Row("chain of 1, by node (push and pull in it)", "ns", key("chain_1"), **gst, **old_hop, **hop)
    yield Row("chain of 10, by node", "ns", key("chain_10", 10), **gst, **old_hop, **hop)
    yield Row("chain of 100, by node", "ns", key("chain_100", 100), **gst, **old_hop, **hop)
    yield Row("a further node: (100 - 10) / 90", "ns", each("chain_100", "chain_10", 90), **gst, **old_hop,
              **hop)
    yield Row("held at most, 1,000,000 items, 10 nodes; peer: 100,000", "KiB", key("memory_long"),
              key("memory_short"), "itself", "grows with the input", ("ratio", 1.01), "the same")
    yield "One hop with one item in flight"
    yield Row("chain of 1, by node (push and pull in it)", "ns", key("lone_1"), **lone)
    yield Row("chain of 10, by node", "ns", key("lone_10", 10), **lone)
    yield Row("chain of 100, by node", "ns", key("lone_100", 100), **lone)
    yield Row("a further node: (100 - 10) / 90", "ns", each("lone_100", "lone_10", 90), **lone)
    multiply = {"peer": key("loop_python_multiply_10", 10), "peer_name": LOOP}
    multiply |= {"old": "49 ns, in float64"} | most(8, "ns")
    yield "MultiplyNode, exact integers"
    yield Row("chain of 10, by node", "ns", key("multiply_10", 10), **multiply)
    yield Row("chain of 100, by node", "ns", key("multiply_100", 100), **multiply)
    yield Row("a further node: (100 - 10) / 90", "ns", each("multiply_100", "multiply_10", 90), **multiply)
    fan = {"old": "86-112 ns"} | most(15, "ns") | tee
    yield "Branches, a delivery"
    yield Row("fan-out of 10, to results that are pulled", "ns", key("fan_10", 10), **fan)
    yield Row("fan-out of 100, to results that are pulled", "ns", key("fan_100", 100), **fan)
    yield Row("fan-out of 10, to nodes that drop", "ns", key("fan_drop_10", 10), **fan)
    yield Row("fan-out of 100, to nodes that drop", "ns", key("fan_drop_100", 100), **fan)
    yield Row("diamond of 10: 20 deliveries an item", "ns", key("diamond_10", 20), key("gst_diamond"), FUNNEL,
              old="130 ns", **most(20, "ns"))
    yield "A manifest parsed, built, run with one item, freed"
    for nodes, old in ((1, 2.7), (10, 20), (100, 184)):
        peer = {"peer": key("gst_build_100"), "peer_name": LAUNCHED} if nodes == 100 else {}
        yield Row(f"{nodes} node{'s' * (nodes > 1)}", "us", key(f"build_{nodes}"), old=f"{old:g} us", **peer,
                  **most(old / 2, "us"))
    yield "Python nodes"
    yield Row("int item, one node", "ns", key("python_int_1"), key("loop_python_int_1"), old="7 us", **python,
              **ratio(1.4, "the loop"))
    yield Row("int item, chain of ten, by node", "ns", key("python_int_10", 10),
              key("loop_python_int_10", 10), **python, **ratio(1.15, "the loop"))
    yield Row("dict of three entries, one node", "ns", key("python_dict_1"), key("loop_python_dict_1"),
              old="15 us", **python, **most(400, "ns"))
    yield Row("dict of three entries, chain of ten, by node", "ns", key("python_dict_10", 10),
              key("loop_python_dict_10", 10), **python)
    yield Row("async node, int item", "ns", key("python_async_1"), key("loop_python_async_1"), old="216 us",
              **python, **most(2000, "ns"))
    for name, what in (("generator", "int"), ("generator_waits", "int, then sleep(0)")):
        yield Row(f"async generator, a step: {what}", "ns", key(f"python_{name}"), key(f"loop_python_{name}"),
                  peer_name="async for in asyncio", **ratio(1.2, "async for"))
    yield from json_rows()
    yield from process_rows()


def json_rows():
    yield "JSON in, three nodes, JSON out: an item"
    ways = (("json", "in process"), ("program", "the program"), ("lines", "the program, JSONL"))
    for kind, items in (("ints", "ints"), ("dicts", "small dicts")):
        for way, text in ways:
            yield Row(f"{items}, {text}", "ns", key(f"{way}_{kind}"), key(f"loop_{way}_{kind}"), JSON,
                      aim=("times", 20), aim_text="20 times as many")
        yield Row(f"{items}, yyjson alone: read and written", "ns", key(f"floor_{kind}"),
                  key(f"loop_json_{kind}"), JSON)


def process_rows():
    yield "JSONL streaming: most memory resident, three nodes"
    yield Row("1,000,000 items", "MiB", key("stream_1000000_mib"), **most(32, "MiB"))
    yield Row("10,000,000 items", "MiB", key("stream_10000000_mib"), **most(32, "MiB"))
    yield "Start: a whole process with one item"
    native = {"peer_name": LAUNCH}
    yield Row("native nodes only", "ms", key("start_native"), key("start_gst"), old="41 ms", **native,
              **most(5, "ms"))
    yield Row("native nodes only, memory", "MiB", key("start_native_mib"), key("start_gst_mib"), old="15 MiB",
              **native, **most(8, "MiB"))
    yield Row("with a Python node", "ms", key("start_python"), key("start_bare_python"), BARE,
              old="110 ms; 682 with its SDK", **ratio(1.3, "bare Python"))
    yield Row("with a Python node, memory", "MiB", key("start_python_mib"), key("start_bare_python_mib"),
              BARE)


# ---- From samples to figures


def summary(function, samples):
    """{"median", "least", "most"} over the rounds that have it, or None."""
    values = []
    for sample in samples:
        try:
            values.append(function(sample))
        except KeyError:
            continue
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def judge(row, ours, peer, times):
    """How the medians stand to the aim, and the least values, which other load disturbs less; ""
    without an aim, or without the peer that it is about."""
    if row.aim is None or ours is None:
        return ""
    kind, limit = row.aim
    if kind == "most":
        median, best = ours["median"] <= limit, ours["least"] <= limit
    elif times is None:
        return ""
    else:
        needed = limit if kind == "times" else 1 / limit
        median, best = times["median"] >= needed, peer["least"] / ours["least"] >= needed
    return "met" if median else "missed; the least meets it" if best else "MISSED"


def missing(row):
    return NO_GST if row.peer_name in (GST, TEE, FUNNEL, LAUNCH, LAUNCHED) else NO_PYTHON


def evaluate(samples):
    """One dict a row, in order; a heading is a str."""
    results = []
    for row in rows():
        if isinstance(row, str):
            results.append(row)
            continue
        ours = summary(row.value, samples)
        peer = summary(row.peer, samples) if row.peer else None
        times = None
        if ours and peer:
            times = summary(lambda sample, row=row: row.peer(sample) / row.value(sample), samples)
        results.append({
            "what": row.what,
            "unit": row.unit,
            "value": ours,
            "peer": peer,
            "peer_name": row.peer_name,
            "peer_missing": missing(row) if row.peer and not peer else "",
            "times_faster": times,
            "old": row.old,
            "aim": row.aim_text,
            "verdict": judge(row, ours, peer, times),
        })
    return results


# ---- Text


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(figure):
    return f"{number(figure['least'])}-{number(figure['most'])}"


HEADER = ["", "median", "spread", "peer", "its median", "its spread", "peer / ours", "old*", "aim", ""]


def cells(result):
    if not result["value"]:
        return [result["what"], "not measured", *[""] * 8]
    unit, peer, times = result["unit"], result["peer"], result["times_faster"]
    return [
        result["what"],
        f"{number(result['value']['median'])} {unit}",
        spread(result["value"]),
        result["peer_missing"] or result["peer_name"],
        f"{number(peer['median'])} {unit}" if peer else "",
        spread(peer) if peer else "",
        number(times["median"]) if times else "",
        result["old"],
        result["aim"],
        result["verdict"],
    ]


NOTE = (
    "* old: the former implementation in Rust, release build, on a 2-core EPYC machine; taken from its "
    "records, not measured here."
)


def escaped(text):
    return text.replace("*", r"\*")


def as_text(results):
    return layout.as_text(HEADER, results, cells, [NOTE])


def as_markdown(results):
    header = list(map(escaped, HEADER))
    return layout.as_markdown(header, results, lambda result: list(map(escaped, cells(result))), [escaped(NOTE)])
