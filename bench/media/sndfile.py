"""Reads a file to its end as float32 with libsndfile. Usage: sndfile.py LIBRARY FILE; prints frames and channels."""

import ctypes
import sys


class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64)] + [
        (name, ctypes.c_int) for name in ("samplerate", "channels", "format", "sections", "seekable")
    ]


def main(library, path):
    sndfile, info, frames = ctypes.CDLL(library), Info(), 0
    sndfile.sf_open.restype = ctypes.c_void_p
    sndfile.sf_readf_float.restype = ctypes.c_int64
    handle = ctypes.c_void_p(sndfile.sf_open(path.encode(), 0x10, ctypes.byref(info)))
    if not handle:
        sys.exit(f"libsndfile does not read {path}")
    buffer = (ctypes.c_float * (4096 * info.channels))()
    while got := sndfile.sf_readf_float(handle, buffer, ctypes.c_int64(4096)):
        frames += got
    print(frames, info.channels)


main(*sys.argv[1:])
