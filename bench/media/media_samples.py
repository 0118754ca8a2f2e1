"""Takes the samples of bench/media/run, in the manner of bench/wasm/samples.py and with its tools. All are processor time, which
other load disturbs less."""

import array
import math
import os
import pathlib
import random
import shutil
import wave

import samples
from samples import dependency, manifest, node, output, took

HERE = pathlib.Path(__file__).resolve().parent
RATES = [(48000, 16000), (44100, 48000), (48000, 44100), (16000, 48000)]
LEVEL_CHUNKS = [960, 48000]
SECONDS = 60  # of audio in a round
FEW, MANY = 20, 220  # seconds of audio of a whole process: the difference has no start in it
DECODE_MINUTES = 30
DECODED = ["WAV", "FLAC", "MP3", "Vorbis", "Opus"]
MIX, INT16 = '{"channels":1}', '{"format":"int16"}'
DITHER = '{"format":"int16","dither":"triangular"}'


def to(rate, quality="standard"):
    return f'{{"sample_rate":{rate},"quality":"{quality}"}}'


# name: what it is, type, parameters, rate, frames in a chunk
WASM = {
    "48-16": ("AudioResample, 48 -> 16 kHz", "AudioResample", to(16000), 48000, 960),
    "44-48": ("AudioResample, 44.1 -> 48 kHz", "AudioResample", to(48000), 44100, 882),
    "48-44": ("AudioResample, 48 -> 44.1 kHz", "AudioResample", to(44100), 48000, 960),
    "level": ("AudioLevel", "AudioLevel", "{}", 48000, 960),
    "int16": ("AudioFormat to int16", "AudioFormat", INT16, 48000, 960),
}
ENCODERS = {  # the first one that is installed makes the file
    "FLAC": [["flac", "-s", "-f", "-o", "{to}", "{wav}"], ["ffmpeg", "-v", "error", "-y", "-i", "{wav}", "{to}"]],
    "MP3": [["lame", "--quiet", "-b", "192", "{wav}", "{to}"], ["ffmpeg", "-v", "error", "-y", "-i", "{wav}", "-b:a", "192k", "{to}"]],
    "Vorbis": [["oggenc", "-Q", "-q", "5", "-o", "{to}", "{wav}"],
               ["ffmpeg", "-v", "error", "-y", "-i", "{wav}", "-c:a", "libvorbis", "-q:a", "5", "{to}"]],
    "Opus": [["opusenc", "--quiet", "--bitrate", "128", "{wav}", "{to}"],
             ["ffmpeg", "-v", "error", "-y", "-i", "{wav}", "-c:a", "libopus", "-b:a", "128k", "{to}"]],
}
ENDS = {"WAV": "wav", "FLAC": "flac", "MP3": "mp3", "Vorbis": "ogg", "Opus": "opus"}


