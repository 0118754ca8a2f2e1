#!/bin/sh
# miniaudio clips MP3 at full scale although float samples are asked for, and rounds it to 16 bits.
#
# miniaudio 1.71 from PyPI (miniaudio 0.11.25), soundfile 0.14.0. The decoded signal of an MP3 file may exceed full
# scale: a square wave of 0.99 comes back with peaks of 1.3. soundfile gives them. miniaudio, asked for float32,
# decodes to 16-bit integers first and converts those, so it cuts all peaks at 1.0, and every sample is a multiple of
# 1/32768.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 miniaudio==1.71

cat >probe.py <<'END'
import io
import miniaudio, numpy, soundfile

square = numpy.where(numpy.arange(44100) // 50 % 2, -0.99, 0.99)
file = io.BytesIO()
soundfile.write(file, square, 44100, format="MP3")
by_sndfile, _ = soundfile.read(io.BytesIO(file.getvalue()))
decoded = miniaudio.decode(file.getvalue(), output_format=miniaudio.SampleFormat.FLOAT32, nchannels=1, sample_rate=44100)
by_miniaudio = numpy.array(decoded.samples)
for name, samples in (("libsndfile", by_sndfile), ("miniaudio", by_miniaudio)):
    steps = samples * 32768
    print(name, len(samples), "peak %.1f" % numpy.abs(samples).max(), "whole steps of 16 bits:", bool((steps == steps.round()).all()))
END
python probe.py >seen
expect <<'END'
libsndfile 44100 peak 1.3 whole steps of 16 bits: False
miniaudio 44100 peak 1.0 whole steps of 16 bits: True
END
