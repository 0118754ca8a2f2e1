#!/usr/bin/env python3
"""Arrays of other libraries: each goes through a native node and must arrive exactly, or be refused with a hint that works.

The libraries lie in the folder --path, installed from arrays.txt; a library that is not there is skipped, by name. The table
in docs/numpy.md ("Arrays of other libraries") has a row for each library, with the version of arrays.txt. The last line
reads "N passed, N failed, N skipped".
"""

import argparse
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from ports import environment  # noqa: E402

PRELUDE = """
import importlib, remotemedia
class Lazy:
    def __init__(self, name):
        self.name = name
    def __getattr__(self, name):
        return getattr(importlib.import_module(self.name), name)
for short, name in {"np": "numpy", "ml": "ml_dtypes", "mx": "mlx.core", "jnp": "jax.numpy", "ak": "awkward", "pa": "pyarrow",
                    "pl": "polars", "pd": "pandas", "xr": "xarray", "Image": "PIL.Image", "ort": "onnxruntime",
                    "sparse": "scipy.sparse"}.items():
    globals()[short] = Lazy(name)
def address(v):
    # where the elements lie, as the library says; None: it does not say
    if isinstance(v, remotemedia.Tensor):
        return numpy.asarray(remotemedia.Tensor(v, dtype="uint8")).__array_interface__["data"][0]
    if hasattr(v, "__array_interface__"):
        return v.__array_interface__["data"][0]
    if type(v).__module__.startswith("pyarrow") and hasattr(v, "buffers"):
        return v.buffers()[1].address
    for name in ("unsafe_buffer_pointer", "data_ptr"):  # of jax, and of torch and onnxruntime
        if hasattr(v, name):
            return getattr(v, name)()
    if hasattr(v, "buffer_ptr"):  # of av
        return v.buffer_ptr
    if type(v).__module__.startswith("mlx"):
        return numpy.asarray(memoryview(v)).__array_interface__["data"][0] if v.dtype.size != 2 else None
for name in ("numpy", "jax", "av", "cv2", "attrs", "msgspec", "torch"):
    globals()[name] = Lazy(name)
"""

