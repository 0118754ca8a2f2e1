"""A host for a node in a WebAssembly module, as docs/wasm-node.md has it, in wasmtime."""
import math
import struct
import sys

from support import ROOT

from ports import dependency

sys.path.insert(0, str(dependency("wasmtime")))
sys.path.insert(0, str(ROOT / "tests/support/hosts"))
import wasmtime  # noqa: E402
from wasmtime_host import WASM_STACK, load  # noqa: E402

OK, MORE, PENDING, DONE = range(4)
USAGE, LIMIT, TYPE, VALUE, PYTHON = -3, -7, -8, -9, -24
OUT_OF_MEMORY = -1
NO_TIME = -(1 << 63)
MASK = (1 << 32) - 1


class Tensor:
    """float32 or another dtype's number, a shape, the bytes; audio where it has a rate."""

    def __init__(self, dtype, item_size, shape, data, rate=0, layout=0, array=0):
        self.fields = (dtype, item_size, tuple(shape), bytes(data), rate, layout, array)

    def __eq__(self, other):
        return isinstance(other, Tensor) and self.fields == other.fields

    def __repr__(self):
        return f"Tensor{self.fields}"


def pack_tensor(value, out):
    dtype, item_size, shape, data, rate, layout, array = value.fields
    out += struct.pack("<BBBBBiQII", 10, dtype, len(shape), 1 if rate else 0, array, rate, layout, item_size, 0)
    out += struct.pack(f"<{len(shape)}qQ", *shape, len(data))
    out += bytes(-len(out) % 16) + data


def pack(value, out):
    def head(tag, count):
        out.extend(struct.pack("<BI", tag, count))

    if value is None or isinstance(value, bool):
        out.append({None: 0, False: 1, True: 2}[value])
    elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        out.extend(struct.pack("<Bq", 3, value))
    elif isinstance(value, int):
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        head(5, len(data))
        out.extend(data)
    elif isinstance(value, float):
        out.extend(struct.pack("<Bd", 4, value))
    elif isinstance(value, (str, bytes, bytearray)):
        data = value.encode() if isinstance(value, str) else value
        head({str: 6, bytes: 7, bytearray: 15}[type(value)], len(data))
        out.extend(data)
    elif isinstance(value, (list, tuple, set, frozenset)):
        head({list: 8, tuple: 11, set: 12, frozenset: 13}[type(value)], len(value))
        for item in value:
            pack(item, out)
    elif isinstance(value, Tensor):
        pack_tensor(value, out)
    else:
        texts = all(isinstance(key, str) for key in value)
        head(9 if texts else 14, len(value))
        for key, item in value.items():
            if texts:
                out.extend(struct.pack("<I", len(key.encode())) + key.encode())
            else:
                pack(key, out)
            pack(item, out)
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        size = struct.calcsize("<" + form)
        self.at += size
        return struct.unpack("<" + form, self.data[self.at - size:self.at])

    def bytes(self, length):
        assert self.at + length <= len(self.data)
        self.at += length
        return bytes(self.data[self.at - length:self.at])

    def counted(self):
        return self.bytes(self.take("I")[0])

    def tensor(self):
        dtype, dimensions, media, array, rate, layout, item_size = self.take("BBBBiQI")
        self.counted()
        *shape, length = self.take(f"{dimensions}qQ")
        assert media == (1 if rate else 0) and not any(self.bytes(-self.at % 16))
        return Tensor(dtype, item_size, shape, self.bytes(length), rate, layout, array)

    def value(self):
        (tag,) = self.take("B")
        if tag < 3:
            return (None, False, True)[tag]
        if tag < 5:
            return self.take("q" if tag == 3 else "d")[0]
        if tag == 5:
            return int.from_bytes(self.counted(), "little", signed=True)
        if tag in (6, 7, 15):
            return {6: bytes.decode, 7: bytes, 15: bytearray}[tag](self.counted())
        if tag == 10:
            return self.tensor()
        count = self.take("I")[0]
        if tag == 9:
            return {self.counted().decode(): self.value() for _ in range(count)}
        if tag == 14:
            return {self.value(): self.value() for _ in range(count)}
        return {8: list, 11: tuple, 12: set, 13: frozenset}[tag]([self.value() for _ in range(count)])

    def packet(self):
        seq, timestamp, duration, flags, zero = self.take("qqqII")
        assert zero == 0
        value, metadata = self.value(), self.value()
        return value, seq, timestamp, duration, flags, metadata


