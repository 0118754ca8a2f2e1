#!/bin/sh
# libsndfile and FFmpeg disagree about which channel of a 5.1 Ogg file is the centre.
#
# soundfile 0.14.0 (libsndfile 1.2.2), PyAV 18.1.0. soundfile writes six tones, one a channel, in the order of a WAV
# file: left, right, centre, bass, rear left, rear right. In WAV and FLAC both libraries find each tone where it was
# put. In Ogg Vorbis and Ogg Opus the format's own order is left, centre, right, ... . libsndfile hands channels
# through in the file's order, both ways, so it reads back what it wrote; FFmpeg puts them into the WAV order. So a
# copy of a WAV file in Ogg, made by soundfile, has right and centre exchanged for everybody else, and the bass in a
# rear speaker. (The sixth tone is left out: it is the bass channel of the file, where an encoder keeps low tones
# only.)
. "$(dirname "$0")/support"
pip_packages soundfile==0.14.0 numpy==2.2.6 av==18.1.0

cat >probe.py <<'END'
import io
import av, numpy, soundfile

RATE, TONES = 48000, [200, 300, 400, 500, 600, 100]
time = numpy.arange(RATE) / RATE
audio = numpy.stack([0.3 * numpy.sin(2 * numpy.pi * tone * time) for tone in TONES], axis=1)

def tones(samples):
    spectra = numpy.abs(numpy.fft.rfft(samples[:RATE], axis=0))
    return [int(round(peak / 10)) * 10 for peak in spectra.argmax(axis=0) * RATE / len(samples[:RATE])]

def by_ffmpeg(file):
    frames = [frame for frame in av.open(file).decode(audio=0)]
    parts = [f.to_ndarray() if f.format.is_planar else f.to_ndarray().reshape(-1, 6).T for f in frames]
    return numpy.concatenate(parts, axis=1).T

for form, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")):
    file = io.BytesIO()
    soundfile.write(file, audio, RATE, format=form, subtype=subtype)
    file.seek(0)
    print(form, subtype, "libsndfile", *tones(soundfile.read(file)[0]))
    file.seek(0)
    print(form, subtype, "FFmpeg    ", *tones(by_ffmpeg(file)))
END
python probe.py >seen
expect <<'END'
WAV PCM_16 libsndfile 200 300 400 500 600 100
WAV PCM_16 FFmpeg     200 300 400 500 600 100
FLAC PCM_16 libsndfile 200 300 400 500 600 100
FLAC PCM_16 FFmpeg     200 300 400 500 600 100
OGG VORBIS libsndfile 200 300 400 500 600 100
OGG VORBIS FFmpeg     200 400 300 100 500 600
OGG OPUS libsndfile 200 300 400 500 600 100
OGG OPUS FFmpeg     200 400 300 100 500 600
END