# Library, an array of it, the dtype that arrives, its elements in C order, and whether they are copied (None: the address
# cannot be known).
ARRIVE = [
    ("numpy", "np.arange(3.0)", "float64", "np.arange(3.0)", False),
    ("numpy", "np.arange(6, dtype='>i2')", ">i2", "np.arange(6, dtype='>i2')", False),
    ("numpy", "np.array(['2020-01-01', 'NaT'], 'M8[25s]')", "<M8[25s]", "np.array(['2020-01-01', 'NaT'], 'M8[25s]')", False),
    ("numpy", "np.array([0, 255], 'u1').view(bool)", "bool", "np.array([False, True])", True),
    ("numpy", "np.full(8, 255, 'u1').view(np.dtype('i1,i2', align=True))", "opaque",
     "np.array([255, 0, 255, 255] * 2, 'u1')", True),
    *(("ml_dtypes", f"np.array([1, 0, 1], ml.{name})", name, f"np.array([1, 0, 1], ml.{name})", False)
      for name in ("bfloat16", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz",
                   "float8_e5m2", "float8_e5m2fnuz", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "int1", "uint1",
                   "int2", "uint2", "int4", "uint4", "complex32", "bcomplex32")),
    ("ml_dtypes", "np.array([1, 2], ml.float8_e8m0fnu)", "float8_e8m0fnu", "np.array([1, 2], ml.float8_e8m0fnu)", False),
    ("ml_dtypes", "np.array([(1, 2)], [('a', ml.bfloat16), ('b', 'i1')])", "opaque",
     "np.array([(1, 2)], [('a', ml.bfloat16), ('b', 'i1')])", False),
    ("mlx", "mx.array([1.5, 2])", "float32", "np.array([1.5, 2], 'f4')", False),
    ("mlx", "mx.array([1.5, 2], mx.bfloat16)", "bfloat16", "np.array([1.5, 2], ml.bfloat16)", None),
    ("mlx", "remotemedia.Tensor(memoryview(mx.array([1.5, 2], mx.bfloat16)))", "bfloat16",
     "np.array([1.5, 2], ml.bfloat16)", True),
    ("mlx", "remotemedia.Tensor(mx.array([1.5, 2], mx.bfloat16), shape=(2, 1))", "bfloat16",
     "np.array([1.5, 2], ml.bfloat16)", True),
    ("mlx", "mx.array([[1, 2], [3, 4]]).T", "int32", "np.array([1, 3, 2, 4], 'i4')", None),
    ("mlx", "mx.array([1 + 2j])", "complex64", "np.array([1 + 2j], 'c8')", False),
    ("mlx", "mx.array([True, False])", "bool", "np.array([True, False])", False),
    ("jax", "jnp.array([1.5, 2])", "float32", "np.array([1.5, 2], 'f4')", False),
    ("jax", "jnp.array([1.5, 2], jnp.bfloat16)", "bfloat16", "np.array([1.5, 2], ml.bfloat16)", False),
    ("jax", "jnp.array([1.5, 2], jnp.float8_e5m2)", "float8_e5m2", "np.array([1.5, 2], ml.float8_e5m2)", False),
    ("jax", "jnp.array([True, False])", "bool", "np.array([True, False])", False),
    ("jax", "jax.dlpack.from_dlpack(remotemedia.Tensor(np.ones(2, 'f4')), copy=True)", "float32", "np.ones(2, 'f4')", False),
    ("jax", "jax.dlpack.from_dlpack(jnp.ones(2), copy=True)", "float32", "np.ones(2, 'f4')", False),
    ("jax", "jax.dlpack.from_dlpack(remotemedia.Tensor(np.ones(2, 'f4')))", "float32", "np.ones(2, 'f4')", False),
    ("awkward", "remotemedia.Tensor(ak.Array([1, 2]))", "int64", "np.array([1, 2])", False),
    ("pyarrow", "pa.array([1, 2])", "int64", "np.array([1, 2])", False),
    ("pyarrow", "pa.Tensor.from_numpy(np.ones((2, 2)))", "float64", "np.ones(4)", None),
    ("pyarrow", "remotemedia.Tensor(pa.py_buffer(b'ab'))", "int8", "np.array([97, 98], 'i1')", True),
    ("polars", "remotemedia.Tensor(pl.Series([1, 2]))", "int64", "np.array([1, 2])", True),
    ("polars", "pl.DataFrame({'a': [1, 2]}).to_numpy()", "int64", "np.array([1, 2])", True),
    ("pandas", "remotemedia.Tensor(pd.Series([1.5, 2]))", "float64", "np.array([1.5, 2])", False),
    ("pandas", "pd.DataFrame({'a': [1], 'b': [2]}).to_numpy()", "int64", "np.array([1, 2])", False),
    ("xarray", "remotemedia.Tensor(xr.DataArray([1.5]))", "float64", "np.array([1.5])", False),
    ("scipy", "sparse.csr_array([[1.5, 0]]).toarray()", "float64", "np.array([1.5, 0])", False),
    ("PIL", "remotemedia.Tensor(Image.new('1', (2, 1), 1))", "bool", "np.array([True, True])", False),
    ("PIL", "np.asarray(Image.new('1', (2, 1), 1))", "bool", "np.array([True, True])", True),
    ("PIL", "remotemedia.Tensor(Image.new('RGB', (1, 1), (1, 2, 3)))", "uint8", "np.array([1, 2, 3], 'u1')", False),
    ("PIL", "remotemedia.Tensor(Image.new('I;16', (1, 1), 513))", "uint16", "np.array([513], 'u2')", False),
    ("PIL", "remotemedia.Tensor(Image.new('F', (1, 1), 0.5))", "float32", "np.array([0.5], 'f4')", False),
    ("av", "av.VideoFrame.from_ndarray(np.full((16, 16, 3), 7, 'u1'), 'rgb24').to_ndarray()", "uint8",
     "np.full(768, 7, 'u1')", True),
    ("av", "av.VideoFrame.from_ndarray(np.full((16, 64, 3), 7, 'u1'), 'rgb24').planes[0]", "uint8",
     "np.full(3072, 7, 'u1')", False),
    ("av", "av.AudioFrame.from_ndarray(np.ones((1, 8), 'i2'), 's16', 'stereo').to_ndarray()", "int16",
     "np.ones(8, 'i2')", False),
    ("av", "remotemedia.Tensor(av.Packet(b'ab'))", "uint8", "np.array([97, 98], 'u1')", True),
    ("onnxruntime", "ort.OrtValue.ortvalue_from_numpy(np.ones(2, 'f4'))", "float32", "np.ones(2, 'f4')", False),
    ("onnxruntime", "ort.OrtValue.ortvalue_from_numpy(np.array([True, False]))", "bool", "np.array([True, False])", False),
    ("cv2", "cv2.add(np.ones((2, 2), 'u1'), 254)", "uint8", "np.full(4, 255, 'u1')", False),
    ("cv2", "cv2.UMat(np.ones((2, 2), 'u1')).get()", "uint8", "np.ones(4, 'u1')", False),
    ("torch", "torch.ones(2)", "float32", "np.ones(2, 'f4')", None),
    ("torch", "torch.ones(2, dtype=torch.bfloat16)", "bfloat16", "np.ones(2, ml.bfloat16)", None),
]

