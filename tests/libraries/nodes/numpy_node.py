"""Arrays in and out; threads of BLAS; warnings as errors."""
import numpy

LIBRARY = "numpy"
INPUT = [3, 4]
OUTPUT = [[True, "divide by zero encountered in divide", 3], [True, "divide by zero encountered in divide", 4]]


class Node:
    def process(self, size):
        rng = numpy.random.default_rng(7)
        matrix = rng.normal(size=(size, size))
        fine = numpy.allclose(matrix @ numpy.linalg.inv(matrix), numpy.eye(size))
        with numpy.errstate(divide="raise"):
            try:
                numpy.ones(2) / 0
            except FloatingPointError as error:
                return [fine, str(error), numpy.int64(size)]
