"""Arrays whose elements the buffer protocol has no words for: records, dates, numbers in another byte order.

An element's description is that of numpy's own file format for the dtype, as JSON: its letters, or a list of fields.
"""
import json
import sys

import numpy
from numpy.lib import format


def as_bytes(array: numpy.ndarray) -> tuple[numpy.ndarray, str]:
    """The same memory as elements without a meaning, and the description of the elements."""
    dtype = numpy.ndarray.dtype.__get__(array)  # whatever the array's class says
    if dtype.hasobject or dtype.kind == "T":
        raise TypeError(f"an array of dtype '{dtype}' holds references, which cannot be sent")
    if dtype.itemsize == 0:
        raise TypeError(f"the elements of an array of dtype '{dtype}' have no bytes")
    if dtype.name == "bfloat16":
        description = "bfloat16"
    else:
        try:
            description = json.dumps(format.dtype_to_descr(dtype), separators=(",", ":"))
        except ValueError:
            raise TypeError(f"dtype {dtype} cannot be described: its fields overlap or are out of order") from None
    return numpy.ndarray.view(array, numpy.ndarray).view(f"V{dtype.itemsize}"), description


def _fields(description):
    """The description with tuples, which JSON has no word for."""
    if isinstance(description, str):
        return description
    return [
        (tuple(name) if isinstance(name, list) else name, _fields(element), *(_shape(size) for size in shape))
        for name, element, *shape in description
    ]


def _shape(size):
    return tuple(size) if isinstance(size, list) else size


def _dtype(description: str) -> numpy.dtype:
    if description != "bfloat16":
        return format.descr_to_dtype(_fields(json.loads(description)))
    if "ml_dtypes" in sys.modules:
        return numpy.dtype(sys.modules["ml_dtypes"].bfloat16)
    raise TypeError("numpy has no dtype for bfloat16; import ml_dtypes, or take the bits: Tensor(t, dtype='uint16')")


class _Memory:
    """Describes the memory of a tensor to numpy, and keeps the tensor alive."""

    __slots__ = ("__array_interface__", "tensor")

    def __init__(self, tensor, interface):
        self.__array_interface__, self.tensor = interface, tensor


def to_array(tensor, interface, description, dtype, copy):
    """The result of Tensor.__array__; `description` is None where the tensor has a buffer."""
    if description is None:
        array = numpy.asarray(memoryview(tensor))
    else:
        array = numpy.asarray(_Memory(tensor, interface)).view(_dtype(description))
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"an array of dtype {numpy.dtype(dtype)} needs a copy of this tensor")
        return array.astype(dtype)
    return array.copy("K") if copy else array
