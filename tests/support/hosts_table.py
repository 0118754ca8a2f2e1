"""The hosts that run jobs as tests/support/hosts/node.mjs does, and how each is started. A new host is a line of STARTS."""
import functools
import os
import subprocess
import sys
from typing import NamedTuple

from hosted_ports import HOSTS
from javascript_hosts import javascript_host
from ports import ROOT, dependency, ensured

COMPILED = ROOT / "build" / "test" / "compiled"  # what hosts keep for the next process


class Started(NamedTuple):
    """The words of a command, and what its environment has besides."""

    words: list
    env: dict = {}
    slow_start: int = 0  # seconds, before the first answer


def javascript(name):
    def started(file):
        words = ["node"] if name == "node" else javascript_host(name)
        return Started([*words, str(HOSTS / "node.mjs"), str(file)])

    return started


def wasmtime(file):
    words = [sys.executable, str(HOSTS / "wasmtime_host.py"), str(file), str(ROOT / "build/test/cwasm")]
    # Slow: it compiles, where no earlier run has left the result.
    return Started(words, {"PYTHONPATH": str(dependency("wasmtime"))}, slow_start=300)


@functools.cache
def go_program(folder):
    """The program of a folder of Go code, built with the pinned Go."""
    program = ROOT / "build/test/go" / folder.name
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false -trimpath")
    subprocess.run([str(ensured("go") / "bin/go"), "build", "-o", str(program), "."], cwd=folder, env=env, check=True)
    return program


def wazero(file):
    return Started([str(go_program(HOSTS / "wazero")), str(file), str(COMPILED)], slow_start=300)


STARTS = {
    **{name: javascript(name) for name in ("node", "node-20", "node-24", "node-26", "deno", "bun")},
    "wasmtime": wasmtime,
    "wazero": wazero,
}
