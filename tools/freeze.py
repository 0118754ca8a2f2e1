"""Compiles Python modules into a C file: the table rmi_frozen_modules for PyImport_FrozenModules.

Usage: python3.13 -I -S freeze.py OUT.c --package FOLDER... [--library FOLDER] [--module FILE...], with the Python that
will run the code. --library freezes the standard library too, without what a program inside WASM cannot use.
Docstrings and the package's asserts stay; file names read <frozen remotemedia.nodes>.
"""
import argparse
import marshal
import os

# What needs a screen, a compiler, processes or a library that is not in the WASM files.
LEFT_OUT = set("""
__phello__ __hello__ _aix_support _android_support _apple_support _ios_support _osx_support _pyrepl antigravity ctypes
curses dbm ensurepip idlelib lib2to3 msilib multiprocessing pip pty pydoc_data site-packages sqlite3 ssl test this
tkinter tty turtle turtledemo venv webbrowser
""".split())
# Where a program looks first is in the interpreter already.
IN_THE_INTERPRETER = {"importlib._bootstrap", "importlib._bootstrap_external", "zipimport"}


def modules(folder, package=""):
    """(name, path, is a package) of every module in the folder and its packages."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{package}.{entry.name}" if package else entry.name
        if entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py")):
            if name not in LEFT_OUT:
                yield from modules(entry.path, name)
        elif entry.name == "__init__.py":
            yield package, entry.path, True
        elif entry.name.endswith(".py") and name[:-3] not in LEFT_OUT:
            yield name[:-3], entry.path, False


def compiled(found, optimize):
    """(name, byte code, is a package)"""
    for name, path, is_package in found:
        with open(path, "rb") as file:
            code = compile(file.read(), f"<frozen {name}>", "exec", dont_inherit=True, optimize=optimize)
        yield name, marshal.dumps(code), is_package


def table(entries, out):
    """The C file, and beside it the bytes that it embeds."""
    blob, rows = bytearray(), []
    for name, code, is_package in sorted(entries):
        rows.append(f'    {{"{name}", code + {len(blob)}, {len(code)}, {int(is_package)}}},\n')
        blob += code
    lines = (",".join(map(str, blob[i:i + 24])) for i in range(0, len(blob), 24))
    return ("#include <stdbool.h>\n\n#include <Python.h>\n\n#include \"python/frozen.h\"\n\n"
            "static const unsigned char code[] = {\n" + ",\n".join(lines) + "};\n\n"
            "const struct _frozen rmi_frozen_modules[] = {\n" + "".join(rows) + "    {0},\n};\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--package", action="append", default=[])
    parser.add_argument("--library")
    parser.add_argument("--module", action="append", default=[])
    options = parser.parse_args()
    entries = []
    for folder in options.package:
        entries += compiled(modules(folder, os.path.basename(folder)), 0)
    if options.library:
        found = (item for item in modules(options.library) if item[0] not in IN_THE_INTERPRETER)
        entries += compiled(found, 1)
    entries += compiled(((os.path.basename(path)[:-3], path, False) for path in options.module), 1)
    text = table(entries, options.out)
    text += f"\nconst bool rmi_frozen_library = {'true' if options.library else 'false'};\n"
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    with open(options.out, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
