_find_in_tzdata = load_tzdata


def _utc():
    """A file in the format TZif with nothing but UTC."""
    from io import BytesIO

    part = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + bytes(6) + b"UTC\0"
    return BytesIO(part + part + b"\nUTC0\n")


def _has_zones():
    from importlib.util import find_spec
    from os.path import isdir

    from . import TZPATH

    return find_spec("tzdata") is not None or any(map(isdir, TZPATH))


def load_tzdata(key):
    try:
        return _find_in_tzdata(key)
    except ZoneInfoNotFoundError:
        if key == "UTC":
            return _utc()
        if _has_zones():
            raise
        raise ZoneInfoNotFoundError(
            f"No time zone found with key {key}: there are no time zones in the WASM files; unpack the wheel tzdata into a "
            "folder that is mapped and named with --path, or map /usr/share/zoneinfo") from None
