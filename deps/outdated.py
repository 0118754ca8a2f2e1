"""The newest versions that the package clients of this machine know of what lock.json pins."""
import functools
import pathlib
import re
import sys
import tempfile

from fetch import FetchError, client_of, private_apt, run

SUITES = ("bookworm", "trixie", "forky", "sid")


def of_pip(_, requirement, __):
    name = requirement.split("==")[0]
    found = re.match(r"\S+ \((\S+)\)", run([sys.executable, "-m", "pip", "index", "versions", name]))
    if not found:
        raise FetchError(f"pip names no version of {name}")
    return found[1]


def of_npm(name, package, _):
    """Of the same major version where the dependency's name has it: node-20."""
    major = re.search(r"-(\d+)$", name)
    wanted = package.rpartition("@")[0] + (f"@{major[1]}" if major else "")
    versions = re.findall(r"[\d.]+[\w.-]*(?='?$)", run(["npm", "view", wanted, "version"]), re.M)
    if not versions:
        raise FetchError(f"npm names no version of {wanted}")
    return max(versions, key=numbers)


def of_crate(_, crate, cache):
    name = crate.split("@")[0]
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        work = pathlib.Path(folder)
        (work / "Cargo.toml").write_text('[package]\nname = "empty"\nversion = "0.0.0"\n[lib]\npath = "empty.rs"\n'
                                         f'[dependencies]\n{name} = {{version = "*", default-features = false}}\n')
        (work / "empty.rs").touch()
        run(["cargo", "generate-lockfile", "--quiet"], cwd=work)
        return re.search(rf'name = "{name}"\nversion = "(.+)"', (work / "Cargo.lock").read_text())[1]


@functools.cache
def updated_apt(cache, kind, suite):
    options = private_apt(cache, kind, suite)
    run(["apt-get", *options, "-qq", "update"])
    return options


def of_apt(kind):
    def newest(_, package, cache):
        versions = []
        for suite in SUITES:
            options = updated_apt(cache, kind, suite)
            versions += [line.split("|")[1].strip() for line in run(["apt-cache", *options, "madison", package]).splitlines()]
        if not versions:
            raise FetchError(f"apt knows no {package} in {', '.join(SUITES)}")
        return upstream(max(versions, key=numbers))
    return newest


def upstream(version):
    """A Debian version without what Debian adds: 1:1.3.dfsg+really1.3.1-1 is 1.3.1."""
    return re.split(r"[+~-]", re.split(r"really|:", version)[-1])[0].removesuffix(".dfsg")


def numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]


NEWEST = {"pip_sdist": of_pip, "pip_wheel": of_pip, "npm": of_npm, "crate": of_crate,
          "apt_source": of_apt("deb-src"), "apt_binary": of_apt("deb")}


def pinned(source, entry):
    """What a source's client calls the locked version."""
    word = source[client_of(source)]
    return word.split("==")[-1] if "==" in word else word.rpartition("@")[2] if "@" in word else entry["version"]


def look(name, entry, cache):
    """(name, the locked version, the newest one, the client) of a dependency, from its first source that a client serves."""
    failures = []
    for source in entry["sources"]:
        if client_of(source) not in NEWEST:
            continue
        try:
            return name, pinned(source, entry), NEWEST[client_of(source)](name, source[client_of(source)], cache), client_of(source)
        except (FetchError, OSError) as error:
            failures.append(str(error))
    raise FetchError(f"{name}: {'; '.join(failures) or 'no client serves it'}")


def report(entries, cache):
    """Prints what is behind of {name: entry}, and at the end a count; True if every dependency could be looked up."""
    cache.mkdir(parents=True, exist_ok=True)
    behind, unknown = 0, 0
    for name, entry in entries.items():
        try:
            name, have, newest, client = look(name, entry, cache)
        except FetchError as error:
            unknown += 1
            print(f"{name}\t{entry['version']}\t?\t{error}")
            continue
        if numbers(newest) > numbers(have):
            behind += 1
            print(f"{name}\t{have}\t{newest}\t{client.replace('_', ' ')}", flush=True)
    print(f"{behind} of {len(entries)} behind, {unknown} not looked up")
    return unknown == 0
