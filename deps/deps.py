#!/usr/bin/env python3
"""The libraries this project builds itself: fetched as lock.json says, built by recipes/, kept in a cache.

The cache lies outside the checkout (RM_CACHE_DIR, else XDG_CACHE_HOME/remotemedia, else ~/.cache/remotemedia);
an entry's name ends in a hash of all that shaped it, so that another checkout with the same recipe finds it.
"""
import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import fetch  # noqa: E402 (beside this file, whatever the current folder is)

LOCK = json.loads((HERE / "lock.json").read_text())
CC = os.environ.get("RM_DEPS_CC", "cc")


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("RM_CACHE_DIR") or pathlib.Path(home) / "remotemedia").resolve()


def compiler_version():
    answer = subprocess.run([CC, "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[0] + " " + platform.machine()


def recipe_files(name):
    return sorted(path for path in (HERE / "recipes").iterdir() if path.name.startswith((name + ".", name + "-")))


def key(name):
    entry = LOCK[name]
    digest = hashlib.sha256()
    built = {field: entry[field] for field in ("version", "sha256", "license_files")}
    digest.update(json.dumps(built, sort_keys=True).encode())
    for path in recipe_files(name):
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(compiler_version().encode())
    for other in entry.get("needs", []):
        digest.update(key(other).encode())
    return f"{name}-{entry['version']}-{digest.hexdigest()[:16]}"


def path_of(name):
    return cache_dir() / key(name)


@contextlib.contextmanager
def lock(name):
    """One build of a dependency at a time on this machine; the lock goes with the process that holds it."""
    folder = cache_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fetch.say(f"{name}: waiting for another build of it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def unpack(archive, folder):
    """The one top folder of the archive, unpacked."""
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def licence_text(source, entry):
    texts = []
    for item in entry["license_files"]:
        rule = {"file": item} if isinstance(item, str) else item
        text = (source / rule["file"]).read_text(encoding="utf-8", errors="replace")
        if "after" in rule:
            text = text[text.rindex(rule["after"]):]
        texts.append(text.strip() + "\n")
    return "\n".join(texts)


def run_recipe(name, source, out, log):
    environment = dict(os.environ, OUT=str(out), CC=CC, JOBS=os.environ.get("RM_JOBS") or str(os.cpu_count()))
    environment["DEPS_DIR"] = str(HERE)
    for other in LOCK[name].get("needs", []):
        environment["DEP_" + other.upper()] = str(path_of(other))
    for inherited in ("CFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS", "MFLAGS", "PYTHONPATH", "PYTHONHOME", "DESTDIR"):
        environment.pop(inherited, None)
    recipe = HERE / "recipes" / f"{name}.sh"
    with open(log, "w") as file:
        done = subprocess.run(["sh", str(recipe)], cwd=source, env=environment, stdout=file, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise fetch.FetchError(f"{name}: the recipe failed; the end of {log}:\n{tail}")


def build(name, target):
    entry, cache, started = LOCK[name], cache_dir(), time.monotonic()
    archive = fetch.fetch(name, entry, cache)
    fetch.say(f"{name} {entry['version']}: building")
    logs = cache / "logs"
    logs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f"build-{name}-") as folder:
        work = pathlib.Path(folder)
        (work / "src").mkdir()
        source = unpack(archive, work / "src")
        out = work / "out"
        out.mkdir()
        run_recipe(name, source, out, logs / f"{target.name}.log")
        (out / "LICENSE.txt").write_text(licence_text(source, entry), encoding="utf-8")
        os.replace(out, target)
    fetch.say(f"{name} {entry['version']}: built in {time.monotonic() - started:.0f} s")


def ensure(name):
    for other in LOCK[name].get("needs", []):
        ensure(other)
    target = path_of(name)
    if target.is_dir():
        return
    cache_dir().mkdir(parents=True, exist_ok=True)
    with lock(name):
        if not target.is_dir():  # another process may have built it while we waited
            build(name, target)


def licences():
    """All licence texts, one after the other, each under a line that names what it covers."""
    parts = []
    for name, entry in LOCK.items():
        text = (path_of(name) / "LICENSE.txt").read_text(encoding="utf-8")
        parts.append(f"==== {name} {entry['version']} ({entry['license']}): {entry['purpose']}\n\n{text}")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (("ensure", "fetch and build what is missing; all of it, or the names given"),
                          ("path", "print where a built dependency lies"),
                          ("licenses", "print the licence texts of all dependencies"),
                          ("list", "print name, version, licence, path and whether it is built")):
        sub = commands.add_parser(command, help=text)
        if command in ("ensure", "path"):
            sub.add_argument("names", nargs="*" if command == "ensure" else 1, metavar="NAME")
    args = parser.parse_args()
    unknown = [name for name in getattr(args, "names", []) if name not in LOCK]
    if unknown:
        parser.error(f"no such dependency: {', '.join(unknown)} (there are {', '.join(LOCK)})")
    try:
        if args.command == "ensure":
            for name in args.names or LOCK:
                ensure(name)
        elif args.command == "path":
            print(path_of(args.names[0]))
        elif args.command == "licenses":
            sys.stdout.write(licences())
        else:
            for name, entry in LOCK.items():
                state = "built" if path_of(name).is_dir() else "missing"
                print(f"{name}\t{entry['version']}\t{entry['license']}\t{state}\t{path_of(name)}")
    except (fetch.FetchError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"deps: {error}")


if __name__ == "__main__":
    main()
