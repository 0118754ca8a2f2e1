"""The Python nodes of pipeline.json, found because it lies beside it."""
import collections
import re
from collections.abc import Iterable, Iterator


class Words:
    """The words of a line: a generator gives many items for one, or none."""

    def process(self, line: str) -> Iterator[dict[str, object]]:
        for word in re.findall(r"[A-Za-z]+", line):
            yield {"word": word.lower(), "length": len(word)}


class MostCommon:
    """Counts items, and says at the end which came most often; equals in alphabetical order."""

    is_streaming = True  # process takes the whole stream

    def __init__(self, count: int = 10) -> None:
        self.count = count

    def process(self, items: Iterable[str]) -> Iterator[dict[str, object]]:
        counter = collections.Counter(items)
        ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))
        yield {"items": counter.total(), "distinct": len(counter), "most_common": ranked[:self.count]}
