"""What a file is, is told by its content: what is no audio is not read as MP3, MP3 is found where cutters of streams leave it,
and what is not read is refused by its name. Files are made by sox and ffmpeg (Debian: sox, ffmpeg); what is missing is skipped."""

import io
import itertools
import json
import pathlib
import random
import shutil
import struct
import subprocess
import unittest
import zipfile
import zlib

from support import ROOT, ProgramTest, manifest, node

TONE = (ROOT / "tests/cases/data/tone.mp3").read_bytes()
SIZE = 288  # of its frames; the first one has no sound
FRAMES = TONE[SIZE:]
NO_AUDIO = "is not a WAV, AIFF, FLAC, MP3 or Ogg file"
PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/lib", "/bin")
MOST_PROGRAMS = 400


def png(width, height, source):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + source.randbytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def zipped(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for i in range(20):
            file.writestr(f"{i}.bin", source.randbytes(5000), zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED)
    return out.getvalue()


def table(source, fields, rows):
    """What programs keep: records with small numbers and many -1, which have as many ones as a frame's head."""
    record = [source.choice((-1, -1, 0, 1, source.randrange(-70000, 70000))) for _ in range(fields)]
    out = b""
    for _ in range(rows):
        record[source.randrange(fields)] = source.choice((-1, -5, -1249, 0, 4, source.randrange(-70000, 70000)))
        out += struct.pack(f"<{fields}i", *record)
    return out


def other_files():
    """(name, bytes) of files of many kinds that are no audio."""
    source = random.Random(15)
    words = " ".join(source.choice(("one", "two", "TAG", "ID3", "3.5", "\u00ff\u00fb", "{}")) for _ in range(8000))
    yield "text", words.encode()
    yield "text in UTF-16", b"\xff\xfe" + words.encode("utf-16-le")
    for length in (70, 140, 142, 190):
        yield f"{length} bytes of UTF-16", (b"\xff\xfe" + words.encode("utf-16-le"))[:length]
    yield "JSON", json.dumps([source.uniform(-1, 1) for _ in range(9000)]).encode()
    yield "PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + zlib.compress(source.randbytes(70000))
    yield "WASM", b"\0asm\1\0\0\0" + source.randbytes(70000)
    yield "PNG", png(200, 100, source)
    yield "ZIP", zipped(source)
    for colour in (b"\xff\xf3\xe0", b"\xff\xfb\x90", b"\xff\xff\xff", b"\xff\xfd\x74", b"\xff\xfa\xf0\xff", b"\xff\xf5\xee\xff"):
        yield f"a picture of colour {colour.hex()}", b"P6\n300 300\n255\n" + colour * 90000
    yield "ones", b"\xff" * 80000
    yield "a pattern", b"\x00\x0f\xff\xf4" * 20000
    for step in (2, 3, 4, 5, 6, 7, 24, 96, 104, 144, 288):
        yield f"a pattern of {step} bytes", (b"\xff\xfb\x90\x64" + source.randbytes(500))[:step] * (80000 // step)
    for i in range(12):
        yield f"random bytes {i}", source.randbytes(source.choice((60, 700, 9000, 70000, 200000)))
        heads = [source.choice((0xFF, 0xFF, 0xFB, 0xF3, 0xE3, 0x90, 0x64, 0x44, 0, source.randrange(256))) for _ in range(70000)]
        yield f"bytes like heads {i}", bytes(heads)
        yield f"a table {i}", table(source, source.choice((6, 18, 24, 36, 72, 104)), 900)


class AudioReads(ProgramTest):
    def read(self, path, stdin=b""):
        """(frames, the error's code or None, everything it says)."""
        self.write("m.json", manifest([node("f", "AudioFileSource", {"path": str(path), "chunk_frames": 1 << 20})]))
        done = self.run_program("run", "m.json", "--arrays", f"npy:{self.folder / 'npy'}", "--format", "json", stdin=stdin)
        items = done.document.get("outputs", {}).get("f", [])
        return sum(map(self.frames_of, items)), done.document.get("error", {}).get("code"), done.stderr

    def frames_of(self, item):
        head = (self.folder / item["__npy__"]).read_bytes()[:128].decode("latin-1")
        return int(head.split("'shape': (")[1].split(",")[0])

    def refused(self, path, *words):
        frames, code, said = self.read(path)
        self.assertEqual(frames, 0, path)
        self.assertIn(code, ("parse", "unsupported"), f"{path}: {said}")
        for word in words:
            self.assertIn(word, said, path)

    def both_ways(self, name, content, frames, code=None, *words, silent=False):
        """Reads a file, and the same bytes from a pipe. `silent`: there is no warning."""
        path = self.folder / "file"
        path.write_bytes(content)
        for way, read in (("file", lambda: self.read(path)), ("pipe", lambda: self.read("-", content))):
            got = read()
            self.assertEqual(got[:2], (frames, code), f"{name}, {way}: {got[2]}")
            for word in words:
                self.assertIn(word, got[2], f"{name}, {way}")
            if silent:
                self.assertNotIn("warning", got[2], f"{name}, {way}")


class WhatAFileIs(AudioReads):
    def test_what_is_no_audio_is_not_read(self):
        for name, content in other_files():
            path = self.folder / "file"
            path.write_bytes(content)
            frames, code, said = self.read(path)
            self.assertEqual((frames, code), (0, "parse"), f"{name}: {said}")
            self.assertIn(NO_AUDIO, said, name)

    def test_programs_are_no_audio(self):
        found = [path for folder in PROGRAMS for path in sorted(pathlib.Path(folder).glob("*"))
                 if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size < 20_000_000]
        found = random.Random(1).sample(found, min(len(found), MOST_PROGRAMS))
        self.assertGreater(len(found), 20)
        for path in found:
            self.refused(path, NO_AUDIO)

    def test_where_mp3_begins(self):
        junk = random.Random(2).randbytes(8000)
        tag = b"ID3\3\0\0\0\0\1\0" + b"\xff\xfb\x90\x64" * 32
        for name, content, frames, code, word in (
            ("one frame", FRAMES[:SIZE], 576, None, ""),
            ("two frames", FRAMES[: 2 * SIZE], 1152, None, ""),
            ("one frame and tags", tag + FRAMES[:SIZE] + b"TAG" + b"a" * 125, 576, None, ""),
            ("part of a frame", FRAMES[: SIZE - 1], 0, "parse", "has no whole frame"),
            ("one and a half", FRAMES[: SIZE + 99], 576, "parse", "its last frame has 99 of 288 bytes"),
            ("cut at the start", FRAMES[1:], 1728, None, "begins with 287 bytes that are no frame of MP3"),
            ("cut in the second frame", FRAMES[SIZE + 99 :], 1152, None, "begins with 189 bytes"),
            ("bytes in front", junk[:3000] + FRAMES, 2304, None, "begins with 3000 bytes"),
            ("many bytes in front", junk + FRAMES, 2304, None, "begins with 8000 bytes"),
            ("a tag and zeros in front", tag + bytes(20000) + FRAMES, 2304, None, ""),
            ("zeros in front", bytes(20000) + FRAMES, 2304, None, ""),
            ("bytes behind", FRAMES + b"bytes" * 20, 2304, None, "ends with 100 bytes that are no frame of MP3"),
            ("the first frame is damaged", FRAMES[:100] + FRAMES[SIZE:], 1728, "parse", "100 bytes between its frames are none"),
        ):
            path = self.folder / "file.mp3"
            path.write_bytes(content)
            got = self.read(path)
            self.assertEqual(got[:2], (frames, code), f"{name}: {got[2]}")
            self.assertIn(word, got[2], name)
            self.assertEqual(bool(word), bool(got[2]), f"{name}: {got[2]}")

    def test_mp3_in_wav_is_never_cut_in_silence(self):
        form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 8000, 4000, 1, 0, 12, 1, 2, SIZE, 1, 0)
        for states_all in (True, False):  # the size of its data; its samples alone
            for end in range(0, len(FRAMES) + 1, SIZE // 4):
                data = FRAMES[:end]
                size = len(FRAMES) if states_all else end
                chunks = [(b"fmt ", len(form), form), (b"fact", 4, struct.pack("<I", 2304)), (b"data", size, data)]
                body = b"".join(name + struct.pack("<I", length) + content for name, length, content in chunks)
                path = self.folder / "file.wav"
                path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
                frames, code, said = self.read(path)
                self.assertEqual(frames, end // SIZE * 576, f"{end}: {said}")
                empty = end == 0 and not states_all
                self.assertEqual(code, None if end == len(FRAMES) or empty else "parse", f"{end}: {said}")

    def test_formats_of_others_are_named(self):
        source = self.folder / "source.wav"
        samples = random.Random(3).randbytes(2 * 48000)
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, 48000, 96000, 2, 16, b"data", len(samples))
        source.write_bytes(head + samples)
        ffmpeg, sox = "ffmpeg converts it: ffmpeg -i", "SoX converts it: sox '"
        made = 0
        for program, name, options, said, reader in (
            ("ffmpeg", "a.ts", ["-c:a", "mp2"], "is MPEG transport stream,", ffmpeg),
            ("ffmpeg", "a.m2ts", ["-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"], "is MPEG transport stream,", ffmpeg),
            ("ffmpeg", "a.latm", ["-c:a", "aac", "-f", "latm"], "is AAC (LATM in LOAS),", ffmpeg),
            ("ffmpeg", "a.aac", ["-c:a", "aac"], "is AAC,", ffmpeg),
            ("ffmpeg", "a.avi", ["-c:a", "mp2"], "is AVI,", ffmpeg),
            ("ffmpeg", "a.ac3", ["-c:a", "ac3"], "is AC-3,", ffmpeg),
            ("ffmpeg", "a.eac3", ["-c:a", "eac3"], "is E-AC-3,", ffmpeg),
            ("ffmpeg", "a.thd", ["-c:a", "truehd", "-strict", "-2"], "is TrueHD,", ffmpeg),
            ("ffmpeg", "a.mlp", ["-c:a", "mlp", "-strict", "-2"], "is MLP,", ffmpeg),
            ("ffmpeg", "a.g722", ["-c:a", "g722", "-ar", "16000"], "is by its extension G.722,", ffmpeg),
            ("ffmpeg", "a.m4a", ["-c:a", "aac"], "is MP4 or M4A,", ffmpeg),
            ("ffmpeg", "a.wv", [], "is WavPack,", ffmpeg),
            ("ffmpeg", "a.mpg", ["-c:a", "mp2", "-f", "mpeg"], "is MPEG program stream,", ffmpeg),
            ("sox", "a.gsm", ["-r", "8000"], "is by its extension GSM 6.10,", ffmpeg),
            ("sox", "a.vox", ["-r", "8000"], "is by its extension Dialogic ADPCM,", "sox -t vox -r 8000 '"),
            ("sox", "a.ulaw", ["-r", "8000", "-t", "ul"], "is by its extension mu-law without a header,", "ffmpeg -f mulaw -ar 8000 -i '"),
            ("sox", "a.raw", [], "is by its extension PCM without a header,", "when told what it holds"),
            ("sox", "a.hcom", ["-r", "22050"], "is HCOM,", ffmpeg),
            ("sox", "a.smp", [], "is SampleVision (SMP),", sox),
            ("sox", "a.8svx", ["-b", "8"], "is 8SVX,", ffmpeg),
            ("sox", "a.avr", [], "is AVR,", ffmpeg),
            ("sox", "a.sf", [], "is IRCAM,", ffmpeg),
            ("sox", "a.sndt", ["-b", "8"], "is Sounder (SNDT),", sox),
            ("sox", "a.wve", ["-r", "8000"], "is Psion sound,", ffmpeg),
        ):  # fmt: skip
            path = self.folder / name
            command = ["ffmpeg", "-v", "error", "-i", source, *options, path] if program == "ffmpeg" else ["sox", source, *options, path]
            if shutil.which(program) is None or subprocess.run(command, capture_output=True).returncode != 0:
                continue  # not every build has every encoder
            made += 1
            self.refused(path, said + " which is not read", reader)
        if made == 0:
            self.skipTest("there is no ffmpeg and no sox")

    def test_a_file_that_ends_in_its_tag(self):
        tag = b"ID3\4\0\0\0\0\x20\0" + b"\0" * 2000
        for content, said in ((tag, "is cut off: it ends within the tag at its start"), (tag[:6], "is cut off: it ends within the tag"),
                              (b"ID3\4\0\0\0\0\0\x0a" + b"\0" * 10, "has a tag, and no audio behind it"), (b"", "is empty")):
            path = self.folder / "file.mp3"
            path.write_bytes(content)
            self.refused(path, said)


def wav(chunks, size=None):
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
SAMPLES = random.Random(4).randbytes(4000)  # 1000 frames of two channels


def wav_format(channels=2, rate=8000, bits=16, tag=1):
    align = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, (rate * align) & 0xFFFFFFFF, align & 0xFFFF, bits)


def w64_head(riff, data):
    form = b"fmt " + W64_TAIL + struct.pack("<Q", 40) + wav_format()
    return W64_RIFF + struct.pack("<Q", riff) + b"wave" + W64_TAIL + form + b"data" + W64_TAIL + struct.pack("<Q", data)


def aiff_format(frames, channels=2, bits=16):
    return b"COMM", struct.pack(">HIH", channels, frames, bits) + struct.pack(">HQ", 16383 + 12, 8000 << (63 - 12))


def aiff(chunks, last_size=None):
    """`last_size`: what the last chunk states."""
    sizes = [len(data) for _, data in chunks]
    sizes[-1] = last_size or sizes[-1]
    body = b"".join(name + struct.pack(">I", size) + data + b"\0" * (len(data) & 1) for size, (name, data) in zip(sizes, chunks))
    return b"FORM" + struct.pack(">I", 4 + len(body)) + b"AIFF" + body


ID3V1 = b"TAG" + b"t" * 125


def ape(items, version):
    foot = struct.pack("<8sIIIIQ", b"APETAGEX", 1000 * version, len(items) + 32, 1, 0x80000000 if version == 2 else 0, 0)
    return (foot[:20] + struct.pack("<I", 0xA0000000) + bytes(8) if version == 2 else b"") + items + foot


def lyrics(version):
    text = b"LYRICSBEGIN" + (b"IND0000210LYR00011[00:01]LLYR\r\n" if version == 2 else b"[00:01]La, LYRICS\r\n" * 9)
    return text + (b"%06dLYRICS200" % len(text) if version == 2 else b"LYRICSEND")


TAGS = [
    ("ID3v2", b"ID3\4\0\0\0\0\2\0" + b"x" * 256),
    ("APEv1", ape(b"\3\0\0\0\0\0\0\0Title\0abc", 1)),
    ("APEv2", ape(b"\3\0\0\0\0\0\0\0Title\0abc", 2)),
    ("Lyrics3", lyrics(1)),
    ("Lyrics3 v2", lyrics(2)),
    ("TAG+", b"TAG+" + b"t" * 223),
]


class WhereAFileEnds(AudioReads):
    def test_w64_without_a_length(self):
        for riff, data in ((2**64 - 1, 2**63 - 1), (2**63 - 1, 2**63 - 1), (2**64 - 1, 2**64 - 1)):
            self.both_ways(f"{data:x}", w64_head(riff, data) + SAMPLES, 1000, None, silent=True)
        for data in (0, 24):
            self.both_ways(f"{data}", w64_head(0, data) + SAMPLES, 1000, None, "states that it has no samples, and has some")
        junk = b"junk" + W64_TAIL + struct.pack("<Q", 32) + bytes(8)
        self.both_ways("no samples", w64_head(0, 24), 0, None, "has no audio")
        self.both_ways("no samples, and a chunk", w64_head(0, 24) + junk, 0, None, "has no audio")
        doubled = w64_head(0, 23) + w64_head(0, 24) + SAMPLES + w64_head(0, 2**64 - 80)
        self.both_ways("SoX's", doubled, 0, "parse", "stands in it twice, as SoX writes W64 into a pipe", "sox ... -t wav -")
        self.both_ways("cut off", w64_head(0, 24 + 4000) + SAMPLES[:-4], 999, "parse", "promises 4000 bytes")

    def test_aiff_without_a_length(self):
        for channels in (1, 2, 3, 6):
            room = 0x7F000000 // (2 * channels) * 2 * channels
            samples = SAMPLES[: len(SAMPLES) // (2 * channels) * 2 * channels]
            content = aiff([aiff_format(room // (2 * channels), channels), (b"SSND", bytes(8) + samples)], room + 8)
            self.both_ways(f"{channels} channels", content, len(samples) // 2 // channels, None, silent=True)
        for frames, size in ((1001, 4012), (0x7EF00000 // 4, 0x7EF00008)):
            content = aiff([aiff_format(frames), (b"SSND", bytes(8) + SAMPLES)], size)
            self.both_ways(f"{frames} frames", content, 1000, "parse", "is cut off")

    def test_a_tag_in_a_frame_that_is_cut(self):
        for end in (SIZE - 1, SIZE - 100, SIZE // 2):
            rest, said = FRAMES[: 2 * SIZE + end], f"its last frame has {end} of {SIZE} bytes"
            for name, tag in TAGS:
                self.both_ways(f"{end}, {name}", rest + tag, 1152, "parse", said)
                self.both_ways(f"{end}, {name}, ID3v1", rest + tag + ID3V1, 1152, "parse", said)
            large = ape(b"\0" * 100000, 2)
            self.both_ways(f"{end}, large", rest + large + ID3V1, 1152, "parse", f"is damaged: {end} bytes between its frames")
            self.both_ways(f"{end}, joined", rest + TAGS[0][1] + FRAMES, 1152 + 2304, "parse", f"is damaged: {end} bytes between")

    def test_tags_behind_the_last_frame(self):
        for tags in itertools.chain(itertools.permutations(TAGS, 1), itertools.permutations(TAGS, 2)):
            name = ", ".join(name for name, _ in tags)
            if name == "APEv1, ID3v2":
                continue  # one is known by its end, the other by its start
            self.both_ways(name, FRAMES + b"".join(tag for _, tag in tags), 2304, None, silent=True)
            self.both_ways(name, FRAMES + b"".join(tag for _, tag in tags) + ID3V1, 2304, None, silent=True)
        self.both_ways("Lyrics3 without an end", FRAMES + b"LYRICSBEGIN" + b"a" * 100, 2304, None, "ends with 100 bytes")
        self.both_ways("between", FRAMES + lyrics(1) + ID3V1 + FRAMES + lyrics(2) + FRAMES, 3 * 2304, None, silent=True)

    def test_bytes_behind_wav(self):
        parts = [(b"fmt ", wav_format()), (b"data", SAMPLES)]
        whole, odd = wav(parts), wav([(b"fmt ", wav_format(1, bits=8)), (b"data", SAMPLES[:999])])
        w64 = w64_head(104 + 4000, 24 + 4000) + SAMPLES
        sizes = struct.pack("<QQQI", 72 + 4000, 4000, 1000, 0)
        rf64 = b"RF64\xff\xff\xff\xffWAVE" + b"ds64" + struct.pack("<I", 28) + sizes + whole[12:40] + b"\xff\xff\xff\xff" + SAMPLES
        rf64 = rf64[:20] + struct.pack("<Q", len(rf64) - 8) + rf64[28:]
        mp3 = wav([(b"fmt ", wav_format(1, 22050, 0, 0x55)), (b"data", TONE)])
        for name, content, frames in (("RIFF", whole, 1000), ("odd", odd, 999), ("W64", w64, 1000), ("RF64", rf64, 1000),
                                      ("MP3", mp3, self.both_frames(mp3))):  # fmt: skip
            self.both_ways(name, content, frames, None, silent=True)
            for behind in (b"x", b"bytes", b"RIFF", b"junk of any kind", SAMPLES, whole, w64):
                said = f"has {len(behind)} bytes behind its last chunk: they are passed over"
                self.both_ways(f"{name}, {behind[:8]}", content + behind, frames, None, said)
            for behind in (bytes(1), bytes(100), ID3V1, TAGS[0][1] + bytes(20)):
                self.both_ways(f"{name}, {behind[:8]}", content + behind, frames, None, silent=True)
        info = (b"LIST", b"INFO" + bytes(8))
        self.both_ways("two of data", wav([*parts, info, parts[1], info]), 2000, None, silent=True)
        for size in (0, 4, 36, 4000, 0x7FFFF024, 0xFFFFFFFF):  # states no length, or a wrong one
            self.both_ways(f"{size:x}", wav([*parts, info, parts[1], info], size), 2000, None, silent=True)

    def both_frames(self, content):
        (self.folder / "file").write_bytes(content)
        return self.read(self.folder / "file")[0]

    def test_what_programs_write_into_pipes(self):
        self.need("sox", "ffmpeg")
        (self.folder / "s.wav").write_bytes(wav([(b"fmt ", wav_format()), (b"data", SAMPLES)]))
        for command, code in (
            ("ffmpeg -v error -i s.wav -f w64 -", None),
            ("ffmpeg -v error -i s.wav -f wav -", None),
            ("sox s.wav -t wav -", None),
            ("sox s.wav -t w64 -", "parse"),
            ("ffmpeg -v error -i s.wav -f aiff -", None),
            *((f"sox s.wav {more} -t {form} -", None) for form in ("aiff", "aifc") for more in ("", "-b 8", "-b 24", "-c 3")),
            ("sox s.wav -e float -b 32 -t aifc -", None),
        ):
            content = self.piped(command)
            self.both_ways(command, content, 1000 if code is None else 0, code, silent=code is None)

    def piped(self, command):
        done = subprocess.Popen(command.split(), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        content = done.communicate()[0]
        self.assertEqual(done.returncode, 0, command)
        return content

    def need(self, *programs):
        for program in programs:
            if shutil.which(program) is None:
                self.skipTest(f"there is no {program}")


class WhatIsRefused(AudioReads):
    def test_too_many_channels(self):
        for channels in (255, 300, 65535):
            content = wav([(b"fmt ", wav_format(channels)), (b"data", bytes(2 * channels))])
            words = f"has {channels} channels; files of up to 254 are read", "audio.wav remix 1 2"
            self.both_ways("WAV", content, 0, "unsupported", *words)
            if channels < 65535:
                self.both_ways("AIFF", aiff([aiff_format(1, channels), (b"SSND", bytes(8 + 2 * channels))]), 0, "unsupported", *words)
        self.both_ways("254", wav([(b"fmt ", wav_format(254)), (b"data", bytes(508))]), 1, None, silent=True)
        self.both_ways("0", wav([(b"fmt ", wav_format(0)), (b"data", bytes(508))]), 0, "parse", "is not a sound WAV file")

    def test_samples_in_a_list(self):
        parts = b"wavl" + b"data" + struct.pack("<I", 4000) + SAMPLES + b"slnt" + struct.pack("<II", 4, 100)
        self.both_ways("wavl", wav([(b"fmt ", wav_format()), (b"LIST", parts)]), 0, "unsupported", "samples in a list (LIST wavl)")
        info = b"INFO" + b"ISFT" + struct.pack("<I", 4) + b"wavl"
        self.both_ways("INFO", wav([(b"fmt ", wav_format()), (b"LIST", info), (b"data", SAMPLES)]), 1000, None, silent=True)
        self.both_ways("INFO alone", wav([(b"fmt ", wav_format()), (b"LIST", info)]), 0, "parse", "ends before its samples begin")

    def test_samples_before_their_format(self):
        content = aiff([(b"SSND", bytes(8) + SAMPLES), aiff_format(1000)])
        self.both_ways("AIFF", content, 0, "unsupported", "is AIFF with its samples (SSND) in front of their format (COMM)", "ffmpeg -i '")


if __name__ == "__main__":
    unittest.main()
