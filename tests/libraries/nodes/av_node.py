"""Decodes a WAV of a sine that the node makes, frame by frame, and resamples it."""
import io
import math
import struct
import wave

import av
import numpy

LIBRARY = "av"
INPUT = [16000, 48000]
OUTPUT = [[16000, 1600, 800, True], [48000, 4800, 800, True]]


def sine(rate):
    """A tenth of a second of 440 Hz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        count = rate // 10
        file.writeframes(struct.pack(f"<{count}h", *(int(20000 * math.sin(2 * math.pi * 440 * i / rate)) for i in range(count))))
    return buffer.getvalue()


class Node:
    def process(self, rate):
        resampler = av.AudioResampler(format="flt", layout="mono", rate=8000)
        decoded, resampled, peak = 0, 0, 0.0
        with av.open(io.BytesIO(sine(rate))) as container:
            for frame in container.decode(audio=0):
                decoded += frame.samples
                peak = max(peak, float(numpy.abs(frame.to_ndarray()).max()))
                resampled += sum(part.samples for part in resampler.resample(frame))
        resampled += sum(part.samples for part in resampler.resample(None))
        return [rate, decoded, resampled, 19900 < peak <= 20000]
