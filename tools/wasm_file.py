"""The sections of a WASM file, as far as the tools and tests need them."""
import re

CUSTOM, DATA, DATA_COUNT = 0, 11, 12
ZEROS_LEAST = 64  # shorter runs stay: each further segment has a head, and is copied by itself
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


def section(kind, content):
    return bytes([kind]) + encoded(len(content)) + content


def custom_section(name, content):
    """A whole section, to be put at the end of a file."""
    return section(CUSTOM, encoded(len(name.encode())) + name.encode() + content)


def segments(content):
    """(address or None, bytes) of each in a data section; those without an address are not put into memory at once."""
    count, at = number(content, 0)
    for _ in range(count):
        mode, at = number(content, at)
        address = None
        if mode != 1:
            address, at = number(content, at + 1)  # i32.const; addresses are small enough to have no sign
            at += 1  # end
        length, at = number(content, at)
        yield address, content[at : at + length]
        at += length


def data_segments(data):
    """(address, length) of each that is put into memory when the file is instantiated."""
    for kind, content in sections(data):
        if kind == DATA:
            yield from ((address, len(held)) for address, held in segments(content) if address is not None)


def between_zeros(address, content):
    """(address, bytes) of each piece between long runs of zeros."""
    at = 0
    for zeros in [*re.finditer(rb"\0{%d,}" % ZEROS_LEAST, content), None]:
        end = zeros.start() if zeros else len(content)
        if end > at:
            yield address + at, content[at:end]
        at = zeros.end() if zeros else end


def without_zeros(data):
    """The file without the zeros in its data: memory is zero from the start."""
    held = [part for kind, content in sections(data) if kind == DATA for part in segments(content)]
    if any(address is None for address, _ in held):  # the code refers to segments by number
        return data
    made, count = bytearray(), 0
    for address, content in (part for whole in held for part in between_zeros(*whole)):
        start = encoded(address)
        start = start[:-1] + bytes([start[-1] | 128, 0]) if start[-1] & 64 else start  # the constant has a sign
        made += b"\0\x41" + start + b"\x0b" + encoded(len(content)) + content
        count += 1
    new = {DATA: encoded(count) + made, DATA_COUNT: encoded(count)}
    return HEADER + b"".join(section(kind, new.get(kind, content)) for kind, content in sections(data))
