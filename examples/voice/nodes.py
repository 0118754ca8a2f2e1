"""The Python node of pipeline.json, found because it lies beside it."""


class SpeechReport:
    """One line for each segment of speech, and a summary when the recording has ended."""

    is_streaming = True  # process takes the whole stream, so that it can say something at its end

    def process(self, segments):
        count, spoken, loudest = 0, 0.0, None
        for segment in segments:
            seconds = segment["end"] - segment["start"]
            count += 1
            spoken += seconds
            loudest = max(segment, loudest or segment, key=lambda each: each["level_db"])
            yield (f"segment {count}: {segment['start']:.2f} s to {segment['end']:.2f} s "
                   f"({seconds:.2f} s), {segment['level_db']:.1f} dBFS")
        yield {
            "segments": count,
            "speech_seconds": round(spoken, 2),
            "loudest_level_db": loudest and loudest["level_db"],
        }
