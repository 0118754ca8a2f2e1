"""The hosts of the WASM files that are no browsers and no sandboxes, and how each is started. A new host is a line of a table:
STARTS has those that run jobs as tests/support/hosts/node.mjs does, COMMANDS those that are started once a case."""
import functools
import os
import subprocess
import sys
from typing import NamedTuple

from hosted_ports import HOSTS, Host, Hosted, Once
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
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false")
    subprocess.run([str(ensured("go") / "bin/go"), "build", "-o", str(program), "."], cwd=folder, env=env, check=True)
    return program


def wazero(file):
    return Started([str(go_program(HOSTS / "wazero")), str(file), str(COMPILED)], slow_start=300)


STARTS = {
    **{name: javascript(name) for name in ("node", "node-20", "node-24", "node-26", "deno")},
    "wasmtime": wasmtime,
    "wazero": wazero,
}


def variables(env):
    return [word for name, value in env.items() for word in ("--env", f"{name}={value}")]


def bun(file, folder, env):
    """Once a case: its WASI takes the process's own standard streams, whatever it is given."""
    folders = ["--dir", f".={folder}", "--dir", f"{folder}={folder}"]
    return [*javascript_host("bun"), str(ROOT / "wasm/run.mjs"), *folders, *variables(env), str(file), "--"]


def wasmi(file, folder, env):
    return [str(ensured("wasmi") / "bin/wasmi"), "run", "--dir", ".", "--dir", str(folder), *variables(env), str(file)]


def component(file, folder, env):
    wasmtime = str(ensured("wasmtime-cli") / "bin/wasmtime")
    return [wasmtime, "run", "--dir", ".", "--dir", str(folder), *variables(env), str(file)]


class Command(NamedTuple):
    words: object  # (file, folder, env) -> the words before the program's own
    interpreted: int = 1
    suffix: str = ".wasm"
    exits_of_one: tuple = ()  # the program's exit codes that the host makes 1


COMMANDS = {
    "bun": Command(bun),
    "wasmi": Command(wasmi, interpreted=10),
    "component": Command(component, suffix=".component.wasm", exits_of_one=(2, 3, 4, 5)),
}


def job_port(name, start):
    """The port of a host that runs jobs."""

    def host(port):
        started = start(port.file)
        return Host(started.words, dict(os.environ, **started.env), started.slow_start)

    return type(name, (Hosted,), {"host": host})


def command_port(name, command):
    def words(port, folder, env):
        return command.words(port.file.with_suffix(command.suffix), folder, env)

    return type(name, (Once,), {"words": words, "interpreted": command.interpreted, "exits_of_one": command.exits_of_one})


PORTS = {**{name: job_port(name, start) for name, start in STARTS.items()},
         **{name: command_port(name, command) for name, command in COMMANDS.items()}}
