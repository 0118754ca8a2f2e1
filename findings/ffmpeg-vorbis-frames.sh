#!/bin/sh
# FFmpeg reads an Ogg Vorbis file with frames missing at its end, or with some too many, as its first blocks and pages fall.
#
# soundfile 0.14.0 (libsndfile 1.2.2), PyAV 18.1.0. The position of the last page says where an Ogg Vorbis file ends, so
# a file of any length comes back with exactly this length (Vorbis I, appendix A.2), and libsndfile gives as many frames
# as were written. FFmpeg leaves the padding of the last block on a file whose sound lies in one page, which is a second
# or two of speech. A file whose second block is a long one, such as a steady tone, starts 128 frames late by its
# timestamps, and as many are cut from its end. The frames before are the same in both libraries.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 av==18.1.0

cat >probe.py <<'END'
import io
import av, numpy, soundfile

noise = numpy.random.default_rng(1).normal(0, 0.2, 44100)
tone = 0.3 * numpy.sin(numpy.arange(44100) * 0.05)

for what, sound in (("noise", noise), ("short noise", noise[:4033]), ("tone", tone), ("short tone", tone[:4033])):
    file = io.BytesIO()
    soundfile.write(file, sound, 44100, format="OGG", subtype="VORBIS")
    file.seek(0)
    one = soundfile.read(file)[0]
    file.seek(0)
    frames = [frame for frame in av.open(file).decode(audio=0)]
    other = numpy.concatenate([frame.to_ndarray()[0] for frame in frames])
    both = min(len(one), len(other))
    same = numpy.abs(one[:both] - other[:both]).max() < 1e-6
    print(f"{what}: written {len(sound)}, libsndfile {len(one)}, FFmpeg {len(other)} from {frames[0].pts}, the same so far: {same}")
END
python probe.py >seen
expect <<'END'
noise: written 44100, libsndfile 44100, FFmpeg 44100 from 0, the same so far: True
short noise: written 4033, libsndfile 4033, FFmpeg 4096 from 128, the same so far: True
tone: written 44100, libsndfile 44100, FFmpeg 43972 from 128, the same so far: True
short tone: written 4033, libsndfile 4033, FFmpeg 3905 from 128, the same so far: True
END
