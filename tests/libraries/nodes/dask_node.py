"""A graph of delayed functions in dask's threads."""
import dask

LIBRARY = "dask"
INPUT = [[1, 2, 3], [4]]
OUTPUT = [14, 16]


@dask.delayed
def square(x):
    return x * x


class Node:
    def process(self, item):
        return dask.delayed(sum)([square(x) for x in item]).compute(scheduler="threads")
