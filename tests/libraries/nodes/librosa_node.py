"""The spectrogram, the pitch and the tempo of what the node makes."""
import librosa
import numpy

LIBRARY = "librosa"
INPUT = [440.0, 880.0]
OUTPUT = [[[128, 44], "A4"], [[128, 44], "A5"]]


class Node:
    def process(self, frequency):
        rate = 22050
        tone = librosa.tone(frequency, sr=rate, duration=1.0)
        mel = librosa.feature.melspectrogram(y=tone, sr=rate)
        spectrum = numpy.abs(librosa.stft(tone)).mean(axis=1)
        peak = librosa.fft_frequencies(sr=rate)[spectrum.argmax()]
        return [list(mel.shape), librosa.hz_to_note(peak, unicode=False)]