class Bench(samples.Bench):
    peers = ("soxr", "gst", "ffmpeg", "sndfile")

    def __init__(self, name, build, wasm, say):
        super().__init__(name, build, wasm, say)
        self.driver, self.driver_wasm = build / "bench/bench_media", wasm / "bench/bench_media.wasm"
        self.python = build / "bin/python3.13"
        soxr, numpy = dependency("bench", "soxr-wheel"), dependency("test", "numpy-wheel")
        self.soxr = os.pathsep.join((str(soxr), str(numpy))) if soxr and numpy and self.python.exists() else None
        found = dependency("test", "soundfile")
        self.sndfile = next(found.glob("_soundfile_data/libsndfile*.so"), None) if found else None
        elements = [["gst-inspect-1.0", "--exists", name] for name in ("level", "audioresample")]
        self.gst = shutil.which("gst-launch-1.0") if self.succeed(elements) else None
        self.ffmpeg = shutil.which("ffmpeg")
        self.needed = [self.program, self.spawn, self.driver, self.driver_wasm]

    def prepare(self):
        """The files are made when something is to be decoded."""

    @staticmethod
    def succeed(commands):
        try:
            for command in commands:
                output(command)
            return True
        except (RuntimeError, OSError):
            return False

    def chunk(self, kind, params, rate, channels, frames):
        """Nanoseconds of processor time a chunk."""
        text = output([self.driver, kind, params, rate, channels, frames, SECONDS])
        return float(dict(line.split() for line in text.splitlines())["chunk"])

    # ---- Nodes beside peers

    def gst_chunk(self, rate, frames, element):
        """Nanoseconds a buffer takes in an element: with it, less without it."""
        count = max(2000, rate * SECONDS // frames)
        source = [self.gst, "-q", "audiotestsrc", f"num-buffers={count}", f"samplesperbuffer={frames}", "wave=saw", "!"]
        source += [f"audio/x-raw,format=F32LE,rate={rate},channels=1", "!"]
        cpu = [took([*source, *words, "fakesink"])["cpu"] for words in ([], [*element, "!"])]
        return max(cpu[1] - cpu[0], 0.001) * 1e6 / count

    def rates(self):
        for source, target in RATES:
            name = f"rate {source} {target}"
            for quality in ("fast", "standard", "best"):
                self.add(f"{name} {quality}", self.chunk("AudioResample", to(target, quality), source, 1, source // 50))
            if self.soxr:
                env = os.environ | {"PYTHONPATH": self.soxr}
                text = output([self.python, "-P", HERE / "soxr_chunks.py", source, target], env=env)
                for quality, ns in (line.split() for line in text.splitlines()):
                    self.add(f"{name} soxr {quality}", float(ns))
            if self.gst:
                element = ["audioresample", "!", f"audio/x-raw,rate={target}"]
                self.add(f"{name} gst", self.gst_chunk(source, source // 50, element))

    def nodes(self):
        for frames in LEVEL_CHUNKS:
            self.add(f"level {frames}", self.chunk("AudioLevel", "{}", 48000, 1, frames))
            if self.gst:
                interval = frames * 10**9 // 48000
                self.add(f"level {frames} gst", self.gst_chunk(48000, frames, ["level", f"interval={interval}"]))
        self.add("node mix", self.chunk("AudioChannels", MIX, 48000, 2, 960))
        self.add("node int16", self.chunk("AudioFormat", INT16, 48000, 1, 960))
        self.add("node dither", self.chunk("AudioFormat", DITHER, 48000, 1, 960))

    # ---- WASM beside native

    def wasm(self):
        for name, (_, kind, params, rate, frames) in WASM.items():
            sums = set()
            for host, run in (("native", lambda *words: words), ("node", self.node_command)):
                program = self.driver if host == "native" else self.driver_wasm
                few, many = ([*run(program), kind, params, rate, 1, frames, seconds] for seconds in (FEW, MANY))
                self.add(f"wasm {name} {host}", took(many)["cpu"] - took(few)["cpu"])
                sums.add(output(few).split("sum ")[1])
            if len(sums) != 1:
                raise RuntimeError(f"{name}: other samples in WASM than natively")

    # ---- Files

    def recording(self):
        """Half an hour of notes and noise in stereo."""
        path = self.data / "long.wav"
        if path.is_file():
            return path
        rng, notes = random.Random(1), [220, 277.18, 329.63, 440, 554.37, 659.26]
        frames = array.array("h")
        for i in range(20 * 44100):
            note = notes[i // 11025 % len(notes)]
            sound = 7000 * math.sin(2 * math.pi * note * i / 44100) * (1 - i % 11025 / 11025)
            frames.extend((int(sound + rng.gauss(0, 300)), int(0.7 * sound + rng.gauss(0, 300))))
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, 44100, 0, "NONE", ""))
            for _ in range(3 * DECODE_MINUTES):
                file.writeframes(frames.tobytes())
        return path

    def file_of(self, kind):
        """None where nothing that makes it is installed."""
        source = self.recording()
        path = source.with_suffix(f".{ENDS[kind]}")
        for words in ENCODERS.get(kind, []):
            if path.is_file():
                break
            if shutil.which(words[0]):
                self.say(f"{self.name}: {words[0]} makes {path.name}")
                output([word.format(wav=source, to=path) for word in words])
        return path if path.is_file() else None

    def decode(self):
        for kind in DECODED:
            path = self.file_of(kind)
            if path is None:
                self.say(f"{self.name}: {kind} is left out: nothing that encodes it is installed")
                continue
            pipeline = manifest(node("file", "AudioFileSource", path=str(path)), node("none", "Skip", count=1 << 40))
            run = [self.program, "run", self.write(f"decode-{kind}.json", {"manifest": pipeline})]
            try:
                self.add(f"decode {kind}", took(run)["cpu"])
                self.add(f"decode {kind} mib", float(output([self.spawn, 1, *run]).split()[1]) / 1024)
            except RuntimeError as error:
                self.say(f"{self.name}: {kind} is left out: {error}")
                continue
            if self.ffmpeg:
                command = [self.ffmpeg, "-v", "error", "-y", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", os.devnull]
                self.add(f"decode {kind} ffmpeg", took(command)["cpu"])
            if self.sndfile:
                command = [self.python, "-I", "-S", HERE / "sndfile.py", self.sndfile, path]
                self.add(f"decode {kind} sndfile", took(command)["cpu"])
