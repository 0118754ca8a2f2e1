"""What the interpreter of the snapshot does before its image is made, and when a process begins with it."""
import contextlib
import gc
import io
import sys

# What pipelines use most: each costs its share of the image, and saves its import in every process.
MODULES = """
remotemedia remotemedia.nodes remotemedia._code remotemedia._loop asyncio
abc base64 bisect collections collections.abc contextlib copy copyreg dataclasses datetime decimal enum functools
heapq inspect itertools json keyword linecache math numbers operator os posixpath random re reprlib stat statistics
string struct textwrap time tokenize traceback types typing warnings weakref
""".split()


def prepare():
    for name in MODULES:
        __import__(name)
    with contextlib.suppress(ModuleNotFoundError):  # where numpy is not in the file
        import numpy.random
        import remotemedia._arrays
    set_streams(None)
    sys.path_importer_cache.clear()  # /app is not there yet
    sys.modules["linecache"].clearcache()
    gc.collect()
    gc.freeze()


def resume():
    set_streams(standard_error())
    sys.modules["random"].seed()
    sys.modules["time"].tzset()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "logging" in sys.modules:
        sys.modules["logging"]._startTime = sys.modules["time"].time_ns()


def set_streams(errors):
    sys.stdin = sys.__stdin__ = None
    sys.stdout = sys.__stdout__ = sys.stderr = sys.__stderr__ = errors


def standard_error():
    """As the interpreter makes it when it starts."""
    try:
        binary = io.open(2, "wb", closefd=False)
    except OSError:
        return None
    binary.raw.name = "<stderr>"
    stream = io.TextIOWrapper(binary, "utf-8", "backslashreplace", "\n", line_buffering=True)
    stream.mode = "w"
    return stream
