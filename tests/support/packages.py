"""Python packages from a requirements file, installed once and kept in the cache of deps/deps.py."""
import contextlib
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "deps")]
import deps  # noqa: E402


@contextlib.contextmanager
def made_once(folder):
    """Yields a new folder to fill, None where `folder` is there already; it appears under its name when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if (folder / "whole").is_file():
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
        (folder / "whole").touch()


def cached(kind, *parts):
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
    return deps.cache_dir() / f"libraries-{kind}-{digest}"


def installed(requirements):
    """A folder with what a requirements file pins, for the bundled Python."""
    place = cached("packages", requirements.read_text(), deps.key("python", "native"))
    with made_once(place) as folder:
        if folder is not None:
            python = deps.path_of("python", "native") / "bin/python3.13"
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--only-binary=:all:", "--target", folder, "-r", requirements],
                           check=True)
    return place
