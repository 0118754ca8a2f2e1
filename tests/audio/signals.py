"""Sounds that files are made of, and what samples of each encoding mean as float32."""

import numpy as np


def integers(bits, frames, channels, seed):
    """(frames, channels) of int64: a tone a channel, noise, and both ends of the range."""
    noise = np.random.default_rng(seed)
    top = 1 << (bits - 1)
    steps = np.arange(frames)[:, None] * (0.021 + 0.013 * np.arange(channels))
    tone = np.sin(2 * np.pi * steps) * 0.4 * (top - 1)
    samples = np.rint(tone).astype(np.int64) + noise.integers(-top // 8, top // 8 + 1, (frames, channels))
    samples[frames // 3] = -top
    samples[frames // 2] = top - 1
    return samples


def floats(frames, channels, seed):
    """(frames, channels) of float64, partly beyond full scale."""
    noise = np.random.default_rng(seed)
    samples = noise.normal(0, 0.3, (frames, channels))
    samples[frames // 3], samples[frames // 2] = -1.5, 1.25
    return samples


def music(frames, channels, rate, seed):
    """(frames, channels) of int16 for lossy encoders: tones that swell, with a little noise."""
    noise = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / rate
    pitch = 220.0 * (1 + 0.25 * np.arange(channels))
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * time * 3)
    sound = 0.35 * swell * np.sin(2 * np.pi * pitch * time) + 0.15 * np.sin(2 * np.pi * 3.7 * pitch * time)
    return np.rint((sound + noise.normal(0, 0.01, sound.shape)) * 32767).clip(-32768, 32767).astype(np.int64)


def little(samples, size):
    """The bytes of integers, little-endian, `size` each."""
    samples = np.asarray(samples, "<i8")
    return np.ascontiguousarray(samples.reshape(-1, 1).view(np.uint8)[:, :size]).tobytes()


def big(samples, size):
    return np.frombuffer(little(samples, size), np.uint8).reshape(-1, size)[:, ::-1].tobytes()


def mu_law(codes):
    """ITU-R G.711 mu-law codes as 16-bit samples."""
    codes = ~codes & 255
    value = (((codes & 15) << 3) + 132) << (codes >> 4 & 7)
    return np.where(codes & 128, 132 - value, value - 132)


def a_law(codes):
    """ITU-R G.711 A-law codes as 16-bit samples."""
    codes = codes ^ 0x55
    low, segment = (codes & 15) << 4, codes >> 4 & 7
    value = np.where(segment == 0, low + 8, (low + 0x108) << np.maximum(segment - 1, 0))
    return np.where(codes & 128, value, -value)
