"""Warnings as errors, once, and caught; on standard error with the node's line."""
import warnings

LIBRARY = "python"
INPUT = ["error", "record", "show"]
OUTPUT = ["error: DeprecationWarning old", "record: 1", "show: 0"]
STDERR = ["UserWarning: shown"]
WASM = True


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)


class Node:
    def process(self, item):
        with warnings.catch_warnings(record=item == "record") as caught:
            warnings.simplefilter("error" if item == "error" else "always")
            try:
                if item != "show":
                    old()
            except DeprecationWarning as error:
                return f"error: {type(error).__name__} {error}"
            if item == "show":
                warnings.warn("shown")
            return f"{item}: {len(caught or ())}"
