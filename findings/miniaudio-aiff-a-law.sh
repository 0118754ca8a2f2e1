#!/bin/sh
# miniaudio turns A-law and mu-law sound upside down when it comes in AIFF, not when it comes in WAV.
#
# miniaudio 1.71 from PyPI (miniaudio 0.11.25), soundfile 0.14.0. The same samples, coded by soundfile. From the
# AIFF-C file miniaudio gives each sample with the opposite sign. One channel alone sounds the same; mixed with the
# same recording from another file it cancels out.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 miniaudio==1.71

cat >probe.py <<'END'
import io
import miniaudio, soundfile

for subtype in ("ALAW", "ULAW"):
    for form in ("WAV", "AIFF"):
        file = io.BytesIO()
        soundfile.write(file, [0.5, -0.25] * 20, 8000, format=form, subtype=subtype)
        by_sndfile, _ = soundfile.read(io.BytesIO(file.getvalue()))
        decoded = miniaudio.decode(file.getvalue(), output_format=miniaudio.SampleFormat.FLOAT32, nchannels=1,
                                   sample_rate=8000)
        print(subtype, form, "libsndfile %.4f %.4f" % tuple(by_sndfile[:2]), "miniaudio %.4f %.4f" % tuple(decoded.samples[:2]))
END
python probe.py >seen
expect <<'END'
ALAW WAV libsndfile 0.5156 -0.2578 miniaudio 0.5156 -0.2578
ALAW AIFF libsndfile 0.5156 -0.2578 miniaudio -0.5156 0.2578
ULAW WAV libsndfile 0.5116 -0.2538 miniaudio 0.5116 -0.2538
ULAW AIFF libsndfile 0.5116 -0.2538 miniaudio -0.5116 0.2538
END
