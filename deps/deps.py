#!/usr/bin/env python3
"""The libraries and tools this project needs: fetched as lock.json says, built by recipes/, kept in a cache.

Each is built for a target: `native` and `wasm` are what the program is made of there, `tool` runs while it is built,
`test` and `bench` while it is tested and measured. What has no recipe is only unpacked. What is optional is built when
it is named, not with all of its target.

The cache lies outside the checkout (RM_CACHE_DIR, else XDG_CACHE_HOME/remotemedia, else ~/.cache/remotemedia);
an entry's name ends in a hash of all that shaped it, so that another checkout with the same recipe finds it.
"""
import argparse
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import fetch  # noqa: E402 (beside this file, whatever the current folder is)
import outdated  # noqa: E402
import sbom  # noqa: E402

LOCK = json.loads((HERE / "lock.json").read_text())
TARGETS = ["native", "wasm", "tool", "test", "bench"]
CC = os.environ.get("RM_DEPS_CC", "cc")
WASM_CC = "clang-19"  # what the toolchain's wasm-cc calls


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("RM_CACHE_DIR") or pathlib.Path(home) / "remotemedia").resolve()


def names_of(target):
    return [name for name, entry in LOCK.items() if target in entry.get("targets", ["native"])]


def needs(name, target):
    """(name, target) of all that must be there first."""
    entry = LOCK[name]
    wanted = entry.get("needs", {}).get(target, [])
    if target == "wasm" and not entry.get("is_toolchain"):
        wanted = [other for other in names_of("wasm") if LOCK[other].get("is_toolchain")] + wanted
    return [(full.rpartition(":")[2], full.rpartition(":")[0] or target) for full in wanted]


@functools.cache
def compiler_version(target):
    compiler = WASM_CC if target == "wasm" else CC
    try:
        answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise fetch.FetchError(f"there is no {compiler}; run deps/install-system {target}") from None
    return answer.stdout.splitlines()[0] + " " + platform.machine()


def recipe_of(name, target):
    """The recipe for this target, or the one for all."""
    own = HERE / "recipes" / f"{name}-{target}.sh"
    return own if own.is_file() else HERE / "recipes" / f"{name}.sh"


def recipe_files(name, target):
    """The recipe, and what else has the dependency's name and is no other target's or dependency's."""
    longer = tuple(other + end for other in LOCK if other.startswith(name + "-") for end in ".-")
    others = {recipe_of(name, other).name for other in TARGETS} - {recipe_of(name, target).name}
    files = (path for path in (HERE / "recipes").iterdir() if path.name.startswith((name + ".", name + "-")))
    return sorted(path for path in files if path.name not in others and not path.name.startswith(longer))


@functools.cache
def key(name, target):
    entry = LOCK[name]
    digest = hashlib.sha256()
    built = {field: entry.get(field) for field in ("version", "sha256", "license_files")}
    digest.update(json.dumps(built, sort_keys=True).encode())
    for path in recipe_files(name, target):
        digest.update(path.name.encode() + path.read_bytes())
    if recipe_of(name, target).is_file():
        digest.update(compiler_version(target).encode())
    for other in needs(name, target):
        digest.update(key(*other).encode())
    suffix = "" if target == "native" else f"-{target}"
    return f"{name}{suffix}-{entry['version']}-{digest.hexdigest()[:16]}"


def path_of(name, target):
    return cache_dir() / key(name, target)


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


def unpack(archive, source, folder):
    """The archive's content: its one top folder where it is a source's or npm's, the whole of a package."""
    file = source.get("file", source.get("url", ""))
    if file.endswith(".deb"):
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
        return folder
    if file.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
        return folder
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def licence_text(source, entry):
    texts = []
    for item in entry.get("license_files", []):
        rule = {"file": item} if isinstance(item, str) else item
        text = (source / rule["file"]).read_text(encoding="utf-8", errors="replace")
        if "after" in rule:
            text = text[text.rindex(rule["after"]):]
        texts.append(text.strip() + "\n")
    return "\n".join(texts)


def compiler_environment(target):
    if target != "wasm":
        return {"CC": CC, "AR": "ar", "RANLIB": "ranlib", "PIC": "-fPIC"}
    return {"CC": str(path_of("wasi-libc", "wasm") / "bin/wasm-cc"), "AR": "llvm-ar-19", "RANLIB": "llvm-ranlib-19",
            "PIC": ""}


