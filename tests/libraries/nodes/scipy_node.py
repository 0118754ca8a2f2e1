"""Filters, optimization and sparse matrices."""
import numpy
from scipy import optimize, signal, sparse

LIBRARY = "scipy"
INPUT = [2.0, 9.0]
OUTPUT = [[1.414214, True, 3], [3.0, True, 3]]


class Node:
    def process(self, x):
        root = optimize.brentq(lambda y: y * y - x, 0, x + 1)
        filters = signal.butter(4, 0.1, output="sos")
        smooth = signal.sosfiltfilt(filters, numpy.ones(100))
        return [round(root, 6), bool(numpy.allclose(smooth, 1)), int(sparse.eye_array(3).nnz)]
