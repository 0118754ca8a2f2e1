"""Brings one archive of the lock file into the cache, from the first of its sources that has the right bytes."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

UPSTREAM_TIMEOUT = 10  # seconds; a project's own address may not answer


class FetchError(Exception):
    pass


def say(text):
    print(f"deps: {text}", file=sys.stderr, flush=True)


def run(command, **options):
    """What it prints."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    except FileNotFoundError:
        raise FetchError(f"there is no {command[0]} on this machine") from None
    if done.returncode != 0:
        raise FetchError(f"{command[0]} failed: " + " | ".join((done.stdout + done.stderr).strip().splitlines()[-2:]))
    return done.stdout


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def from_url(source, target, cache):
    with urllib.request.urlopen(source["url"], timeout=UPSTREAM_TIMEOUT) as answer, open(target, "wb") as out:
        shutil.copyfileobj(answer, out)


def configured_archive():
    """(URI, keyring or None) of the distribution's archive, as this machine's apt is configured."""
    release = pathlib.Path("/etc/os-release").read_text()
    codename = re.search(r"^VERSION_CODENAME=(\w+)", release, re.M)
    if not codename:
        raise FetchError("this machine's system has no release name; is it Debian?")
    suite = codename[1]
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text()
        for line in re.findall(rf"^deb\s+(.*\s{suite}\s.*)$", text, re.M):
            key = re.search(r"signed-by=([^\s\]]+)", line)
            return re.search(r"(\w[\w+]*:\S+)\s+" + suite, line)[1], key and key[1]
        for stanza in re.split(r"\n\s*\n", text):
            fields = {key.lower(): value.strip() for key, value in re.findall(r"^([\w-]+):(.*)$", stanza, re.M)}
            if suite in fields.get("suites", "").split():
                return fields["uris"].split()[0], fields.get("signed-by") or None
    raise FetchError(f"apt has no archive for {suite} configured")