class Answer:
    """What a call answered: code, how many packets it has done, events, error, and when to poll."""

    def __init__(self, code, done, output, error, wait):
        self.code, self.done, self.output, self.error, self.wait = code, done, output, error, wait

    @property
    def events(self):
        """(kind, ...) each: ("emit", port, value, seq), ("suspend", token), ("finish", token, code, error) ..."""
        reader, events = Reader(self.output), []
        while reader.at < len(reader.data):
            kind, number = reader.take("II")
            if kind == 1:
                self.packet = reader.packet()
                events.append(("emit", number, *self.packet[:2]))
            elif kind in (2, 3):
                events.append(("suspend" if kind == 2 else "resume", *reader.take("Q")))
            elif kind == 4:
                events.append(("finish", *reader.take("Qi"), reader.value()))
            elif kind == 5:
                events.append(("log", number, reader.value()))
            else:
                assert kind == 6
                events.append(("wants",))
        return events

    @property
    def values(self):
        return [event[2] for event in self.events if event[0] == "emit"]


class Guest:
    """An instance, made from a product. `folders` maps guest's folders to the host's."""

    compiled = {}

    def __init__(self, path, folders=None, stderr=None, memory=None):
        if path not in self.compiled:
            config = wasmtime.Config()
            config.max_wasm_stack = WASM_STACK
            engine = wasmtime.Engine(config)
            self.compiled[path] = engine, load(engine, path, ROOT / "build/test/cwasm")
        engine, module = self.compiled[path]
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self.store = wasmtime.Store(engine)
        if memory is not None:
            self.store.set_limits(memory_size=memory)
        wasi = wasmtime.WasiConfig()
        for guest, host in (folders or {}).items():
            wasi.preopen_dir(str(host), guest)
        if stderr is not None:
            wasi.stderr_file = str(stderr)
        self.store.set_wasi(wasi)
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports["memory"]
        if "_initialize" in self.exports:
            self.raw("_initialize")
        assert self.raw("rm_node_interface") == 1
        self.exchange = self.raw("rm_node_exchange") & MASK
        self.seq = 0

    def raw(self, name, *arguments):
        return self.exports[name](self.store, *arguments)

    def bytes(self, address, length):
        assert address + length <= self.memory.data_len(self.store)
        return bytes(self.memory.read(self.store, address, address + length))

    def call(self, name, *arguments):
        code = self.raw("rm_node_" + name, *arguments)
        _, _, output, length, done, error, error_length, zero, wait = struct.unpack(
            "<8Id", self.bytes(self.exchange, 40))
        assert zero == 0 and self.raw("rm_node_exchange") & MASK == self.exchange
        document = Reader(self.bytes(error, error_length)).value() if error_length else None
        assert (code < 0) == (document is not None), (code, document)
        return Answer(code, done, self.bytes(output, length), document, wait)

    def write(self, data):
        assert self.raw("rm_node_reserve", len(data)) == 0
        address, size = struct.unpack("<II", self.bytes(self.exchange, 8))
        assert address % 16 == 0 and size >= len(data)
        self.memory.write(self.store, bytes(data), address)
        return len(data)

    def configure(self, name, node_type, params=None, **more):
        config = {"node_type": node_type, "id": "n", "runtime_hint": "auto", "params": params, "is_streaming": False,
                  "is_source": False, "generates": False, "directory": None, "inputs": [], **more}
        return self.call(name, self.write(pack(config, bytearray())))

    def open(self, node_type, params=None, **more):
        return self.configure("open", node_type, params, **more)

    def describe(self, node_type, params=None, **more):
        answer = self.configure("describe", node_type, params, **more)
        return answer.error if answer.code else Reader(answer.output).value()

    def packets(self, items, **more):
        data = bytearray(struct.pack("<II", len(items), 0))
        for item in items:
            times = more.get("timestamp", NO_TIME), more.get("duration", NO_TIME), more.get("flags", 0)
            data += struct.pack("<qqqII", self.seq, *times, 0)
            pack(item, data)
            pack(more.get("metadata"), data)
            self.seq += 1
        return data

    def process(self, items, port=0, **more):
        """Of the packets that are not taken, the numbers are used again."""
        answer = self.call("process", port, self.write(self.packets(items, **more)))
        self.seq -= len(items) - answer.done - (answer.code < 0 and answer.done < len(items))
        return answer

    def python(self, code, **more):
        answer = self.open("Python", {"code": code}, **more)
        assert answer.code == OK, answer.error
        return self


def is_forever(answer):
    return math.isinf(answer.wait)
