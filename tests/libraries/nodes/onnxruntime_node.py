"""A session over a model that is written here by hand, byte by byte: y = x + x."""
import numpy
import onnxruntime

LIBRARY = "onnxruntime"
INPUT = [[1.0, 2.0, 3.0], [0.5, 0.25, -1.0]]
OUTPUT = [[2.0, 4.0, 6.0], [1.0, 0.5, -2.0]]


def field(number, value):
    """One field of a message of Protocol Buffers: a number, a text or a message."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def value_info(name):
    shape = field(1, field(1, 3))  # one dimension, of 3
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))  # a tensor of float


def model():
    node = field(1, "x") + field(1, "x") + field(2, "y") + field(4, "Add")
    graph = field(1, node) + field(2, "g") + field(11, value_info("x")) + field(12, value_info("y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


class Node:
    def initialize(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(model(), options, providers=["CPUExecutionProvider"])

    def process(self, item):
        return self.session.run(["y"], {"x": numpy.array(item, numpy.float32)})[0].tolist()
