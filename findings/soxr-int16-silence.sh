#!/bin/sh
# soxr makes noise out of silence when the samples are int16, and what it makes depends on the chunks it is given.
#
# soxr 1.1.0 from PyPI. soxr adds dither to results of 16 bits. Zeros come out as -1, 0 and 1; as float32 they stay
# zeros. A stream that is resampled in chunks of 480 or of 960 samples gives results that differ by up to 2; as
# float32 they are equal to the bit. So a test that compares with one call on the whole fails for int16 alone.
. "$(dirname "$0")/support"
pip_packages soxr==1.1.0 numpy==2.2.6

cat >probe.py <<'END'
import numpy, soxr

def in_chunks(samples, size):
    stream = soxr.ResampleStream(48000, 16000, 1, dtype=samples.dtype)
    return numpy.concatenate([stream.resample_chunk(samples[at:at + size], last=at + size >= len(samples))
                              for at in range(0, len(samples), size)])

sine = 1000 * numpy.sin(numpy.arange(48000) / 100)
for dtype in ("int16", "float32"):
    silence = soxr.resample(numpy.zeros(48000, dtype), 48000, 16000)
    first, second = (in_chunks(sine.astype(dtype), size) for size in (480, 960))
    difference = numpy.abs(first.astype(float) - second.astype(float)).max()
    print(dtype, "silence:", [int(value) for value in numpy.unique(silence)], "chunks differ:", difference > 0, "by 2 at most:", difference <= 2)
END
python probe.py >seen
expect <<'END'
int16 silence: [-1, 0, 1] chunks differ: True by 2 at most: True
float32 silence: [0] chunks differ: False by 2 at most: True
END
