#!/usr/bin/env python3
"""Edits CPython's unpacked source (the current folder) before configure; fails when a text is not where it was."""
import os
import pathlib
import re
import sys

# Built into the library, so that they use its math functions and need no file; the rest are shared objects,
# among them all that need a library of the system.
BUILT_IN = """
array _asyncio _bisect _contextvars _csv _heapq _json _lsprof _opcode _pickle _queue _random _struct _zoneinfo
math cmath _statistics _datetime _decimal binascii _md5 _sha1 _sha2 _sha3 _blake2 pyexpat _elementtree unicodedata
fcntl grp mmap _posixsubprocess resource select _socket termios _posixshmem _multiprocessing
""".split()

GUARD_BEGIN = "#ifdef Py_DEBUG\n   // A debug build is likely built with low optimization level which implies\n"
GUARD_END = "#  define Py_C_RECURSION_LIMIT 10000\n#endif\n"


def replace_once(path, old, new):
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"{path}: expected once, found {text.count(old)} times: {old!r}")
    path.write_text(text.replace(old, new))


def recursion_limit_from_the_command_line():
    header = pathlib.Path("Include/cpython/pystate.h")
    replace_once(header, GUARD_BEGIN, "#ifndef Py_C_RECURSION_LIMIT\n" + GUARD_BEGIN)
    replace_once(header, GUARD_END, GUARD_END + "#endif\n")


def recursion_limit_in_every_call():
    """Two of the specialised calls of Python functions do not look at the limit, so that such a recursion takes all memory."""
    path = pathlib.Path("Python/generated_cases.c.h")
    text = path.read_text()
    first = "DEOPT_IF(tstate->interp->eval_frame, CALL);\n"
    for name in ("CALL_PY_GENERAL", "CALL_BOUND_METHOD_GENERAL"):
        start = text.index(f"TARGET({name}) {{")
        at = text.index(first, start) + len(first)
        if at > text.index("DISPATCH();", start):
            sys.exit(f"{path}: {name} does not begin as expected")
        text = text[:at] + "                DEOPT_IF(tstate->py_recursion_remaining <= 1, CALL);\n" + text[at:]
    path.write_text(text)


def write_setup_local():
    lines = pathlib.Path("Modules/Setup.stdlib.in").read_text().splitlines()
    known = {}
    for line in lines:
        match = re.match(r"@MODULE_\w+_TRUE@(\w+) (.*)", line)
        if match:
            known[match[1]] = f"{match[1]} {match[2]}"
    missing = [name for name in BUILT_IN if name not in known]
    if missing:
        sys.exit(f"Modules/Setup.stdlib.in has no line for: {' '.join(missing)}")
    known["binascii"] += " -I."  # a flag of its own keeps configure's -lz away
    text = "*static*\n" + "".join(known[name] + "\n" for name in BUILT_IN)
    pathlib.Path("Modules/Setup.local").write_text(text)


recursion_limit_from_the_command_line()
recursion_limit_in_every_call()
if os.environ["TARGET"] == "native":  # elsewhere all is built in as it is
    write_setup_local()
