_available_outside = available_timezones


def available_timezones():
    """All time zones: of the folders in TZPATH, of the package tzdata, and of the zones inside the file."""
    from _zones import names

    return _available_outside().union(names())