def private_apt(cache, kind, suite):
    """Options that make apt-get use lists and folders of our own, on the configured archive with another suite.

    `kind` is "deb" for packages, "deb-src" for sources.
    """
    base = cache / "apt" / f"{kind}-{suite}"
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    uri, key = configured_archive()
    (base / "sources.list").write_text(f"{kind} {f'[signed-by={key}] ' if key else ''}{uri} {suite} main\n")
    settings = {
        "Dir::Etc::SourceList": base / "sources.list",
        "Dir::Etc::SourceParts": base / "parts",
        "Dir::State::lists": base / "lists",
        "Dir::Cache": base / "cache",
        "APT::Sandbox::User": "root",
        "APT::Update::Post-Invoke-Success::": "true",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def from_apt_source(source, target, cache):
    options = private_apt(cache, "deb-src", source["suite"])
    run(["apt-get", *options, "-qq", "update"])
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        failure = None
        try:
            run(["apt-get", *options, "-qq", "--download-only", "--tar-only", "source", source["apt_source"]], cwd=folder)
        except FetchError as error:  # another part of the source may be missing; ours is what counts
            failure = error
        if failure is not None and not (pathlib.Path(folder) / source["file"]).is_file():
            raise failure
        move_one(folder, source, target)


def from_apt_binary(source, target, cache):
    options = private_apt(cache, "deb", source["suite"])
    run(["apt-get", *options, "-qq", "update"])
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        run(["apt-get", *options, "-qq", "download", source["apt_binary"]], cwd=folder)
        move_one(folder, source, target)


def move_one(folder, source, target):
    """The file that the lock names, from a folder where a client has put it."""
    got = pathlib.Path(folder) / source["file"]
    if not got.is_file():
        there = ", ".join(sorted(path.name for path in pathlib.Path(folder).iterdir()))
        raise FetchError(f"there is no {source['file']}, but {there or 'nothing'}")
    shutil.move(got, target)


def pip_download(source, requirement, target, cache, *options, **run_options):
    pythons = [python for python in (sys.executable, "/usr/bin/python3")
               if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0]
    if not pythons:
        raise FetchError("python3 has no pip; install python3-pip")
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        run([pythons[0], "-m", "pip", "download", "-q", *options, "--no-deps", "-d", folder, requirement],
            **run_options)
        move_one(folder, source, target)


# pip asks a source distribution's build system for the metadata, which configures the whole build of some packages; this
# answers in its place. Only the archive is wanted.
BACKEND = """import os
def prepare_metadata_for_build_wheel(folder, settings=None):
    made = "{name}-{version}.dist-info"
    os.makedirs(os.path.join(folder, made))
    with open(os.path.join(folder, made, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return made
def build_wheel(*_, **__):
    raise NotImplementedError
"""


def from_pip_sdist(source, target, cache):
    requirement = source["pip_sdist"]
    name, version = requirement.split("==")
    if "backend" not in source:
        pip_download(source, requirement, target, cache, "--no-binary", name)
        return
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        (pathlib.Path(folder) / f"{source['backend']}.py").write_text(BACKEND.format(name=name, version=version))
        pip_download(source, requirement, target, cache, "--no-binary", name, "--no-build-isolation",
                     env=dict(os.environ, PYTHONPATH=folder))


def from_pip_wheel(source, target, cache):
    pip_download(source, source["pip_wheel"], target, cache, "--only-binary", ":all:", "--python-version", "3.13",
                 "--platform", source["platform"])


def from_npm(source, target, cache):
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        run(["npm", "pack", "--silent", source["npm"]], cwd=folder)
        move_one(folder, source, target)


def from_crate(source, target, cache):
    """As a dependency of an empty package, in a home of cargo's own but with the user's settings.

    `cargo info` would bring less, but it refuses where the settings replace the default registry.
    """
    if not shutil.which("cargo"):
        raise FetchError("there is no cargo; install Rust 1.85 or newer, or build with RM_WASMTIME_RUNTIME=OFF")
    name, version = source["crate"].split("@")
    users = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    settings = next((path for path in (users / "config.toml", users / "config") if path.is_file()), None)
    options = ["--config", settings.resolve()] if settings else []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        work = pathlib.Path(folder)
        (work / "Cargo.toml").write_text('[package]\nname = "empty"\nversion = "0.0.0"\n[lib]\npath = "empty.rs"\n'
                                         f'[dependencies]\n{name} = {{version = "={version}", default-features = false}}\n')
        (work / "empty.rs").touch()
        run(["cargo", *options, "fetch", "--quiet"], cwd=work, env=dict(os.environ, CARGO_HOME=str(work / "home")))
        for folder_of_registry in (work / "home/registry/cache").iterdir():
            if (folder_of_registry / source["file"]).is_file():
                move_one(folder_of_registry, source, target)
                return
    raise FetchError(f"cargo brought no {source['file']}")


FETCHERS = {"url": from_url, "apt_source": from_apt_source, "apt_binary": from_apt_binary,
            "pip_sdist": from_pip_sdist, "pip_wheel": from_pip_wheel, "npm": from_npm, "crate": from_crate}


def client_of(source):
    return next(kind for kind in FETCHERS if kind in source)


def described(source):
    """A source in the words of its client."""
    return f"{client_of(source).replace('_', ' ')} {source[client_of(source)]}"


def fetch(name, entry, cache):
    """(path of the archive, the source it is one of); the archive has the bytes the lock file names."""
    downloads = cache / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    wanted = {source.get("sha256", entry["sha256"]): source for source in reversed(entry["sources"])}
    for digest, source in wanted.items():
        if (downloads / digest).is_file():
            return downloads / digest, source
    for source in entry["sources"]:
        say(f"{name} {entry['version']}: fetching ({described(source)})")
        part = downloads / f"{name}.{os.getpid()}.part"
        try:
            FETCHERS[client_of(source)](source, part, cache)
            digest = sha256_of(part)
            if digest not in wanted:
                raise FetchError(f"other bytes than locked (sha256 {digest})")
            os.replace(part, downloads / digest)
            return downloads / digest, wanted[digest]
        except (OSError, FetchError) as error:
            say(f"{name}: {error}; trying the next source")
        finally:
            part.unlink(missing_ok=True)
    raise FetchError(f"{name} {entry['version']}: no source answered with the locked bytes")
