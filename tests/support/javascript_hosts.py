"""JavaScript hosts as their registry packages bring them, pinned in deps/lock.json; each is fetched when a test asks for it."""
import functools

from ports import ensured

# name: (the program in its package, the words between the program and a script)
HOSTS = {
    "node-20": ("bin/node", []),
    "node-24": ("bin/node", []),
    "node-26": ("bin/node", []),
    "deno": ("deno", ["run", "--allow-all", "--no-remote"]),
    "bun": ("bin/bun", ["run"]),
}


@functools.cache
def javascript_host(name):
    """The words of a command that runs a script, which comes after them."""
    program, words = HOSTS[name]
    return [str(ensured(name) / program), *words]
