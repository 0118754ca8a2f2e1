"""The Python node of pipeline.json, found because it lies beside it."""

from collections.abc import Iterable, Iterator

from remotemedia import Tensor


class Report:
    """Says what the whole stream was: audio arrives as remotemedia.Tensor, whose memory Python reads without a copy."""

    is_streaming = True

    def process(self, stream: Iterable[Tensor]) -> Iterator[object]:
        packets = frames = loudest = 0
        rate = None
        for audio in stream:
            if packets == 0:
                yield f"the first packet has {audio.shape[0]} frames of {audio.dtype} at {audio.timestamp:.3f} s"
            packets += 1
            frames += audio.shape[0]
            rate = audio.sample_rate
            loudest = max(loudest, *map(abs, memoryview(audio).cast("B").cast("h")))
        yield {"packets": packets, "frames": frames, "rate": rate, "loudest": loudest}
