"""Manifests for the tests: nodes in a row."""
import os
import sys
import unittest


def row(*nodes):
    """A manifest with these nodes, named a, b, c ..., one behind the other."""
    names = "abcdefghijklmnop"
    return {"version": "v1", "metadata": {"name": "t"},
            "nodes": [{"id": names[i], **node} for i, node in enumerate(nodes)],
            "connections": [{"from": names[i], "to": names[i + 1]} for i in range(len(nodes) - 1)]}


def multiply(factor=2):
    return {"node_type": "Multiply", "params": {"factor": factor}}


def code(text, **fields):
    return {"node_type": "Python", "params": {"code": text}, **fields}


def numpy():
    """The module, from the tests' own dependencies."""
    path = os.environ["RM_TEST_NUMPY"]
    if path not in sys.path:
        sys.path.append(path)
    try:
        import numpy as module
    except ImportError:
        raise unittest.SkipTest("the tests' numpy is for another Python") from None
    return module
