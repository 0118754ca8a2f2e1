"""Writes what `version` tells of the project and of what it links as C texts: the licences and the bill of materials.

Usage: linked_texts.py TARGET VERSION OUT.c [NAME...]; leaves out the dependencies named, since not every file of a target
links all.
"""
import pathlib
import subprocess
import sys

from c_array import elements

ROOT = pathlib.Path(__file__).resolve().parent.parent


def of_dependencies(target, *words):
    command = [sys.executable, "-B", ROOT / "deps/deps.py", "--target", target, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def definition(name, text):
    data = text.encode() + b"\0"
    return f"static const unsigned char {name}[] = {{\n{elements(data)}\n}};\nconst char *const rmi_{name}_text = (const char *){name};\n"


def main(target, version, out, *left_out):
    others = of_dependencies(target, "licenses", "--without", *left_out)
    licenses = f"==== RemoteMedia (MIT)\n\n{(ROOT / 'LICENSE').read_text()}\n{others}"
    sbom = of_dependencies(target, "sbom", "--of", "remotemedia", version, "--without", *left_out)
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text('#include "cli/linked_texts.h"\n\n' + definition("licenses", licenses) + definition("sbom", sbom))


main(*sys.argv[1:])
