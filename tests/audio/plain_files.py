"""Files that are written here, byte by byte: every way of saying "these are the samples" in WAV and its relatives."""

import itertools
import struct

import numpy as np

from files import File
from signals import a_law, big, floats, integers, little, mu_law

FRAMES = 1237  # odd, so that odd sizes of data occur
RATES = itertools.cycle((8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000))
PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 6: 0x3F, 8: 0x63F}
W64 = {
    b"riff": bytes.fromhex("726966662e91cf11a5d628db04c10000"),
    b"wave": bytes.fromhex("77617665f3acd3118cd100c04f8edb8a"),
    b"fmt ": bytes.fromhex("666d7420f3acd3118cd100c04f8edb8a"),
    b"data": bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"),
    b"junk": bytes.fromhex("6a756e6bf3acd3118cd100c04f8edb8a"),
}


class Encoding:
    """Samples in a file: their bytes, and as what they are read."""

    def __init__(self, name, tag, bits, valid=None):
        self.name, self.tag, self.bits, self.valid = name, tag, bits, valid or bits

    def sound(self, channels, seed):
        """(bytes little-endian, bytes big-endian, float32)."""
        size = self.bits // 8
        if self.tag == FLOAT:
            kind = f"f{size}"
            samples = floats(FRAMES, channels, seed).astype("<" + kind)
            return samples.tobytes(), samples.astype(">" + kind).tobytes(), samples.astype(np.float32)
        if self.tag in (A_LAW, MU_LAW):
            codes = np.random.default_rng(seed).integers(0, 256, (FRAMES, channels))
            law = a_law if self.tag == A_LAW else mu_law
            data = codes.astype(np.uint8).tobytes()
            return data, data, (law(codes) / 32768).astype(np.float32)
        samples = integers(self.valid, FRAMES, channels, seed) << (self.bits - self.valid)
        read = (samples / (1 << (self.bits - 1))).astype(np.float32)
        shifted = samples + 128 if self.bits == 8 else samples
        return little(shifted, size), big(samples, size), read


ENCODINGS = [
    Encoding("u8", PCM, 8),
    Encoding("s16", PCM, 16),
    Encoding("s24", PCM, 24),
    Encoding("s32", PCM, 32),
    Encoding("f32", FLOAT, 32),
    Encoding("f64", FLOAT, 64),
    Encoding("alaw", A_LAW, 8),
    Encoding("ulaw", MU_LAW, 8),
]


def chunk(name, data, order="<"):
    return name + struct.pack(order + "I", len(data)) + data + b"\0" * (len(data) & 1)


def fmt(encoding, channels, rate, extra=None, tag=None, order="<"):
    align = channels * encoding.bits // 8
    head = struct.pack(
        order + "HHIIHH", tag or encoding.tag, channels, rate, rate * align, align, encoding.bits
    )
    return head if extra is None else head + struct.pack(order + "H", len(extra)) + extra


def extensible(encoding, channels, rate, order="<"):
    extra = struct.pack(order + "HIH", encoding.valid, MASKS[channels], encoding.tag) + GUID_TAIL
    return fmt(encoding, channels, rate, extra, EXTENSIBLE, order)


def riff(*chunks, magic=b"RIFF", size=None, order="<"):
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack(order + "I", len(body) if size is None else size) + body


# ---- Forms: each takes an encoding, channels, rate, and the data in both byte orders


def plain(e, c, r, data, _):
    return riff(chunk(b"fmt ", fmt(e, c, r)), chunk(b"data", data))


def extended(e, c, r, data, _):
    return riff(chunk(b"fmt ", extensible(e, c, r)), chunk(b"data", data))


def long_format(e, c, r, data, _):
    return riff(chunk(b"fmt ", fmt(e, c, r, b"")), chunk(b"fact", struct.pack("<I", FRAMES)), chunk(b"data", data))


def odd_chunks(e, c, r, data, _):
    info = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"abc"))
    return riff(
        chunk(b"JUNK", b"\0" * 27), info, chunk(b"fmt ", fmt(e, c, r)), chunk(b"bext", b"x" * 603),
        chunk(b"data", data), chunk(b"LIST", b"INFO" + b"\x7f" * 10), chunk(b"id3 ", b"ID3\3\0\0\0\0\0\0"),
    )  # fmt: skip


def piped(size):
    def form(e, c, r, data, _):
        return riff(chunk(b"fmt ", fmt(e, c, r)), b"data" + struct.pack("<I", size) + data, size=0xFFFFFFFF)

    form.__name__ = f"pipe_{size:08x}"
    return form


