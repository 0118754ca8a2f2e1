"""Bytes as the elements of a C array."""


def elements(data):
    """Lines of 24 numbers, each with a comma."""
    return "\n".join("    " + "".join(f"{byte}," for byte in data[i:i + 24]) for i in range(0, len(data), 24))
