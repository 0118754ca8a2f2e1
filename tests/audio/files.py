"""What the matrix is made of. A File says how it is made, by which tool, and what its samples must be."""

import dataclasses
import typing


@dataclasses.dataclass
class File:
    name: str  # with the extension
    make: typing.Callable  # make(path) writes it
    rate: int
    channels: int
    samples: object = None  # float32 (frames, channels) that it must give exactly; None: as the reference decodes it
    reference: str = ""  # "sndfile", "ffmpeg" or "opusdec", where samples is None
    tool: str = ""  # the program that makes it; empty: none
    tolerance: float = 0.0  # how far from the reference a sample may be
    frames: int = -1  # as many it must have, whatever the reference says; -1: as the reference

    def needs(self):
        """The programs without which it cannot be made or judged."""
        return {self.tool, self.reference} - {"", "sndfile"}
