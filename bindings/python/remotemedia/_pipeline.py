"""Pipelines in your own Python."""
from . import _runtime


class Pipeline(_runtime.Pipeline):
    """A pipeline: a manifest that was checked, ready to run any number of times, in any number of threads."""

    __slots__ = ()
