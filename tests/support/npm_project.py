"""The npm package, packed and installed as a user installs it: from the tarball, into an empty project, without network."""
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
