"""Compiled functions, also with a pool of numba's threads."""
import numba
import numpy

LIBRARY = "numba"
INPUT = [10, 100]
OUTPUT = [[285.0, 285.0], [328350.0, 328350.0]]


@numba.njit
def squares(values):
    total = 0.0
    for value in values:
        total += value * value
    return total


@numba.njit(parallel=True)
def squares_in_threads(values):
    total = 0.0
    for i in numba.prange(len(values)):
        total += values[i] * values[i]
    return total


class Node:
    def process(self, count):
        values = numpy.arange(count, dtype=numpy.float64)
        return [squares(values), squares_in_threads(values)]
