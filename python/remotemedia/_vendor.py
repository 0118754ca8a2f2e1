"""`remotemedia vendor`: fetches pure-Python packages for the WASM files with pip, into a folder for --path.

The program starts it as `python3.13 -I -m remotemedia._vendor --into DIR [--requirement FILE]... -- [PACKAGE]...`. It runs pip in a
process of its own, prints a line a package, and ends with one of the program's exit codes.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

USAGE, MISSING, IO, INTERRUPTED = 2, 3, 4, 130  # exit codes of the program
ANYWHERE = ["--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.13"]
NATIVE_ENDS = (".so", ".pyd", ".dylib", ".dll")
OFFLINE = re.compile(r"connection broken by '(.*)': /|Max retries exceeded|Could not fetch URL")


class Failure(Exception):
    """What is reported: an exit code, a code of docs/errors.md, and texts."""

    def __init__(self, exit_code, code, message, hint=None):
        super().__init__(message)
        self.exit_code = exit_code
        self.error = {"code": code, "message": message, **({"hint": hint} if hint else {})}


def same_name(name):
    """The spelling under which two names are one package."""
    return re.sub(r"[-_.]+", "-", name).lower()


# ---- What is asked for: building a package from its source would run its code

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lz", ".tar.lzma", ".tlz")
NAMED = re.compile(r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\]\s*)?(?:@\s*(?P<url>\S+).*|[<>=!~(;].*)?$")


def check_package(word):
    """A package is a name with versions, or a wheel."""
    named = NAMED.match(word)
    place = (named["url"] if named else word) or ""
    file = re.split(r"[?#]", place)[0].strip()
    archive = word.split(";")[0].strip().lower().endswith(ARCHIVES)
    if (not named or place or archive) and (not file.endswith(".whl") or re.match(r"\w+\+", file)):
        raise Failure(USAGE, "usage", f"vendor takes the name of a package or a wheel (.whl), not '{word}'",
                      "python3.13 -m pip wheel makes a wheel of a source tree or archive; it runs the package's code")


def check_file(path, seen):
    """The same for each line of a requirements file, and of files that it names."""
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    for line in re.sub(r"\\\n", " ", path.read_text()).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        option = re.match(r"(-r|--requirement|-e|--editable)[\s=]*(\S.*)", line)
        if option and option[1] in ("-r", "--requirement"):
            check_file(path.parent / option[2], seen)
        elif option:
            check_package(line)
        elif line and not line.startswith("-"):
            check_package(re.split(r"\s--", line)[0].strip())


# ---- pip

def pip(*words):
    """pip's end: exit status, standard output and standard error."""
    env = dict(os.environ)
    if env.get("PIP_RETRIES") == "0":  # then pip does not say that it could not reach the index
        env["PIP_RETRIES"] = "1"
    command = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
               "--root-user-action=ignore", "--only-binary=:all:", *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, check=False)


def resolved(*words):
    """pip's report of what it would install; None where it finds no solution."""
    done = pip("--dry-run", "--ignore-installed", "--report", "-", *words)
    return json.loads(done.stdout)["install"] if done.returncode == 0 else None


def file_of(entry):
    return entry["download_info"]["url"].rsplit("/", 1)[-1]


def native_packages(request):
    """[(name, who needs it)] of all packages that have no wheel in pure Python."""
    found = []
    entries = resolved(*request) or []
    for entry in entries:
        name, version = entry["metadata"]["name"], entry["metadata"]["version"]
        if file_of(entry).endswith("-none-any.whl") or resolved("--no-deps", *ANYWHERE, "--target", os.devnull, f"{name}=={version}"):
            continue
        needed_by = [other["metadata"]["name"] for other in entries
                     for line in other["metadata"].get("requires_dist", [])
                     if same_name(re.match(r"[\w.-]+", line)[0]) == same_name(name)]
        found.append((name, sorted(set(needed_by))))
    return found


def explained(request, stderr):
    """Why pip failed."""
    errors = re.findall(r"^ERROR: (.*[^:])$", stderr, re.M)
    last = (errors or stderr.strip().splitlines() or ["no reason given"])[-1]
    offline = OFFLINE.search(stderr)
    if offline:
        reason = re.sub(r"<[^>]* object at \w+>: ", "", offline[1] or last)
        return Failure(IO, "io", f"pip cannot reach the package index: {reason}",
                       "check the network, or give pip a folder of wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR")
    unmatched = re.search(r"No matching distribution found for (.*)", stderr)
    if unmatched or "ResolutionImpossible" in stderr or "is not a supported wheel" in stderr:
        natives = native_packages(request)
        if natives:
            told = [name + (f" (needed by {', '.join(by)})" if by else "") for name, by in natives]
            inside = any(name == "numpy" for name, _ in natives)
            return Failure(MISSING, "missing_feature",
                           f"the WASM files cannot load native code, which is in {', '.join(told)}; nothing was put there",
                           "numpy itself is inside pipeline_executor_numpy.wasm" if inside else None)
    if unmatched:
        return Failure(USAGE, "not_found", f"pip finds no wheel for {unmatched[1]}",
                       "is the name right, and is there a wheel (not only a source archive) of this version?")
    wrong = any(text in stderr for text in ("Invalid requirement", "ResolutionImpossible", "is not a valid wheel", "is not a supported wheel"))
    return Failure(USAGE if wrong else IO, "usage" if wrong else "io", f"pip failed: {last.strip()}")


