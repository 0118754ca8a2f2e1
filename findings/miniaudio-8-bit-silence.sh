#!/bin/sh
# The silence of an 8-bit WAV file is not silent after miniaudio: every sample is 1/255.
#
# miniaudio 1.71 from PyPI (miniaudio 0.11.25), soundfile 0.14.0. WAV samples of 8 bits are unsigned, and 128 is the
# midpoint. soundfile gives (b - 128) / 128. miniaudio maps 0 to 255 onto -1.0 to +1.0 evenly, whose middle is 127.5:
# 128 becomes 0.0039, a constant of -48 dBFS, which a gate or a voice detector takes for sound. A signed 8-bit AIFF
# file has it too.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 miniaudio==1.71

cat >probe.py <<'END'
import io
import miniaudio, soundfile

for form, subtype in (("WAV", "PCM_U8"), ("AIFF", "PCM_S8"), ("WAV", "PCM_16")):
    file = io.BytesIO()
    soundfile.write(file, [0.0] * 100, 8000, format=form, subtype=subtype)
    by_sndfile, _ = soundfile.read(io.BytesIO(file.getvalue()))
    decoded = miniaudio.decode(file.getvalue(), output_format=miniaudio.SampleFormat.FLOAT32, nchannels=1, sample_rate=8000)
    print(form, subtype, "libsndfile %.6f" % by_sndfile[0], "miniaudio %.6f" % decoded.samples[0], len(set(decoded.samples)))
END
python probe.py >seen
expect <<'END'
WAV PCM_U8 libsndfile 0.000000 miniaudio 0.003922 1
AIFF PCM_S8 libsndfile 0.000000 miniaudio 0.003922 1
WAV PCM_16 libsndfile 0.000000 miniaudio 0.000000 1
END
