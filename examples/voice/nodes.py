"""The Python node of pipeline.json, found because it lies beside it."""

from collections.abc import Iterable, Iterator


class SpeechReport:
    """One line for each segment of speech, and a summary when the recording has ended."""

    is_streaming = True  # process takes the whole stream, so that it can say something at its end

    def process(self, segments: Iterable[dict[str, float]]) -> Iterator[object]:
        count, spoken, loudest = 0, 0.0, None
        for segment in segments:
            seconds = segment["end"] - segment["start"]
            count += 1
            spoken += seconds
            if loudest is None or segment["level_db"] > loudest:
                loudest = segment["level_db"]
            yield (f"segment {count}: {segment['start']:.2f} s to {segment['end']:.2f} s "
                   f"({seconds:.2f} s), {segment['level_db']:.1f} dBFS")
        yield {
            "segments": count,
            "speech_seconds": round(spoken, 2),
            "loudest_level_db": loudest,
        }
