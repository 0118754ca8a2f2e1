"""The modules of `code` in manifests.

Such a module is in sys.modules and has a loader, as a module from a file has. One entry of sys.path stands for all of them:
a process that multiprocessing starts afresh gets a copy of sys.path, and with this entry the code. There this module runs
without its package, so it needs nothing but the interpreter.
"""
import _imp
import marshal
import sys
from _frozen_importlib import ModuleSpec, _find_spec, module_from_spec  # type: ignore[attr-defined]

# What unpickling a Place runs.
UNPICKLED = """
import marshal, sys
here = sys.modules.get(name)
if here is None:
    here = sys.modules[name] = type(sys)(name)
    here.own_code = own_code
    exec(marshal.loads(own_code), here.__dict__)
place = here.restore(copies)
"""

files: "dict[str, tuple[str, str]]" = {}  # module: (file, source), of the modules that there are
values: "dict[str, bytes]" = {}  # module: the variables that the runtime has set in it, marshalled; only in other processes
known: "dict[str, str]" = {}  # module: source, of modules that other processes may keep


class Place(str):
    """The entry of sys.path, and the finder and loader of the modules."""

    def find_spec(self, name, path=None, target=None):
        if name in files:
            spec = ModuleSpec(name, self, origin=files[name][0])
            spec.has_location = True
            return spec
        if name != "linecache" or hasattr(self, "other"):
            return None
        self.other = None  # linecache asks no loader about files with names like ours, so it is told when it comes
        spec = _find_spec(name, path, target)
        self.other, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        return self.other.create_module(spec) if spec.name == "linecache" else None

    def exec_module(self, module):
        name = module.__name__
        if name == "linecache":
            module.__spec__.loader = module.__loader__ = self.other
            self.other.exec_module(module)
            show()
        else:
            exec(self.get_code(name), module.__dict__)
            module.__dict__.update(marshal.loads(values[name]) if name in values else {})

    def get_code(self, name):
        return compile(self.get_source(name), self.get_filename(name), "exec", dont_inherit=True, optimize=0)

    def get_source(self, name):
        return self.find(name)[1]

    def get_filename(self, name):
        return self.find(name)[0]

    def is_package(self, name):
        self.find(name)
        return False

    def find(self, name):
        if name not in files:
            raise ImportError(f"there is no code for {name}", name=name)
        return files[name]

    def __reduce__(self):
        copies = {name: (*both, values_of(name)) for name, both in list(files.items())}
        known.update((name, source) for name, (_, source, _) in copies.items())
        return eval, ("exec(text) or place", {"text": UNPICKLED, "name": __name__, "own_code": marshalled(), "copies": copies})


place = Place("<code of nodes>")


def values_of(name):
    """The variables `params` and `name` of functions as a node, marshalled; None for other code."""
    if name in values:
        return values[name]
    space = getattr(sys.modules.get(name), "__dict__", {})
    if isinstance(space.get("Node"), type):
        return None
    try:
        return marshal.dumps({key: space[key] for key in ("params", "name") if isinstance(space.get(key), (dict, str))})
    except ValueError:  # the code has put other things there
        return None


def marshalled():
    """The code of this module. It has no loader where the host has loaded it without its package."""
    if "own_code" in globals():
        return own_code
    return marshal.dumps(__spec__.loader.get_code(__name__) if __spec__ else _imp.get_frozen_object(__name__))


def restore(copies):
    """In another process: the entry of its sys.path."""
    for name, (file, source, variables) in copies.items():
        if name not in files:
            files[name] = file, source
            if variables is not None:
                values[name] = variables
    install()
    show()
    return place


def install():
    if place not in sys.path:
        sys.path.append(place)
    if place not in sys.meta_path:
        sys.meta_path.insert(0, place)


def show():
    """Gives linecache the lines."""
    if (cache := getattr(sys.modules.get("linecache"), "cache", None)) is not None:
        for file, source in [both for both in list(files.values()) if both[0] not in cache]:
            lines = source.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
            cache[file] = len(source), None, [line + "\n" for line in lines], file


def make(node, source):
    """A new module for the code of a node, which has not run yet."""
    install()
    name, file, number = f"__node_{node}__", f"<code of {node}>", 1
    while any(file == other and source != text for other, text in list(files.values())):
        number += 1
        file = f"<code of {node} ({number})>"
    number = 1
    while name in files or known.get(name, source) != source or files.setdefault(name, both := (file, source)) is not both:
        number += 1
        name = f"__node_{node}_{number}__"
    module = sys.modules[name] = module_from_spec(place.find_spec(name))
    show()
    return module


def forget(name):
    """The node type is gone, or its code failed."""
    sys.modules.pop(name, None)
    file = files.pop(name)[0]
    if "linecache" in sys.modules and all(file != other for other, _ in list(files.values())):
        sys.modules["linecache"].cache.pop(file, None)
