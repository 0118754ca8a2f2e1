"""Compiles Python modules into a C file: the table rmi_frozen_modules for PyImport_FrozenModules.

Usage: python3.13 -I -S -X no_debug_ranges freeze.py OUT.c --package FOLDER... [--bare FOLDER...]
[--library FOLDER [--additions FOLDER]] [--module FILE...], with the Python that will run the code. --library freezes
the standard library too, without modules that a program inside WASM cannot use; --additions has files NAME.py, whose text goes
behind the module of that name.
Docstrings and a package's asserts stay; packages named with --bare keep only the asserts. File names read
<frozen remotemedia.nodes>. Frozen code has no source beside it, so -X no_debug_ranges leaves out the columns, which would
point nowhere. With --library the code has the number of zeros instead of the zeros: wasm/frozen.c puts them back.
"""
import argparse
import ast
import marshal
import os
import re

# Modules that a program inside WASM cannot use, and why: `import` of one raises ModuleNotFoundError with the reason.
NO_LIBRARY = "its C library is not in the WASM files"
NO_PROCESSES = "there are no processes in WebAssembly"
NO_SCREEN = "there is no screen or terminal in WebAssembly"
NO_USERS = "there are no users in WebAssembly"
LEFT_OUT = {
    **dict.fromkeys("_ssl ssl _ctypes ctypes _sqlite3 sqlite3 _bz2 _lzma _dbm _gdbm _uuid".split(), NO_LIBRARY),
    **dict.fromkeys("multiprocessing _multiprocessing _posixsubprocess pty venv webbrowser ensurepip".split(),
                    NO_PROCESSES),
    **dict.fromkeys(("grp", "pwd"), NO_USERS),
    "fcntl": "there are no locks of files and no modes of descriptors in WebAssembly",
    "mmap": "files cannot be mapped to memory in WebAssembly",
    "resource": "a program cannot see what it uses in WebAssembly",
    "syslog": "there is no log of the system in WebAssembly",
    "_hashlib": "OpenSSL is not in the WASM files; hashlib has what they have",
    "numpy": "it is in the WASM files named pipeline_executor_numpy and remotemedia_reactor_numpy",
    **dict.fromkeys("_curses curses _tkinter idlelib readline termios tkinter tty turtle turtledemo".split(),
                    NO_SCREEN),
}
# Of no use to any program, or of other operating systems; of _pyrepl pydoc needs the pager. Only the bundled Python runs
# remotemedia._vendor.
NOT_MISSED = set("""
__phello__ __hello__ _aix_support _android_support _apple_support _ios_support _osx_support antigravity lib2to3 msilib
pip pydoc_data site-packages test this remotemedia._vendor
""".split())
# The interpreter has these frozen already: it starts with them.
IN_THE_INTERPRETER = set("""
importlib._bootstrap importlib._bootstrap_external zipimport abc codecs io _collections_abc _sitebuiltins genericpath
ntpath posixpath os site stat importlib.util importlib.machinery runpy
""".split())


def is_left_out(name):
    if name.startswith("_pyrepl."):
        return name != "_pyrepl.pager"
    if name.startswith("_sysconfigdata_"):  # the one of the Python that compiles
        return True
    return name in LEFT_OUT or name in NOT_MISSED


def modules(folder, package=""):
    """(name, path, is a package) of every module in the folder and its packages."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{package}.{entry.name}" if package else entry.name
        if entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py")):
            if not is_left_out(name):
                yield from modules(entry.path, name)
        elif entry.name == "__init__.py":
            yield package, entry.path, True
        elif entry.name.endswith(".py") and not is_left_out(name[:-3]):
            yield name[:-3], entry.path, False


def without_docstrings(text):
    """The syntax tree, without the strings that only help() reads."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body[:1] = [] if len(node.body) > 1 else [ast.copy_location(ast.Pass(), node.body[0])]
    return tree


def compiled(found, optimize, additions=None, bare=False):
    """(name, byte code, is a package); a file NAME.py in the folder of additions goes behind the module's own text."""
    for name, path, is_package in found:
        with open(path, "rb") as file:
            text = file.read()
        more = os.path.join(additions, f"{name}.py") if additions else ""
        if os.path.exists(more):
            with open(more, "rb") as file:
                text += b"\n" + file.read()
        source = without_docstrings(text) if bare else text
        code = compile(source, f"<frozen {name}>", "exec", dont_inherit=True, optimize=optimize)
        yield name, marshal.dumps(code), is_package


def refusals():
    """Modules that raise an error with the reason why they are missing."""
    for name, reason in LEFT_OUT.items():
        text = f"raise ModuleNotFoundError({f'No module named {name!r}: {reason}'!r}, name={name!r})"
        yield name, marshal.dumps(compile(text, f"<frozen {name}>", "exec")), False


def squeezed(code):
    """A 1, the length of the code, and the code, in which a 0 and a number stand for each run of zeros."""
    return b"\1" + len(code).to_bytes(4, "little") + re.sub(
        rb"\0{1,255}", lambda zeros: bytes([0, len(zeros[0])]), code)


def table(entries):
    """The text of the C file."""
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
    parser.add_argument("--bare", action="append", default=[])
    parser.add_argument("--library")
    parser.add_argument("--additions")
    parser.add_argument("--module", action="append", default=[])
    options = parser.parse_args()
    entries = []
    for folder in options.package:
        entries += compiled(modules(folder, os.path.basename(folder)), 0)
    for folder in options.bare:
        entries += compiled(modules(folder, os.path.basename(folder)), 0, bare=True)
    if options.library:
        found = (item for item in modules(options.library) if item[0] not in IN_THE_INTERPRETER)
        entries += compiled(found, 1, options.additions)
        there = {name for name, _, _ in entries}
        entries += (entry for entry in refusals() if entry[0] not in there)
    entries += compiled(((os.path.basename(path)[:-3], path, False) for path in options.module), 1)
    if options.library:
        entries = [(name, squeezed(code), is_package) for name, code, is_package in entries]
    text = table(entries)
    text += f"\nconst bool rmi_frozen_library = {'true' if options.library else 'false'};\n"
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    with open(options.out, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
