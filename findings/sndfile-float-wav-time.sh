#!/bin/sh
# A float WAV file that libsndfile writes holds the time of writing, so equal samples give different files.
#
# soundfile 0.14.0 (libsndfile 1.2.2). Every float WAV file gets a PEAK chunk, whose second field is the time in
# seconds. The same samples, written in two different seconds, differ in that field. A WAV file of 16 bits has no such
# chunk and is the same each time. soundfile has no option for it. Who compares or caches files by their bytes sees
# changes where there are none.
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6

cat >probe.py <<'END'
import io, struct, time
import soundfile

def written(subtype):
    file = io.BytesIO()
    soundfile.write(file, [0.0, 0.5, -0.25], 48000, format="WAV", subtype=subtype)
    return file.getvalue()

def next_second():  # by C's time(), too, which may be some milliseconds behind
    start = int(time.time())
    while time.time() < start + 1.1:
        time.sleep(0.01)

for subtype in ("PCM_16", "FLOAT"):
    first = written(subtype)
    next_second()
    second = written(subtype)
    print(subtype, "same" if first == second else "different", "PEAK" if b"PEAK" in first else "no PEAK")
at = first.index(b"PEAK") + 12
print("bytes beside the time:", "same" if first[:at] + first[at + 4:] == second[:at] + second[at + 4:] else "different")
print("the time is now:", abs(struct.unpack_from("<I", second, at)[0] - time.time()) < 60)
END
python probe.py >seen
expect <<'END'
PCM_16 same no PEAK
FLOAT different PEAK
bytes beside the time: same
the time is now: True
END
