"""Prints the licences of all that a Rust package links, each text once. Reads what `cargo metadata` prints."""
import json
import pathlib
import re
import sys

NAMES = re.compile(r"(licen[cs]e|copying|notice|unlicense)", re.I)


def linked(graph):
    """The packages that the root needs when it runs; not those of builds and tests."""
    nodes = {node["id"]: node for node in graph["nodes"]}
    found, open_ones = set(), [graph["root"]]
    while open_ones:
        one = open_ones.pop()
        if one not in found:
            found.add(one)
            open_ones += [dep["pkg"] for dep in nodes[one]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    return found


def main():
    data = json.load(sys.stdin)
    ids = linked(data["resolve"])
    texts, without = {}, []
    for package in sorted((one for one in data["packages"] if one["id"] in ids), key=lambda one: one["name"]):
        title = f"{package['name']} {package['version']} ({package['license']})"
        folder = pathlib.Path(package["manifest_path"]).parent
        files = sorted(path for path in folder.iterdir() if path.is_file() and NAMES.match(path.name))
        for path in files:
            texts.setdefault(path.read_text(encoding="utf-8", errors="replace").strip(), []).append(title)
        if not files:
            without.append(title)
    print("Without a text of their own: " + ", ".join(without) + ".")
    for text, titles in texts.items():
        print(f"\n---- {', '.join(titles)}\n\n{text}")


main()
