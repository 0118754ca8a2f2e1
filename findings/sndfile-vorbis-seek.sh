#!/bin/sh
# After the second seek in an Ogg Vorbis file, libsndfile's first frames are not those that lie there.
#
# soundfile 0.14.0 (libsndfile 1.2.2). soundfile writes a sine of amplitude 0.5. One reader seeks to frame 4000,
# reads, seeks to 8000 and reads 2000 frames: the first 767 are not frames 8000 to 8766 of the file, but a sine of
# another phase. The frames behind them are right, and tell() is right. A reader that was just opened seeks exactly;
# one that has read before does not, except to some places. FLAC, the same way, is exact.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6

cat >probe.py <<'END'
import io
import numpy, soundfile

sine = 0.5 * numpy.sin(2 * numpy.pi * 440 * numpy.arange(96000) / 48000)
for form, subtype in (("FLAC", "PCM_16"), ("OGG", "VORBIS")):
    file = io.BytesIO()
    soundfile.write(file, sine, 48000, format=form, subtype=subtype)
    file.seek(0)
    whole, _ = soundfile.read(file)
    file.seek(0)
    with soundfile.SoundFile(file) as reader:
        for place in (4000, 8000, 48000):
            reader.seek(place)
            difference = numpy.abs(reader.read(2000) - whole[place:place + 2000])
            print(subtype, place, "wrong:", (difference > 1e-6).sum(), "far off:", difference.max() > 0.1, "tell:", reader.tell())
END
python probe.py >seen
expect <<'END'
PCM_16 4000 wrong: 0 far off: False tell: 6000
PCM_16 8000 wrong: 0 far off: False tell: 10000
PCM_16 48000 wrong: 0 far off: False tell: 50000
VORBIS 4000 wrong: 0 far off: False tell: 6000
VORBIS 8000 wrong: 767 far off: True tell: 10000
VORBIS 48000 wrong: 703 far off: True tell: 50000
END
