"""The program around a measurement of WASM files: its options, its parts in turn, the table and the JSON."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import rows
import samples

ROOT = samples.ROOT


def arguments(name, description, parts):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/native", help="the native build directory")
    parser.add_argument("--wasm", type=pathlib.Path, default=ROOT / "build/wasm", help="the folder of the WASM files")
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (default 7)")
    parser.add_argument("--only", choices=parts, action="append", help="measure this part (may be repeated)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / f"build/{name}.json", help="its file")
    parser.add_argument("--show", type=pathlib.Path, help="print an earlier run's JSON, measure nothing")
    return parser


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    node = samples.output(["node", "--version"]).strip()
    return {"processor": (names or [platform.processor()])[0], "cores": os.cpu_count(), "node": node}


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def taken(name, bench, parts, options, results):
    """Measures the parts that are asked for; `results` makes rows of the samples."""
    for file in bench.needed:
        if not file.is_file():
            sys.exit(f"{name}: there is no file {file}; make {name} builds it")
    if bench.missing():
        say(f"{name}: not installed, left out: {', '.join(bench.missing())}")
    date, load, started = datetime.datetime.now(datetime.timezone.utc), os.getloadavg(), time.monotonic()
    bench.prepare()
    for part, measure in parts.items():
        if options.only is None or part in options.only:
            say(f"{name}: {part}, load {os.getloadavg()[0]:.1f}")
            measure(bench, options.rounds)
    return {
        "date": date.isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "rounds": options.rounds,
        "seconds": round(time.monotonic() - started),
        "load": {"before": load, "after": os.getloadavg()},
        "rows": results(bench.samples),
        "samples": bench.samples,
    }


def kernels_of(values):
    return list(dict.fromkeys(key.split()[1] for key in values if key.startswith("kernel ")))


def show(document, options, reasons):
    text = rows.as_markdown if options.markdown else rows.as_text
    print(text(document["rows"], reasons))
    print(
        f"{document['date']}, commit {document['commit']}, {document['machine']['processor']} with "
        f"{document['machine']['cores']} cores, Node {document['machine']['node']}, {document['rounds']} rounds in "
        f"{document['seconds']} s, load {document['load']['before'][0]:.1f} before and "
        f"{document['load']['after'][0]:.1f} after"
    )


def main(name, options, bench, parts, results, reasons):
    """`bench` makes what takes the samples; parts: {name: function of it and the rounds}."""
    if options.show:
        show(json.loads(options.show.read_text()), options, reasons)
        return
    document = taken(name, bench(), parts, options, results)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    show(document, options, reasons)
    say(f"{name}: written to {options.json}")
