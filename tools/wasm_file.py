"""The sections of a WASM file, as far as the tools and tests need them."""

CUSTOM, DATA = 0, 11
HEADER = b"\0asm\1\0\0\0"


def number(data, at):
    """(an unsigned LEB128 number, the place behind it)"""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def encoded(value):
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes(made + bytes([value]))


def sections(data):
    """(id, content) of each."""
    if data[:8] != HEADER:
        raise ValueError("this is no WASM file")
    at = len(HEADER)
    while at < len(data):
        kind = data[at]
        size, at = number(data, at + 1)
        yield kind, data[at : at + size]
        at += size


def custom_sections(data):
    """{name: content}"""
    found = {}
    for kind, content in sections(data):
        if kind == CUSTOM:
            length, at = number(content, 0)
            found[content[at : at + length].decode()] = bytes(content[at + length :])
    return found


def custom_section(name, content):
    """A whole section, to be put at the end of a file."""
    body = encoded(len(name.encode())) + name.encode() + content
    return bytes([CUSTOM]) + encoded(len(body)) + body


def data_segments(data):
    """(address, length) of each that is put into memory when the file is instantiated."""
    for kind, content in sections(data):
        if kind == DATA:
            count, at = number(content, 0)
            for _ in range(count):
                mode, at = number(content, at)
                address = None
                if mode != 1:
                    address, at = number(content, at + 1)  # i32.const; addresses are small enough to have no sign
                    at += 1  # end
                length, at = number(content, at)
                if address is not None:
                    yield address, length
                at += length
