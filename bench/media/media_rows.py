"""The rows of the table of bench/media/run; bench/wasm/rows.py makes figures of them."""

from media_samples import DECODE_MINUTES, DECODED, LEVEL_CHUNKS, RATES, WASM
from rows import Row, key


def times(one, other):
    return lambda of: of(one) / of(other)


def khz(rate):
    return f"{rate / 1000:g}"


def rates():
    for source, target in RATES:
        what = f"{khz(source)} -> {khz(target)} kHz"
        name = f"{source} {target}"
        for quality, soxr in (("fast", "LQ"), ("standard", "HQ"), ("best", "VHQ")):
            peers = {"soxr": key(f"rate {name} soxr {soxr}", 1e-3)}
            if quality == "standard":
                peers["gst"] = key(f"rate {name} gst", 1e-3)
            yield Row(f"{what}, {quality}; soxr {soxr}", "us", key(f"rate {name} {quality}", 1e-3), **peers)
        yield Row(f"{what}, standard against soxr HQ", "times", times(f"rate {name} standard", f"rate {name} soxr HQ"), 1, "rate")


def rows():
    yield "AudioResample, one channel: a chunk of 20 ms"
    yield from rates()
    yield "AudioLevel, one channel of float32: a chunk"
    for frames in LEVEL_CHUNKS:
        name = f"level {frames}"
        aim = round(frames * 4 / 1000, 2)  # 1 GB/s
        yield Row(f"{frames} frames: 1 GB/s", "us", key(name, 1e-3), aim, "level", gst=key(f"{name} gst", 1e-3))
        yield Row(f"{frames} frames, against GStreamer's level", "times", times(name, f"{name} gst"), 0.25, "level")
    yield "Other nodes: a chunk of 960 frames"
    for name, what in (("mix", "AudioChannels, stereo to mono"), ("int16", "AudioFormat, one channel to int16"),
                       ("dither", "AudioFormat, the same with dither")):
        yield Row(what, "us", key(f"node {name}", 1e-3))
    yield "The same nodes in WASM (Node), against native"
    for name, what in WASM.items():
        yield Row(what[0], "times", times(f"wasm {name} node", f"wasm {name} native"), 1.6, "wasm")
    yield f"{DECODE_MINUTES} minutes of stereo decoded to float32: processor time of the whole process"
    for kind in DECODED:
        peers = {peer: key(f"decode {kind} {peer}", 1e-3) for peer in ("ffmpeg", "sndfile")}
        yield Row(kind, "s", key(f"decode {kind}", 1e-3), **peers)
        yield Row(f"{kind}, against FFmpeg", "times", times(f"decode {kind}", f"decode {kind} ffmpeg"), 1, "decode")
        yield Row(f"{kind}, resident at most", "MiB", key(f"decode {kind} mib"), 8 if kind == "WAV" else None, "memory")


REASONS = {
    "rate": "not measured singly",
    "level": "not measured singly",
    "wasm": "not measured singly",
    "decode": "not measured singly",
    "memory": "not measured singly",
}
