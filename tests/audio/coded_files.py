"""Files that encoders make: FLAC, ADPCM, MP3, Vorbis and Opus, with the tags and oddities that they are found with."""

import itertools
import subprocess
import tempfile
import pathlib

import numpy as np

from files import File
from plain_files import Encoding, PCM, extended, plain
from signals import integers, little, music

LOSSY = 1e-5  # how far decoders of one stream may be apart


def wav(bits, samples, rate):
    """A WAV file for an encoder."""
    encoding = Encoding("", PCM, bits)
    data = little(samples + (128 if bits == 8 else 0), bits // 8)
    form = extended if samples.shape[1] in (3, 6, 8) else plain
    return form(encoding, samples.shape[1], rate, data, b"")


def encoded(command, content, after=lambda data: data):
    """Writes the file that `command` makes of a WAV file; {in} and {out} are names in a folder."""

    def make(path):
        with tempfile.TemporaryDirectory(prefix="rm-audio-") as name:
            folder = pathlib.Path(name)
            (folder / "in.wav").write_bytes(content)
            out = folder / ("out" + path.suffix)
            words = [word.format_map({"in": str(folder / "in.wav"), "out": str(out)}) for word in command]
            piped = "{out}" not in command
            run = subprocess.run(words, input=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if run.returncode != 0:
                raise RuntimeError(f"{' '.join(words)}: {run.stderr.decode(errors='replace')[-300:]}")
            path.write_bytes(after(run.stdout if piped else out.read_bytes()))

    return make


def id3v2(size, footer=False):
    """A tag of `size` bytes, with a picture's worth of bytes that look like frames of MP3."""
    length = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    body = (b"\xff\xfb\x90\x64" * (size // 4 + 1))[:size]
    head = b"\4\0\x10" if footer else b"\3\0\0"
    return b"ID3" + head + length + body + (b"3DI" + head + length if footer else b"")


ID3V1 = b"TAG" + b"a" * 125


# ---- FLAC


def flac_files():
    rates = itertools.cycle((8000, 44100, 48000, 96000))
    levels = itertools.cycle(("-0", "-5", "-8"))
    seed = 2000
    for bits, channels in itertools.product((8, 16, 24), (1, 2, 3, 6)):
        seed, rate = seed + 1, next(rates)
        samples = integers(bits, 5003, channels, seed)
        read = (samples / (1 << (bits - 1))).astype(np.float32)
        command = ["flac", "-s", "-f", next(levels), "{in}", "-o", "{out}"]
        yield File(f"flac_{bits}_{channels}.flac", encoded(command, wav(bits, samples, rate)), rate, channels, read, tool="flac")
    samples = integers(16, 9001, 2, 2100)
    read, content = (samples / 32768).astype(np.float32), wav(16, samples, 44100)
    to_file, to_pipe = ["flac", "-s", "-f", "{in}", "-o", "{out}"], ["flac", "-s", "-c", "-"]
    for name, command, after in (
        ("lax", ["flac", "-s", "-f", "--lax", "-l", "32", "-b", "4096", "{in}", "-o", "{out}"], None),
        ("small_blocks", ["flac", "-s", "-f", "-b", "16", "--lax", "{in}", "-o", "{out}"], None),
        ("large_blocks", ["flac", "-s", "-f", "-b", "65535", "--lax", "{in}", "-o", "{out}"], None),
        ("verbatim", ["flac", "-s", "-f", "--disable-constant-subframes", "--disable-fixed-subframes", "{in}", "-o", "{out}"], None),
        ("no_padding", ["flac", "-s", "-f", "--no-padding", "--no-seektable", "{in}", "-o", "{out}"], None),
        ("much_padding", ["flac", "-s", "-f", "-P", "300000", "{in}", "-o", "{out}"], None),
        ("tags", ["flac", "-s", "-f", "-T", "TITLE=" + "x" * 70000, "{in}", "-o", "{out}"], None),
        ("piped", to_pipe, None),
        ("id3v2", to_file, lambda data: id3v2(1000) + data),
        ("id3v1", to_file, lambda data: data + ID3V1),
        ("piped_id3v1", to_pipe, lambda data: data + ID3V1),
        ("zeros_after", to_file, lambda data: data + b"\0" * 1000),
    ):  # fmt: skip
        make = encoded(command, content, after or (lambda data: data))
        yield File(f"flac_{name}.flac", make, 44100, 2, read, tool="flac")
    make = encoded(["ffmpeg", "-v", "error", "-i", "{in}", "-c:a", "flac", "-f", "flac", "-"], content)
    yield File("flac_ffmpeg_pipe.flac", make, 44100, 2, read, tool="ffmpeg")


# ---- ADPCM and WAV by other programs


def adpcm_files():
    for codec, channels, rate in itertools.product(("adpcm_ms", "adpcm_ima_wav"), (1, 2), (8000, 22050, 44100)):
        content = wav(16, music(6007, channels, rate, channels + rate), rate)
        command = ["ffmpeg", "-v", "error", "-i", "{in}", "-c:a", codec, "{out}"]
        yield File(f"{codec}_{channels}_{rate}.wav", encoded(command, content), rate, channels, reference="sndfile", tool="ffmpeg")
    for codec, channels in itertools.product(("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_alaw"), (1, 2)):
        content = wav(16, music(6007, channels, 16000, channels), 16000)
        command = ["ffmpeg", "-v", "error", "-i", "{in}", "-c:a", codec, "-f", "wav", "-"]
        yield File(f"ffmpeg_pipe_{codec}_{channels}.wav", encoded(command, content), 16000, channels, reference="ffmpeg", tool="ffmpeg")
    for kind, bits, encoding in itertools.product(("wav", "aiff"), (16, 24, 32), ("signed-integer", "floating-point")):
        if encoding == "floating-point" and (bits != 32 or kind == "aiff"):
            continue
        content = wav(16, music(6007, 2, 32000, bits), 32000)
        command = ["sox", "-D", "{in}", "-b", str(bits), "-e", encoding, "{out}"]
        yield File(f"sox_{encoding}_{bits}.{kind}", encoded(command, content), 32000, 2, reference="sndfile", tool="sox")


# ---- MP3


def mp3_files():
    rates = {1: (32000, 44100, 48000), 2: (16000, 22050, 24000), 2.5: (8000, 11025, 12000)}
    modes = {1: ("m",), 2: ("s", "j", "d")}
    ways = (["--cbr", "-b", "64"], ["-V", "2"], ["-V", "7"], ["--abr", "56"])
    for group, channels in itertools.product(rates.values(), (1, 2)):
        for rate, way in itertools.product(group, ways):
            mode = modes[channels][ways.index(way) % len(modes[channels])]
            content = wav(16, music(rate // 2 + 77, channels, rate, rate), rate)
            command = ["lame", "-S", *way, "-m", mode, "--resample", str(rate / 1000), "{in}", "{out}"]
            name = f"mp3_{rate}_{channels}{mode}_{''.join(way).strip('-')}.mp3"
            yield File(name, encoded(command, content), rate, channels, None, "sndfile", "lame", LOSSY, rate // 2 + 77)
    length = 44100
    content = wav(16, music(length, 2, 44100, 5), 44100)
    usual = ["lame", "-S", "--cbr", "-b", "128", "{in}", "{out}"]
    for name, command, after in (
        ("crc", ["lame", "-S", "-p", "--cbr", "-b", "128", "{in}", "{out}"], None),
        ("id3_both", ["lame", "-S", "--ta", "x", "--tt", "y", "--add-id3v2", "--pad-id3v2-size", "5000", "{in}", "{out}"], None),
        ("id3v1", usual, lambda data: data + ID3V1),
        ("id3v2", usual, lambda data: id3v2(3001) + data),
        ("id3v2_twice", usual, lambda data: id3v2(100) + id3v2(5000) + data),
        ("id3v2_footer", usual, lambda data: id3v2(2000, footer=True) + data),
        ("loud", ["lame", "-S", "--scale", "2.5", "{in}", "{out}"], None),
        ("320", ["lame", "-S", "-b", "320", "{in}", "{out}"], None),
    ):  # fmt: skip
        make = encoded(command, content, after or (lambda data: data))
        yield File(f"mp3_{name}.mp3", make, 44100, 2, None, "sndfile", "lame", LOSSY, length)


# ---- Ogg


def vorbis_files():
    qualities = itertools.cycle(("-1", "3", "6", "10"))
    for channels, rate in itertools.product((1, 2), (8000, 16000, 22050, 44100, 48000)):
        for _ in range(2):
            quality = next(qualities)
            content = wav(16, music(rate // 2 + 33, channels, rate, rate + channels), rate)
            command = ["oggenc", "-Q", "-q", quality, "{in}", "-o", "{out}"]
            name = f"vorbis_{channels}_{rate}_q{quality}.ogg"
            yield File(name, encoded(command, content), rate, channels, None, "sndfile", "oggenc", LOSSY, rate // 2 + 33)
    for channels, rate in itertools.product((3, 6, 8), (8000, 44100, 48000)):
        content = wav(16, music(rate // 3 + 5, channels, rate, rate + channels), rate)
        command = ["oggenc", "-Q", "-q", "5", "{in}", "-o", "{out}"]
        name = f"vorbis_{channels}_{rate}.ogg"
        yield File(name, encoded(command, content), rate, channels, None, "ffmpeg", "oggenc", LOSSY, rate // 3 + 5)
    content = wav(16, music(1, 1, 44100, 3), 44100)
    yield File("vorbis_one.ogg", encoded(["oggenc", "-Q", "{in}", "-o", "{out}"], content), 44100, 1, None, "sndfile", "oggenc", LOSSY, 1)
    content = wav(16, music(22050, 2, 44100, 3), 44100)
    command = ["oggenc", "-Q", "-c", "COVER=" + "A" * 100000, "{in}", "-o", "{out}"]
    yield File("vorbis_comment.ogg", encoded(command, content), 44100, 2, None, "sndfile", "oggenc", LOSSY, 22050)
    for codec in (["libvorbis"], ["vorbis", "-strict", "-2"]):
        command = ["ffmpeg", "-v", "error", "-i", "{in}", "-c:a", *codec, "{out}"]
        yield File(f"vorbis_ffmpeg_{codec[0]}.ogg", encoded(command, content), 44100, 2, None, "sndfile", "ffmpeg", LOSSY)


def opus_files():
    for channels, rate, bitrate in itertools.product((1, 2, 6), (8000, 16000, 48000), ("24", "128")):
        content = wav(16, music(rate // 2 + 21, channels, rate, rate + channels), rate)
        if channels > 2:  # opusenc makes stereo of six channels at the lower rate
            bitrate = str(int(bitrate) * 4)
        command = ["opusenc", "--quiet", "--bitrate", bitrate, "{in}", "{out}"]
        frames = -(-(rate // 2 + 21) * 48000 // rate)
        name = f"opus_{channels}_{rate}_{bitrate}.opus"
        yield File(name, encoded(command, content), 48000, channels, None, "opusdec", "opusenc", LOSSY, frames)
    content = wav(16, music(24000, 2, 48000, 9), 48000)
    for name, options in (("speech", ["--speech"]), ("music", ["--music"]), ("frames60", ["--framesize", "60"]), ("frames2", ["--framesize", "2.5"])):
        command = ["opusenc", "--quiet", *options, "{in}", "{out}"]
        yield File(f"opus_{name}.opus", encoded(command, content), 48000, 2, None, "opusdec", "opusenc", LOSSY, 24000)


def coded_files():
    for group in (flac_files, adpcm_files, mp3_files, vorbis_files, opus_files):
        yield from group()
