#!/bin/sh
# libsamplerate's stream interface keeps the end of the sound to itself, also when it is told that this is the end.
#
# samplerate 0.2.4 from PyPI (libsamplerate 0.2.2). 48,000 samples at 48 kHz are 16,000 at 16 kHz, and the interface
# for whole arrays gives 16,000. Resampler.process, given 960 samples at a time and end_of_input=True with the last,
# gives 15,857 with the best converter: 9 ms are missing. A further call with end_of_input and no samples brings
# nothing. With the linear converter, which has no delay, all is there.
. "$(dirname "$0")/support"
pip_packages samplerate==0.2.4 numpy==2.2.6

cat >probe.py <<'END'
import numpy, samplerate

ones = numpy.ones(48000, "float32")
for converter in ("sinc_best", "sinc_medium", "sinc_fastest", "linear"):
    resampler, got = samplerate.Resampler(converter, channels=1), 0
    for at in range(0, len(ones), 960):
        got += len(resampler.process(ones[at:at + 960], 1 / 3, end_of_input=at + 960 == len(ones)))
    more = len(resampler.process(ones[:0], 1 / 3, end_of_input=True))
    print(converter, "whole:", len(samplerate.resample(ones, 1 / 3, converter)), "stream:", got, "more:", more)
END
python probe.py >seen
expect <<'END'
sinc_best whole: 16000 stream: 15857 more: 0
sinc_medium whole: 16000 stream: 15954 more: 0
sinc_fastest whole: 16000 stream: 15981 more: 0
linear whole: 16000 stream: 16000 more: 0
END
