#!/bin/sh
# ten-vad reads a column of a stereo array across both channels, and so hears half as much of twice the pitch.
#
# ten-vad 1.0.6.9 from PyPI. It takes an int16 array of numpy and checks its length and type, but hands over the
# address only, not the strides. x[:, 0] of a stereo block has 256 samples that lie 4 bytes apart; ten-vad reads 256
# that lie 2 apart: the first half of the block, left and right in turn. Its answer is that for this mixture, window
# by window. There is no error. With espeak-ng's speech on the left and silence on the right it found 24 windows of
# speech instead of 268.
. "$(dirname "$0")/support"
linux_x86_64
pip_packages ten-vad==1.0.6.9 numpy==2.2.6
debian_packages libc++1-16 libc++abi1-16 libunwind-16 # the wheel needs them
library=$(find "$work/debian" -name 'libc++.so.1' -path '*linux-gnu*')

cat >probe.py <<'END'
import numpy
from ten_vad import TenVad

time = numpy.arange(100 * 256) / 16000
buzz = sum(numpy.sin(2 * numpy.pi * 120 * k * time) / k for k in range(1, 30)) * (1 + numpy.sin(2 * numpy.pi * 4 * time))
stereo = numpy.zeros((len(time), 2), numpy.int16)
stereo[:, 0] = 4000 * buzz

def answers(window_of):
    detector = TenVad(256, 0.5)
    return [detector.process(window_of(stereo[at:at + 256]))[0] for at in range(0, len(stereo), 256)]

column = answers(lambda block: block[:, 0])
copied = answers(lambda block: block[:, 0].copy())
mixture = answers(lambda block: block.reshape(-1)[:256].copy())
print("the column as its copy:", column == copied)
print("the column as both channels in turn:", column == mixture)
END
LD_LIBRARY_PATH=${library%/*}:$work/debian/usr/lib/llvm-16/lib:$work/debian/usr/lib/x86_64-linux-gnu python probe.py >seen
expect <<'END'
the column as its copy: False
the column as both channels in turn: True
END
