"""`python -m remotemedia`: the command line."""
import sys


def main() -> int:
    from . import _runtime

    return _runtime.command_line(["remotemedia", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
