#!/usr/bin/env python3
"""Copies numpy's Python files and the one that meson made, without tests and what needs a compiler. BUILD TO"""
import pathlib
import shutil
import sys

LEFT_OUT = {"tests", "f2py", "_examples", "include", "_pyinstaller", "_build_utils", "distutils"}


def copy(source, target):
    for path in sorted(source.rglob("*.py")):
        inside = path.relative_to(source)
        if not LEFT_OUT & set(inside.parts) and inside.name not in ("setup.py", "conftest.py"):
            if (source / inside.parent / "__init__.py").exists() or (target / inside.parent / "__init__.py").exists():
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / inside)


build, to = map(pathlib.Path, sys.argv[1:])
copy(pathlib.Path("numpy"), to / "numpy")
shutil.copyfile(build / "numpy/__config__.py", to / "numpy/__config__.py")
# numpy.testing imports this one of the tests.
tests = to / "numpy/_core/tests"
tests.mkdir()
(tests / "__init__.py").touch()
shutil.copyfile("numpy/_core/tests/_natype.py", tests / "_natype.py")
