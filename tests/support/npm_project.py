"""The npm package, packed and installed as a user installs it: from the tarball, into an empty project, without network; and the
tools that check it, pinned in tests/package."""
import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile

from ports import ROOT, environment
from wasm_products import FOLDER


@functools.cache
def package():
    """The packed package."""
    command = [str(ROOT / "tools/npm-package"), "--wasm", str(FOLDER), "--out", str(ROOT / "build/test/npm")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    return pathlib.Path(done.stdout.strip())


@functools.cache
def project():
    """A project's folder, which ends with the tests; all tests may add files of their own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rm-npm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "package.json").write_text('{"name": "empty", "private": true, "type": "module"}\n')
    command = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", str(package())]
    subprocess.run(command, cwd=folder, env=environment({"HOME": str(folder), "npm_config_cache": str(folder / ".cache")}),
                   timeout=300, check=True)
    return folder


@functools.cache
def checkers():
    """The folder with the programs of tests/package, which are installed once for each lock file."""
    source, target = ROOT / "tests/package", ROOT / "build/test/package"
    names = ("package.json", "package-lock.json", ".npmrc")
    if not (target / "done").is_file() or any((source / name).read_bytes() != (target / name).read_bytes() for name in names):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in names:
            shutil.copy(source / name, target)
        subprocess.run(["npm", "ci", "--prefer-offline", "--ignore-scripts", "--silent"], cwd=target, timeout=300, check=True)
        (target / "done").touch()
    return target / "node_modules/.bin"
