"""Writes the licences of the project and of what it links as a C text: rmi_licenses_text.

Usage: licenses.py TARGET OUT.c [NAME...]; leaves out the dependencies named, since not every file of a target links all.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main(target, out, *left_out):
    command = [sys.executable, "-B", ROOT / "deps/deps.py", "--target", target, "licenses", "--without", *left_out]
    others = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
    text = f"==== RemoteMedia (MIT)\n\n{(ROOT / 'LICENSE').read_text()}\n{others}"
    data = text.encode() + b"\0"
    rows = "\n".join("    " + "".join(f"{byte}," for byte in data[i:i + 24]) for i in range(0, len(data), 24))
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text('#include "cli/licenses.h"\n\n'
                   f"static const unsigned char text[] = {{\n{rows}\n}};\n"
                   "const char *const rmi_licenses_text = (const char *)text;\n")


main(*sys.argv[1:])