def big_endian(e, c, r, _, data):
    return riff(chunk(b"fmt ", fmt(e, c, r, order=">"), ">"), chunk(b"data", data, ">"), magic=b"RIFX", order=">")


def rf64(e, c, r, data, _, magic=b"RF64"):
    sizes = struct.pack("<QQQI", 72 + len(data), len(data), FRAMES, 0)
    return riff(
        chunk(b"ds64", sizes), chunk(b"fmt ", fmt(e, c, r)), b"data\xff\xff\xff\xff" + data + b"\0" * (len(data) & 1),
        magic=magic, size=0xFFFFFFFF,
    )  # fmt: skip


def bw64(e, c, r, data, other):
    return rf64(e, c, r, data, other, b"BW64")


def w64(e, c, r, data, _):
    def part(name, content):
        return W64[name] + struct.pack("<Q", 24 + len(content)) + content + b"\0" * (-len(content) % 8)

    body = W64[b"wave"] + part(b"junk", b"x" * 13) + part(b"fmt ", fmt(e, c, r)) + part(b"data", data)
    return W64[b"riff"] + struct.pack("<Q", 24 + len(body)) + body


FORMS = [plain, extended, long_format, odd_chunks, big_endian, rf64, bw64, w64, piped(0xFFFFFFFF), piped(0x7FFFF000)]
PIPES = [piped(size) for size in (0x7FFF0000, 0x7FFFFFFF, 0x7FFFFFDB, 0x80000000, 0x7FFFEFC0)]


def extended_float(value):
    """A rate as AIFF writes it: 80 bits."""
    exponent = value.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, value << (63 - exponent))


def aiff(e, c, r, data, kind=None, offset=0):
    common = struct.pack(">HIH", c, FRAMES, e.bits) + extended_float(r)
    if kind is not None:
        common += kind + b"\0\0"
    parts = chunk(b"COMM", common, ">") + chunk(b"NAME", b"odd", ">")
    parts += chunk(b"SSND", struct.pack(">II", offset, 0) + b"\0" * offset + data, ">")
    if kind is not None:
        parts = chunk(b"FVER", struct.pack(">I", 0xA2805140), ">") + parts
    body = (b"AIFF" if kind is None else b"AIFC") + parts
    return b"FORM" + struct.pack(">I", len(body)) + body


AIFC = {"u8": b"raw ", "f32": b"fl32", "f64": b"fl64", "alaw": b"alaw", "ulaw": b"ulaw", "s16": b"NONE", "s24": b"NONE"}


def written(content):
    def make(path):
        path.write_bytes(content)

    return make


def wav_files():
    seed = 0
    for form in FORMS + PIPES:
        for encoding in ENCODINGS if form in FORMS else ENCODINGS[1:2]:
            if form is big_endian and encoding.bits == 8:
                continue
            for channels in (1, 2, 6) if form is not extended else (1, 2, 3, 6, 8):
                seed += 1
                rate = next(RATES)
                low, high, samples = encoding.sound(channels, seed)
                name = f"{form.__name__}_{encoding.name}_{channels}.{'w64' if form is w64 else 'wav'}"
                yield File(name, written(form(encoding, channels, rate, low, high)), rate, channels, samples)
    for bits, valid in ((16, 12), (24, 20), (32, 24)):
        encoding = Encoding(f"s{valid}in{bits}", PCM, bits, valid)
        low, high, samples = encoding.sound(2, valid)
        yield File(f"{encoding.name}.wav", written(extended(encoding, 2, 48000, low, high)), 48000, 2, samples)


def aiff_files():
    seed = 1000
    for encoding in ENCODINGS:
        for channels, with_kind in itertools.product((1, 2, 6), (False, True)):
            if not with_kind and encoding.tag != PCM:
                continue
            if with_kind and encoding.name not in AIFC:
                continue
            seed += 1
            rate = next(RATES)
            low, high, samples = encoding.sound(channels, seed)
            if encoding.name == "u8" and not with_kind:  # AIFF's own bytes have a sign; those of 'raw ' have none
                high = (np.frombuffer(low, np.uint8) ^ 128).tobytes()
            elif encoding.name == "u8":
                high = low
            content = aiff(encoding, channels, rate, high, AIFC[encoding.name] if with_kind else None, 3 * with_kind)
            name = f"{encoding.name}_{channels}.{'aifc' if with_kind else 'aiff'}"
            yield File(name, written(content), rate, channels, samples)
    low, _, samples = ENCODINGS[1].sound(2, 77)
    yield File("sowt_2.aifc", written(aiff(ENCODINGS[1], 2, 44100, low, b"sowt")), 44100, 2, samples)
