"""Ogg files that encoders make: as long as their source, and sample by sample beside other decoders. Needs oggenc, oggdec,
ffmpeg, opusenc and opusdec (Debian: vorbis-tools, ffmpeg, opus-tools); what is missing is skipped."""

import array
import ast
import math
import random
import shutil
import subprocess
import unittest
import wave

from support import ProgramTest, manifest, node

CLOSE = 1e-5
ROUNDED = 0.51 / 32768  # to 16 bits
# Where the channels of other formats lie in a Vorbis stream.
PLACES = {3: (0, 2, 1), 5: (0, 2, 1, 3, 4), 6: (0, 2, 1, 5, 3, 4), 7: (0, 2, 1, 6, 5, 3, 4), 8: (0, 2, 1, 7, 5, 6, 3, 4)}


def needs(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    return unittest.skipIf(missing, f"there is no {', '.join(missing)}")


def read_npy(path):
    data = path.read_bytes()
    end = 10 + int.from_bytes(data[8:10], "little")
    head = ast.literal_eval(data[10:end].decode())
    assert head["descr"] == "<f4" and not head["fortran_order"], head
    return head["shape"], array.array("f", data[end:])


class OggFiles(ProgramTest):
    def make_wav(self, channels, rate, frames):
        """Tones, a tone of its own a channel, with noise and a click, which makes encoders use short blocks."""
        source = random.Random(channels * rate + frames)
        samples = array.array("h")
        for i in range(frames):
            click = 9000 if frames // 2 <= i < frames // 2 + 40 else 0
            for c in range(channels):
                tone = 9000 * math.sin(2 * math.pi * (300 + 90 * c) * i / rate)
                samples.append(round(tone + click + source.uniform(-1500, 1500)))
        path = self.folder / "source.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(samples.tobytes())
        return path

    def ours(self, path):
        """(frames, channels), samples, rate."""
        self.write("m.json", manifest([node("f", "AudioFileSource", {"path": str(path), "chunk_frames": 1 << 20})]))
        done = self.run_program("run", "m.json", "--arrays", f"npy:{self.folder / 'npy'}", "--format", "json")
        self.assertEqual(done.exit, 0, f"{path.name}: {done.stderr}")
        items = done.document["outputs"]["f"]
        self.assertEqual(len(items), 1, path.name)
        return (*read_npy(self.folder / items[0]["__npy__"]), items[0]["media"]["sample_rate"])

    def compare(self, path, frames, channels, rate, theirs, close=CLOSE):
        shape, samples, got_rate = self.ours(path)
        self.assertEqual((tuple(shape), got_rate, len(theirs)), ((frames, channels), rate, frames * channels), path.name)
        worst = max(abs(a - b) for a, b in zip(samples, theirs))
        self.assertLess(worst, close, path.name)

    @needs("oggenc", "oggdec")
    def test_vorbis(self):
        for channels in range(1, 9):
            for rate in (8000, 22050, 44100, 48000):
                for frames, quality in ((1, "3"), (900, "-1"), (5001, "3"), (5000, "8")):
                    path, raw = self.folder / f"vorbis-{channels}-{rate}-{frames}.ogg", self.folder / "decoded.raw"
                    wav = self.make_wav(channels, rate, frames)
                    subprocess.run(["oggenc", "-Q", "-q", quality, wav, "-o", path], check=True, capture_output=True)
                    subprocess.run(["oggdec", "-Q", "-R", "-o", raw, path], check=True, capture_output=True)
                    decoded = array.array("h", raw.read_bytes())
                    theirs = [decoded[i + c] / 32768 for i in range(0, len(decoded), channels)
                              for c in PLACES.get(channels, range(channels))]
                    self.compare(path, frames, channels, rate, theirs, ROUNDED)

    @needs("oggenc", "ffmpeg")
    def test_vorbis_as_floats(self):
        for channels in (1, 2):
            for rate in (8000, 22050, 44100, 48000):
                path = self.folder / f"vorbis-{channels}-{rate}.ogg"
                subprocess.run(["oggenc", "-Q", self.make_wav(channels, rate, 5001), "-o", path], check=True, capture_output=True)
                done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"], check=True, capture_output=True)
                theirs = array.array("f", done.stdout)
                ours = self.ours(path)[1]  # ffmpeg leaves out frames at the end, or leaves those behind it in
                self.assertGreater(len(theirs), 4000 * channels)
                self.assertLess(max(abs(a - b) for a, b in zip(ours, theirs)), CLOSE, path.name)

    @needs("opusenc", "opusdec")
    def test_opus(self):
        for channels in range(1, 9):
            for frames in (1, 5000):
                wav = self.make_wav(channels, 48000, frames)
                for options in ([], ["--framesize", "2.5"], ["--framesize", "60"], ["--bitrate", str(24 * channels)],
                                ["--bitrate", str(40 * channels), "--hard-cbr"]):
                    path = self.folder / f"opus-{channels}-{frames}{''.join(options)}.opus"
                    subprocess.run(["opusenc", "--quiet", *options, wav, path], check=True, capture_output=True)
                    decoded = self.folder / "decoded.wav"
                    subprocess.run(["opusdec", "--quiet", "--float", "--rate", "48000", path, decoded], check=True, capture_output=True)
                    bytes_ = decoded.read_bytes()
                    self.compare(path, frames, channels, 48000, array.array("f", bytes_[bytes_.index(b"data") + 8:]))


if __name__ == "__main__":
    unittest.main()
