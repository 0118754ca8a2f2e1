_find_in_tzdata = load_tzdata


def load_tzdata(key):
    """From the package tzdata, or from the zones inside the file."""
    try:
        return _find_in_tzdata(key)
    except ZoneInfoNotFoundError as error:
        from io import BytesIO

        from _zones import find

        data = find(key)
        if data is None:
            raise error from None
        return BytesIO(data)
