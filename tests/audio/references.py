"""The same files read by libsndfile, by FFmpeg and by opusdec."""

import json
import pathlib
import subprocess
import tempfile

import numpy as np


def by_sndfile(path):
    import soundfile

    return soundfile.read(path, dtype="float32", always_2d=True)


def by_ffmpeg(path):
    fields = "stream=channels,sample_rate"
    probe = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", fields, "-of", "json", str(path)]
    stream = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)["streams"][0]
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, "<f4").reshape(-1, stream["channels"]), int(stream["sample_rate"])


def by_opusdec(path):
    """libsndfile converts Opus to the rate of what was encoded."""
    with tempfile.TemporaryDirectory(prefix="rm-audio-") as name:
        decoded = str(pathlib.Path(name) / "out.wav")
        command = ["opusdec", "--quiet", "--float", "--rate", "48000", str(path), decoded]
        subprocess.run(command, capture_output=True, check=True)
        return by_sndfile(decoded)


REFERENCES = {"sndfile": by_sndfile, "ffmpeg": by_ffmpeg, "opusdec": by_opusdec}
