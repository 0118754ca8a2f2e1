"""Random graphs as a file of cases, so that every port of tests/run_cases can run them."""

import json

from graphs.generate import generate, manifest_of


def case_of(seed, graph, outcome):
    expect = {"outputs": outcome.outputs}
    if outcome.error is not None:
        expect["error"] = outcome.error
    else:
        expect["failed"] = outcome.failed
    if not outcome.failed:
        expect.pop("failed", None)
    case = {
        "name": f"random graph {seed}",
        "manifest": manifest_of(graph),
        "skip": {"native": "the random test runs it"},
        "expect": expect,
    }
    if graph["input"] is not None:
        case["input_data"] = graph["input"]
    return case


def write_cases(path, first, count, without=()):
    graphs = ((seed, *generate(seed, without)) for seed in range(first, first + count))
    cases = [case_of(seed, graph, outcome) for seed, graph, outcome in graphs if "broken" not in graph]
    path.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")
