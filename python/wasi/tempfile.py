_find_default_tempdir = _get_default_tempdir


def _get_default_tempdir():
    try:
        return _find_default_tempdir()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, f"{error.strerror}: map a folder that can be written as /tmp "
                                             "(in a sandbox: --allow-write), or name a mapped one in the variable TMPDIR") from None