# Library, a value that is refused, what its hint says to write, what that gives (None: it does arrive).
HINTS = [
    ("ml_dtypes", "ml.complex32(1)", "[float(x.real), float(x.imag)]", "[1.0, 0.0]"),
    ("ml_dtypes", "ml.bcomplex32(1)", "[float(x.real), float(x.imag)]", "[1.0, 0.0]"),
    ("jax", "jnp.array([1, -2], jnp.int4)", "numpy.asarray(x)", "Tensor(shape=(2,), dtype=int4)"),
    ("jax", "jax.random.key(0)", "jax.random.key_data(x)", "Tensor(shape=(2,), dtype=uint32)"),
    ("awkward", "ak.Array([[1], [2, 3]])", "x.to_list()", "[[1], [2, 3]]"),
    ("awkward", "ak.Record({'a': 1})", "x.to_list()", "{'a': 1}"),
    ("pyarrow", "pa.array([1, None])", "x.to_pylist()", "[1, None]"),
    ("pyarrow", "pa.array(['a'])", "x.to_pylist()", "['a']"),
    ("pyarrow", "pa.table({'a': [1]})", "x.to_pylist()", "[{'a': 1}]"),
    ("pyarrow", "pa.chunked_array([[1]])", "x.to_pylist()", "[1]"),
    ("pyarrow", "pa.scalar(1)", "x.as_py()", "1"),
    ("pyarrow", "pa.py_buffer(b'ab')", "bytes(x)", "b'ab'"),
    ("polars", "pl.Series([1, None])", "x.to_list()", "[1, None]"),
    ("polars", "pl.DataFrame({'a': [1]})", "x.to_dicts()", "[{'a': 1}]"),
    ("pandas", "pd.Series([1, 2])", "x.tolist()", "[1, 2]"),
    ("pandas", "pd.Series([1, 2])", "x.to_numpy()", "Tensor(shape=(2,), dtype=int64)"),
    ("pandas", "pd.Series(['a'])", "x.tolist()", "['a']"),
    ("pandas", "pd.Index([1])", "x.tolist()", "[1]"),
    ("pandas", "pd.Categorical(['a'])", "x.tolist()", "['a']"),
    ("pandas", "pd.array([1, 2])", "x.to_numpy()", "Tensor(shape=(2,), dtype=int64)"),
    ("pandas", "pd.DataFrame({'a': [1], 'b': ['x']})", "x.to_dict('list')", "{'a': [1], 'b': ['x']}"),
    ("pandas", "pd.Timestamp('2020-01-02')", "x.isoformat()", "'2020-01-02T00:00:00'"),
    ("pandas", "pd.NaT", "x.isoformat()", "'NaT'"),
    ("pandas", "pd.NA", "None", "None"),
    ("pandas", "pd.Timedelta(1, 's')", "x.total_seconds()", "1.0"),
    ("pandas", "pd.Period('2020-01', 'M')", "str(x)", "'2020-01'"),
    ("pandas", "pd.Interval(1, 2)", "[x.left, x.right]", "[1, 2]"),
    ("xarray", "xr.DataArray([1])", "x.to_numpy()", "Tensor(shape=(1,), dtype=int64)"),
    ("xarray", "xr.DataArray([1], dims='n')", "x.to_dict()", "{'dims': ['n'], 'attrs': {}, 'data': [1], 'coords': {}, 'name': None}"),
    ("xarray", "xr.Dataset({'a': ('n', [1])}).drop_attrs()", "x.to_dict()", None),
    ("scipy", "sparse.csr_array([[1.5, 0]])", "x.toarray()", "Tensor(shape=(1, 2), dtype=float64)"),
    ("PIL", "Image.new('L', (2, 1))", "numpy.asarray(x)", "Tensor(shape=(1, 2), dtype=uint8)"),
    ("av", "av.VideoFrame(16, 16, 'rgb24')", "x.to_ndarray()", "Tensor(shape=(16, 16, 3), dtype=uint8)"),
    ("av", "av.AudioFrame(format='s16', layout='stereo', samples=4)", "x.to_ndarray()", "Tensor(shape=(1, 8), dtype=int16)"),
    ("av", "av.Packet(b'ab')", "remotemedia.Tensor(x)", "Tensor(shape=(2,), dtype=uint8)"),
    ("cv2", "cv2.UMat(np.ones((2, 2), 'u1'))", "x.get()", "Tensor(shape=(2, 2), dtype=uint8)"),
    ("attrs", "attrs.make_class('A', ['a'])(1)", "attrs.asdict(x)", "{'a': 1}"),
    ("msgspec", "msgspec.defstruct('B', ['a'])(1)", "msgspec.structs.asdict(x)", "{'a': 1}"),
    ("torch", "torch.ones(2, requires_grad=True)", "x.detach().cpu()", "Tensor(shape=(2,), dtype=float32)"),
]

