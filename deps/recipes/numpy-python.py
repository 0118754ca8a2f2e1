#!/usr/bin/env python3
"""Copies numpy's Python files and the one that meson made, without tests and what only builds it. BUILD TO"""
import pathlib
import shutil
import sys

LEFT_OUT = {"tests", "f2py", "_examples", "include", "_pyinstaller", "_build_utils", "distutils", "code_generators"}
FILES_LEFT_OUT = {"setup.py", "conftest.py", "timer_comparison.py"}
EMPTY = ("_core/_add_newdocs.py", "_core/_add_newdocs_scalars.py")  # they only set docstrings; numpy imports them


def copy(source, target):
    for path in sorted(source.rglob("*.py")):
        inside = path.relative_to(source)
        if not LEFT_OUT & set(inside.parts) and inside.name not in FILES_LEFT_OUT:
            if (source / inside.parent / "__init__.py").exists() or (target / inside.parent / "__init__.py").exists():
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / inside)


build, to = map(pathlib.Path, sys.argv[1:])
copy(pathlib.Path("numpy"), to / "numpy")
for name in EMPTY:
    (to / "numpy" / name).write_text("")
shutil.copyfile(build / "numpy/__config__.py", to / "numpy/__config__.py")
# numpy.testing imports this one of the tests.
tests = to / "numpy/_core/tests"
tests.mkdir()
(tests / "__init__.py").touch()
shutil.copyfile("numpy/_core/tests/_natype.py", tests / "_natype.py")
