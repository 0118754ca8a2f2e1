"""Audio to spectrum to tone, with numpy. The samples are never copied: they lie where the decoder has put them."""
from typing import Any

import numpy as np
import remotemedia
from numpy.typing import NDArray


class Spectrum(remotemedia.Node):
    """The strength of each frequency, 1 Hz apart, of audio that lasts a second."""

    def process(self, audio: Any) -> NDArray[np.float64]:
        samples = np.asarray(audio)[:, 0]
        return np.abs(np.fft.rfft(samples * np.hanning(len(samples))))


class Loudest(remotemedia.Node):
    """The frequency at which a spectrum is the strongest, in Hz."""

    def process(self, spectrum: Any) -> np.intp:
        return np.argmax(spectrum)
