"""Writes the licences of the project and of what it links as a C text: rmi_licenses_text.

Usage: licenses.py TARGET OUT.c [NAME...]; the dependencies named are left out, since not all files of a target link all.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def deps(target, command):
    return subprocess.run([sys.executable, "-B", ROOT / "deps/deps.py", "--target", target, command], check=True,
                          stdout=subprocess.PIPE).stdout.decode()


def licences(target, left_out):
    """What `deps.py licenses` prints, without the texts that stand under the names left out."""
    known = [line.split("\t")[0] for line in deps(target, "list").splitlines()]
    unknown = set(left_out) - set(known)
    if unknown:
        sys.exit(f"licenses: {target} has no {', '.join(sorted(unknown))}")
    heads = re.compile(rf"^(?===== (?:{'|'.join(map(re.escape, known))}) )", re.MULTILINE)
    parts = [part for part in heads.split(deps(target, "licenses")) if part]
    return "".join(part for part in parts if part.split(" ", 2)[1] not in left_out)


def main(target, out, *left_out):
    text = f"==== RemoteMedia (MIT)\n\n{(ROOT / 'LICENSE').read_text()}\n{licences(target, left_out)}"
    data = text.encode() + b"\0"
    rows = "\n".join("    " + "".join(f"{byte}," for byte in data[i:i + 24]) for i in range(0, len(data), 24))
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text('#include "cli/licenses.h"\n\n'
                   f"static const unsigned char text[] = {{\n{rows}\n}};\n"
                   "const char *const rmi_licenses_text = (const char *)text;\n")


main(*sys.argv[1:])
