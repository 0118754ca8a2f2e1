"""Writes and reads FLAC and WAV in memory."""
import io

import numpy
import soundfile

LIBRARY = "soundfile"
INPUT = ["WAV", "FLAC"]
OUTPUT = [["WAV", 8000, [800, 2], True], ["FLAC", 8000, [800, 2], True]]


class Node:
    def process(self, form):
        data = numpy.linspace(-0.5, 0.5, 1600).reshape(800, 2)
        buffer = io.BytesIO()
        soundfile.write(buffer, data, 8000, format=form, subtype="PCM_16")
        buffer.seek(0)
        back, rate = soundfile.read(buffer)
        return [form, rate, list(back.shape), bool(numpy.abs(back - data).max() < 1e-4)]
