"""`python -m remotemedia`: the command line."""
import sys


def main() -> int:
    import os

    from . import _runtime
    from ._sandbox import installed

    return _runtime.command_line(["remotemedia", *sys.argv[1:]], *map(os.fsencode, installed()))


if __name__ == "__main__":
    sys.exit(main())