def run_recipe(name, target, source, out, log):
    environment = dict(os.environ, OUT=str(out), TARGET=target, JOBS=os.environ.get("RM_JOBS") or str(os.cpu_count()))
    environment.update(compiler_environment(target))
    environment["DEPS_DIR"] = str(HERE)
    for other, other_target in needs(name, target):
        variable = other if other_target == target else f"{other_target}_{other}"
        environment["DEP_" + variable.replace("-", "_").upper()] = str(path_of(other, other_target))
    for inherited in ("CFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS", "MFLAGS", "PYTHONPATH", "PYTHONHOME", "DESTDIR"):
        environment.pop(inherited, None)
    with open(log, "w") as file:
        done = subprocess.run(["sh", recipe_of(name, target)], cwd=source, env=environment, stdout=file,
                              stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise fetch.FetchError(f"{name}: the recipe failed; the end of {log}:\n{tail}")


def build(name, target, place):
    entry, cache, started = LOCK[name], cache_dir(), time.monotonic()
    archive, source = fetch.fetch(name, entry, cache)
    has_recipe = recipe_of(name, target).is_file()
    fetch.say(f"{name} {entry['version']}: {'building' if has_recipe else 'unpacking'} for {target}")
    logs = cache / "logs"
    logs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f"build-{name}-") as folder:
        work = pathlib.Path(folder)
        (work / "src").mkdir()
        tree = unpack(archive, source, work / "src")
        out = work / "out"
        licence = licence_text(tree, entry)
        if has_recipe:
            out.mkdir()
            run_recipe(name, target, tree, out, logs / f"{place.name}.log")
        else:
            shutil.move(tree, out)
        if licence:
            (out / "LICENSE.txt").write_text(licence, encoding="utf-8")
        os.replace(out, place)
    fetch.say(f"{name} {entry['version']}: there after {time.monotonic() - started:.0f} s")


def ensure(name, target):
    for other in needs(name, target):
        ensure(*other)
    place = path_of(name, target)
    if place.is_dir():
        return
    cache_dir().mkdir(parents=True, exist_ok=True)
    with lock(f"{name}-{target}"):
        if not place.is_dir():  # another process may have built it while we waited
            build(name, target, place)


def linked(target, left_out):
    """(name, entry) of what is linked but what is left out; what is optional, where it is built."""
    wanted = [(name, LOCK[name]) for name in names_of(target) if name not in left_out]
    return [(name, entry) for name, entry in wanted if not entry.get("is_optional") or path_of(name, target).is_dir()]


def licences(target, left_out):
    """The licence texts of what is linked, one after the other, each under a line that names what it covers."""
    parts = []
    for name, entry in linked(target, left_out):
        text = (path_of(name, target) / "LICENSE.txt").read_text(encoding="utf-8")
        parts.append(f"==== {name} {entry['version']} ({entry['license']}): {entry['purpose']}\n\n{text}")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=TARGETS, default="native")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (("ensure", "fetch and build what is missing; all of the target, or the names given"),
                          ("path", "print where a built dependency lies"),
                          ("licenses", "print the licence texts of what the target links"),
                          ("sbom", "print the bill of materials of what the target links (CycloneDX)"),
                          ("outdated", "print newer versions that the package clients know, of all targets: name, pinned, newest, client"),
                          ("lock-hash", "print the sha256 of the lock file"),
                          ("list", "print name, version, licence, path and whether it is built")):
        sub = commands.add_parser(command, help=text)
        if command in ("ensure", "path", "outdated"):
            sub.add_argument("names", nargs=1 if command == "path" else "*", metavar="NAME")
        if command == "sbom":
            sub.add_argument("--of", nargs=2, required=True, metavar=("NAME", "VERSION"), help="of what is linked")
        if command in ("licenses", "sbom"):
            sub.add_argument("--without", dest="names", nargs="*", default=[], metavar="NAME",
                             help="not of these: not all files of a target link all")
    args = parser.parse_args()
    target = args.target
    known = list(LOCK) if args.command == "outdated" else names_of(target)
    unknown = [name for name in getattr(args, "names", []) if name not in known]
    if unknown:
        parser.error(f"no such dependency for {target}: {', '.join(unknown)} (there are {', '.join(known)})")
    try:
        if args.command == "ensure":
            for name in args.names or [name for name in known if not LOCK[name].get("is_optional")]:
                ensure(name, target)
        elif args.command == "path":
            print(path_of(args.names[0], target))
        elif args.command == "licenses":
            sys.stdout.write(licences(target, args.names))
        elif args.command == "sbom":
            print(json.dumps(sbom.document(*args.of, linked(target, args.names))))
        elif args.command == "outdated":
            sys.exit(0 if outdated.report({name: LOCK[name] for name in args.names or LOCK}, cache_dir()) else 1)
        elif args.command == "lock-hash":
            print(fetch.sha256_of(HERE / "lock.json"))
        else:
            for name in known:
                state = "there" if path_of(name, target).is_dir() else "missing"
                print(f"{name}\t{LOCK[name]['version']}\t{LOCK[name]['license']}\t{state}\t{path_of(name, target)}")
    except (fetch.FetchError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"deps: {error}")


if __name__ == "__main__":
    main()
