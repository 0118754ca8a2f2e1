"""Nanoseconds a chunk of 20 ms takes in soxr: soxr_chunks.py FROM TO; prints "QUALITY NS", the least of some rounds."""

import sys
import time

import numpy
import soxr

SECONDS, ROUNDS = 60, 5


def main(source, target):
    chunk = source // 50
    noise = numpy.random.default_rng(1).standard_normal(source * SECONDS, dtype="float32") / 4
    for quality in ("LQ", "HQ", "VHQ"):
        least = float("inf")
        for _ in range(ROUNDS):
            stream = soxr.ResampleStream(source, target, 1, dtype="float32", quality=quality)
            started = time.process_time_ns()
            for i in range(0, len(noise), chunk):
                stream.resample_chunk(noise[i : i + chunk])
            least = min(least, time.process_time_ns() - started)
        print(quality, least / (SECONDS * 50))


main(*map(int, sys.argv[1:]))
