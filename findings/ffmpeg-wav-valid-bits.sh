#!/bin/sh
# FFmpeg reads a WAV file of 16 valid bits in samples of 32 as twice as many samples, every other one zero.
#
# PyAV 18.1.0, soundfile 0.14.0. WAVE_FORMAT_EXTENSIBLE gives both the size of a sample (wBitsPerSample, 32, with a
# block of 4 bytes) and how many of its bits count (wValidBitsPerSample, 16, the upper ones). libsndfile reads 300
# samples of 0.5. FFmpeg takes the second number for the size and gives 600 samples of 16 bits: the low halves, which
# are zeros, and the high halves. The file plays at half the speed, with an image of itself above.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 av==18.1.0

cat >probe.py <<'END'
import io, struct
import av, numpy, soundfile

PCM = bytes.fromhex("0100000000001000800000aa00389b71")
form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 32000, 4, 32, 22, 16, 4) + PCM
data = struct.pack("<i", 0x40000000) * 300
body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
file = b"RIFF" + struct.pack("<I", len(body)) + body

samples, rate = soundfile.read(io.BytesIO(file))
print("libsndfile", rate, len(samples), set(samples.tolist()))
frames = list(av.open(io.BytesIO(file)).decode(audio=0))
samples = numpy.concatenate([frame.to_ndarray()[0] for frame in frames])
print("FFmpeg", frames[0].sample_rate, len(samples), samples.dtype, samples[:4].tolist())
END
python probe.py >seen
expect <<'END'
libsndfile 8000 300 {0.5}
FFmpeg 8000 600 int16 [0, 16384, 0, 16384]
END
