#!/bin/sh
# miniaudio decodes surround sound in Ogg Vorbis at 44.1 kHz to noise above full scale, without an error.
#
# miniaudio 1.71 from PyPI (miniaudio 0.11.25, whose Vorbis decoder is stb_vorbis 1.22), soundfile 0.14.0. Six tones
# of amplitude 0.3, written by soundfile. soundfile reads peaks of 0.3 in all six channels. miniaudio gives the right
# number of frames, in which one channel goes up to 2.5. Stereo at the same rate is right. Why: the encoder codes the
# channels of a surround file together (residue type 2), and stb_vorbis computes the size of such a residue for two
# channels.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 miniaudio==1.71

cat >probe.py <<'END'
import io
import miniaudio, numpy, soundfile

RATE = 44100
time = numpy.arange(RATE) / RATE
for channels in (2, 6):
    tones = numpy.stack([0.3 * numpy.sin(2 * numpy.pi * (100 + 100 * i) * time) for i in range(channels)], axis=1)
    file = io.BytesIO()
    soundfile.write(file, tones, RATE, format="OGG", subtype="VORBIS")
    right, _ = soundfile.read(io.BytesIO(file.getvalue()))
    decoded = miniaudio.decode(file.getvalue(), output_format=miniaudio.SampleFormat.FLOAT32, nchannels=channels,
                               sample_rate=RATE)
    theirs = numpy.array(decoded.samples).reshape(-1, channels)
    print(channels, "channels: frames", len(right), len(theirs), "peak below 0.5:", numpy.abs(right).max() < 0.5,
          numpy.abs(theirs).max() < 0.5, "above 1:", numpy.abs(theirs).max() > 1, "signals alike:",
          numpy.abs(right - theirs).max() < 0.001)
END
python probe.py >seen
expect <<'END'
2 channels: frames 44100 44100 peak below 0.5: True True above 1: False signals alike: True
6 channels: frames 44100 44100 peak below 0.5: True False above 1: True signals alike: False
END
