"""Arrays whose elements the buffer protocol has no words for: records, dates, numbers in another byte order, dtypes of ml_dtypes.

An element's description is that of numpy's own file format for the dtype, as JSON: its letters, or a list of fields. A dtype
of ml_dtypes has its name instead, since it has no letters.
"""
import json

import numpy

_ndarray = numpy.ndarray
# The x87 processor's longdouble has 10 bytes of number, and padding behind them.
_X87_BYTES = 10 if numpy.array(1, "g").tobytes()[7:10] == b"\x80\xff\x3f" else None


def as_bytes(array: numpy.ndarray) -> tuple[numpy.ndarray, str]:
    """The same memory as elements without a meaning, and the description of the elements.

    Elements with padding are copied, and their padding is zero: there may be anything in it.
    """
    dtype = _ndarray.dtype.__get__(array)  # whatever the array's class says
    if dtype.hasobject or dtype.kind == "T":
        raise TypeError(f"an array of dtype '{dtype}' holds references, which cannot be sent", "x.tolist() makes it a list")
    if dtype.itemsize == 0:
        raise TypeError(f"the elements of an array of dtype '{dtype}' have no bytes", "x.tolist() makes it a list")
    form = _form_of(dtype)
    description = form if form == "bfloat16" else json.dumps(form, separators=(",", ":"))
    plain = _ndarray.view(array, _ndarray)
    padding = _padding_of(dtype)
    if padding is not None:
        plain = plain.copy("K")
        _bytes_of(plain)[..., padding] = 0
    return plain.view(f"V{dtype.itemsize}"), description


def _form_of(dtype):
    if dtype.names is None:
        if dtype.isbuiltin == 2 and dtype.isnative:  # of a package; ml_dtypes' names are known
            return dtype.name
        if dtype.isbuiltin == 2 or not dtype.num < 256 or numpy.dtype(dtype.str) != dtype:
            raise TypeError(f"elements of dtype '{dtype}' cannot be described", "x.tolist() makes it a list")
        return dtype.str
    try:
        entries = dtype.descr
    except ValueError:
        entries = None
    if entries is None or "" in dtype.fields:
        raise TypeError(
            f"dtype {dtype} cannot be described: its fields overlap or are out of order",
            "numpy.lib.recfunctions.repack_fields(x) makes it an array that can be sent",
        )
    return [_field_form(dtype, *entry) for entry in entries]


def _field_form(dtype, name, letters, *shape):
    """A field as numpy describes it; numpy does not know the names of ml_dtypes' elements."""
    if name == "":
        return name, letters
    return name, _form_of(dtype.fields[name[1] if isinstance(name, tuple) else name][0].base), *shape


def _padding_of(dtype):
    """Which bytes of an element belong to no value, as an array of bool; None: each does."""
    if dtype.subdtype is not None:
        inner = _padding_of(dtype.base)
        return None if inner is None else numpy.tile(inner, dtype.itemsize // dtype.base.itemsize)
    if dtype.names is not None:
        unused = numpy.ones(dtype.itemsize, bool)
        for name in dtype.names:
            field, offset, *_ = dtype.fields[name]
            inner = _padding_of(field)
            unused[offset : offset + field.itemsize] = False if inner is None else inner
        return unused if unused.any() else None
    if _X87_BYTES is None or dtype.type not in (numpy.longdouble, numpy.clongdouble):
        return None
    number = numpy.arange(dtype.itemsize // (2 if dtype.kind == "c" else 1)) >= _X87_BYTES
    return numpy.resize(number if dtype.isnative else number[::-1], dtype.itemsize)


def _bytes_of(array):
    """The memory of an array with a further dimension, the bytes of an element."""
    return numpy.asarray(
        _Memory(
            array,
            {
                "version": 3,
                "shape": (*array.shape, array.itemsize),
                "strides": (*array.strides, 1),
                "typestr": "|u1",
                "data": (array.__array_interface__["data"][0], False),
            },
        )
    )


def _dtype_of(form):
    if isinstance(form, str):
        return _dtype_named(form)
    names, formats, offsets, titles, size = [], [], [], [], 0
    for name, element, *shape in form:
        field = _dtype_of(element)
        if shape:
            field = numpy.dtype((field, tuple(shape[0]) if isinstance(shape[0], list) else (shape[0],)))
        if name != "" or field.type is not numpy.void or field.names is not None:  # else it is padding
            title, name = name if isinstance(name, list) else (None, name)
            names.append(name)
            titles.append(title)
            formats.append(field)
            offsets.append(size)
        size += field.itemsize
    return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "titles": titles, "itemsize": size})


def _dtype_named(name):
    try:
        return numpy.dtype(name)
    except TypeError:  # no dtype of numpy's, and ml_dtypes is not imported
        pass
    try:
        import ml_dtypes  # type: ignore[import-not-found]

        return numpy.dtype(getattr(ml_dtypes, name))
    except (ImportError, AttributeError):
        bits = {"bfloat16": "uint16", "complex32": "uint32", "bcomplex32": "uint32"}.get(name, "uint8")
        raise TypeError(
            f"numpy has no dtype for {name} without the package ml_dtypes; "
            f"install ml_dtypes, or take the bits: remotemedia.Tensor(x, dtype='{bits}')"
        ) from None


class _Memory:
    """Describes the memory of a tensor or an array to numpy, and keeps it alive."""

    __slots__ = ("__array_interface__", "tensor")

    def __init__(self, tensor, interface):
        self.__array_interface__, self.tensor = interface, tensor


def to_array(tensor, interface, description, dtype, copy):
    """The result of Tensor.__array__; `description` is None where the tensor has a buffer."""
    if description is None:
        array = numpy.asarray(memoryview(tensor))
    else:
        form = description if description == "bfloat16" else json.loads(description)
        array = numpy.asarray(_Memory(tensor, interface)).view(_dtype_of(form))
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"an array of dtype {numpy.dtype(dtype)} needs a copy of this tensor")
        return array.astype(dtype)
    return array.copy("K") if copy else array