PACKAGES = {"PIL": "pillow", "cv2": "opencv-python-headless"}


def run(options, code, sink, items=(0,)):
    nodes = [{"id": "p", "node_type": "Python", "params": {"code": PRELUDE + code}},
             {"id": "native", "node_type": "Select", "params": {"pointer": ""}},
             {"id": "sink", "node_type": "Python", "params": {"code": PRELUDE + sink}}]
    given = {"manifest": {"version": "v1", "metadata": {"name": "libraries"}, "nodes": nodes,
                          "connections": [{"from": "p", "to": "native"}, {"from": "native", "to": "sink"}]},
             "input_data": list(items)}
    done = subprocess.run([options.program, "run", "-", "--path", options.path], input=json.dumps(given).encode(),
                          env=environment(), capture_output=True, timeout=300, check=False)
    document = json.loads(done.stdout)
    if "error" in document:
        return None, document["error"]
    return document["outputs"]["sink"][0], None


def arrives(options, value, dtype, wanted, copied):
    code = f"""def process(_):
    v = {value}
    return [v, address(v), ({wanted}).tobytes()]
"""
    sink = """import numpy
def process(v):
    t, at, wanted = v
    bits = numpy.ascontiguousarray(numpy.asarray(t)) if t.dtype != "opaque" else numpy.asarray(t)
    seen = address(t) if at is not None and numpy.asarray(t).flags.c_contiguous else None
    return [t.dtype, bits.tobytes() == wanted, None if seen is None else at != seen]
"""
    got, error = run(options, code, sink)
    if error is not None:
        return f"refused: {error['message']}"
    if got[:2] != [dtype, True]:
        return f"arrived as {got[0]}, {'the same' if got[1] else 'other'} elements; wanted {dtype}"
    if options.copies:
        print(value, {None: "?", True: "copied", False: "not copied"}[got[2]])
    return None if copied is None or got[2] == copied else f"{'copied' if got[2] else 'not copied'}"


def hint_works(options, value, expression, wanted):
    sink = "def process(v):\n    return repr(v[0])\n"
    _, error = run(options, f"def process(_):\n    return [{value}]\n", sink)
    if error is None:
        return "not refused"
    if expression not in error.get("hint", ""):
        return f"{expression!r} is not in the hint {error.get('hint')!r}"
    got, error = run(options, f"def process(_):\n    x = {value}\n    return [{expression}]\n", sink)
    if error is not None:
        return f"{expression} was refused: {error['message']}"
    return None if wanted is None or got == wanted else f"{expression} gives {got}"


def versions(path):
    return {found.name.lower().replace("-", "_"): found.version for found in importlib.metadata.distributions(path=[path])}


def documented():
    """What is wrong with the table of docs/numpy.md: each library of arrays.txt has a row, with its version."""
    text = (ROOT / "docs/numpy.md").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (pathlib.Path(__file__).parent / "arrays.txt").read_text(), re.M))
    return [f"docs/numpy.md lacks `{name} {version}`" for name, version in pinned.items()
            if name not in ("mlx-cpu",) and f"{name} {version}" not in text]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(ROOT / "build/native/bin/remotemedia"))
    parser.add_argument("--path", required=True, help="the folder with the libraries: pip install --target FOLDER -r arrays.txt")
    parser.add_argument("--filter", default="", metavar="TEXT", help="only rows with TEXT in their library or value")
    parser.add_argument("--copies", action="store_true", help="say which are copied")
    options = parser.parse_args()
    there = versions(options.path)
    passed, failed, skipped = 0, 0, set()
    for trouble in documented():
        print(f"FAILED {trouble}")
        failed += 1
    rows = [(arrives, *row) for row in ARRIVE] + [(hint_works, *row) for row in HINTS]
    for check, library, value, *more in rows:
        if options.filter not in f"{library}: {value}":
            continue
        if PACKAGES.get(library, library).lower().replace("-", "_") not in there:
            skipped.add((library, value))
            continue
        trouble = check(options, value, *more)
        passed, failed = passed + (trouble is None), failed + (trouble is not None)
        if trouble is not None:
            print(f"FAILED {library}: {value}: {trouble}", flush=True)
    for library in sorted({library for library, _ in skipped}):
        print(f"skipped: {library} is not installed in {options.path}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
