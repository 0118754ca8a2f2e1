"""Compiles a Python package into a C file: the table rmi_frozen_modules for PyImport_FrozenModules.

Usage: python3.13 -I -S freeze.py PACKAGE_FOLDER OUT.c, with the Python that will run the code.
Docstrings and asserts stay; file names read <frozen remotemedia.nodes>.
"""
import marshal
import os
import sys


def modules(folder):
    """(name, path, is a package) of every module under the package's folder, sorted by name."""
    found = []
    root = os.path.dirname(os.path.abspath(folder))
    for where, _, files in os.walk(folder):
        package = os.path.relpath(os.path.abspath(where), root).replace(os.sep, ".")
        for file in files:
            if file == "__init__.py":
                found.append((package, os.path.join(where, file), True))
            elif file.endswith(".py"):
                found.append((f"{package}.{file[:-3]}", os.path.join(where, file), False))
    return sorted(found)


def array(name, code):
    rows = [code[i:i + 24] for i in range(0, len(code), 24)]
    body = "\n".join("    " + "".join(f"{byte}," for byte in row) for row in rows)
    return f"static const unsigned char {name}[] = {{\n{body}\n}};\n"


def main(folder, out):
    arrays, rows = [], []
    for number, (name, path, is_package) in enumerate(modules(folder)):
        with open(path, "rb") as file:
            code = marshal.dumps(compile(file.read(), f"<frozen {name}>", "exec", dont_inherit=True, optimize=0))
        arrays.append(array(f"module_{number}", code))
        rows.append(f'    {{"{name}", module_{number}, (int)sizeof module_{number}, {int(is_package)}}},\n')
    text = ("#include <Python.h>\n\nextern const struct _frozen rmi_frozen_modules[];\n\n" + "\n".join(arrays)
            + "\nconst struct _frozen rmi_frozen_modules[] = {\n" + "".join(rows) + "    {0},\n};\n")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