# ---- The folder

def native_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith(NATIVE_ENDS))


def remove_former(into, names):
    """Removes the files of other versions of these packages."""
    for info in into.glob("*.dist-info"):
        if same_name(info.name.removesuffix(".dist-info").rsplit("-", 1)[0]) not in names:
            continue
        with open(info / "RECORD", newline="") as file:
            for row in csv.reader(file):
                path = into / row[0]
                if row and into in path.resolve().parents:
                    path.unlink(missing_ok=True)
        shutil.rmtree(info, ignore_errors=True)


def check_way(staged, into):
    """Nothing is put through a link, or in the place of something else."""
    for path in sorted(staged.rglob("*")):
        there = into / path.relative_to(staged)
        if path.is_dir() and (there.is_symlink() or there.exists() and not there.is_dir()) or path.is_file() and there.is_dir():
            raise Failure(IO, "io", f"{there} is in the way of a package")


def put(staged, into, names):
    check_way(staged, into)
    into.mkdir(parents=True, exist_ok=True)
    remove_former(into.resolve(), names)
    shutil.rmtree(staged / "bin", ignore_errors=True)  # programs, which nothing starts in WebAssembly
    shutil.copytree(staged, into, dirs_exist_ok=True)


def vendor(options):
    """[(name, version)] of what lies in the folder then."""
    try:
        import pip as _  # noqa: F401 (only whether it is there)
    except ImportError:
        raise Failure(MISSING, "missing_feature", "the bundled Python has no pip",
                      f"{sys.executable} -m ensurepip puts it there") from None
    if not options.into:
        raise Failure(USAGE, "usage", "vendor needs --into DIR")
    for word in options.packages:
        check_package(word)
    for path in options.requirement:
        check_file(pathlib.Path(path), set())
    into = pathlib.Path(options.into)
    nearest = next(path for path in (into, *into.absolute().parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(nearest))
    if not os.access(nearest, os.W_OK):
        raise PermissionError(13, os.strerror(13), str(nearest))
    request = [word for path in options.requirement for word in ("--requirement", path)] + ["--", *options.packages]
    with tempfile.TemporaryDirectory(prefix="remotemedia-vendor-") as folder:
        staged, report = pathlib.Path(folder, "packages"), pathlib.Path(folder, "report.json")
        staged.mkdir()
        done = pip("--target", str(staged), "--report", str(report), *ANYWHERE, *request)
        if done.returncode != 0:
            raise explained(request, done.stderr)
        entries = json.loads(report.read_text())["install"]
        put_there = sorted((entry["metadata"]["name"], entry["metadata"]["version"]) for entry in entries)
        natives = native_files(staged)
        if natives:
            raise Failure(MISSING, "missing_feature", f"the WASM files cannot load native code: {', '.join(natives)}")
        put(staged, into, {same_name(name) for name, _ in put_there})
    return put_there


def say(text):
    """Prints a line; a failure is raised here, not when Python ends."""
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise Failure(IO, "io", f"cannot write standard output: {error.strerror}") from None


def report(failure):
    hint = failure.error.get("hint")
    sys.stderr.write(f"error: {failure}\n" + (f"  hint: {hint}\n" if hint else ""))
    try:
        say(json.dumps({"status": "error", "error": failure.error}, ensure_ascii=False, separators=(",", ":")))
    except Failure as broken:
        return broken.exit_code
    return failure.exit_code


def main(words):
    parser = argparse.ArgumentParser(prog="remotemedia vendor")
    parser.add_argument("--into", required=True)
    parser.add_argument("--requirement", action="append", default=[])
    parser.add_argument("packages", nargs="*")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name, version in vendor(parser.parse_args(words)):
            say(f"{name} {version}")
        return 0
    except Failure as failure:
        return report(failure)
    except KeyboardInterrupt:
        return report(Failure(INTERRUPTED, "cancelled", "interrupted"))
    except OSError as error:
        code = "not_found" if isinstance(error, FileNotFoundError) else "io"
        return report(Failure(IO, code, f"cannot use {error.filename}: {error.strerror}" if error.filename else str(error)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
