"""What pipelines raise."""

# Codes of a manifest that is wrong; docs/errors.md has all codes.
_OF_MANIFESTS = {"parse", "missing_field", "unknown_field", "missing_parameter", "unknown_parameter", "unsupported_version",
                 "duplicate_id", "unknown_node_type", "unknown_node", "unknown_port", "duplicate_connection", "cycle",
                 "missing_feature", "missing_capability", "not_found", "io", "limit"}


class Error(Exception):
    """A failure of the runtime.

    code: one of the codes in docs/errors.md, such as "unknown_parameter". hint: how it could be mended, or None.
    node: the id of the node, or None. pointer: a JSON pointer into the manifest, or None.
    item: the index of the input item, or None. document: the same as a dict. results: what run() had until then, or None.
    """

    results = None

    def __init__(self, message="", document=None):
        super().__init__(message)
        self.document = document if document is not None else {}

    code = property(lambda self: self.document.get("code"), doc="What kind of failure it is: a code of docs/errors.md.")
    hint = property(lambda self: self.document.get("hint"), doc="How it could be mended, or None.")
    node = property(lambda self: self.document.get("node"), doc="The id of the node, or None.")
    pointer = property(lambda self: self.document.get("pointer"), doc="A JSON pointer to the place in the manifest, or None.")
    item = property(lambda self: self.document.get("item"), doc="The index of the input item, from 0, or None.")

    def __reduce__(self):
        return type(self), (self.args[0], self.document)


class ManifestError(Error, ValueError):
    """A manifest is wrong: .pointer says where, .hint what was meant. A ValueError.

    Pipeline.from_json, from_file, from_dict and Graph.pipeline raise it.
    """


class NodeError(Error, RuntimeError):
    """A node failed; .node says which, .item at which item. A RuntimeError.

    Where its Python code raised an exception, that is the __cause__, with the traceback of the node's own code. run() has put
    into .results what came before.
    """


class Timeout(Error, TimeoutError):
    """A run with a timeout, or an item with "timeout_ms" in the manifest, took too long. A TimeoutError."""


class Cancelled(Error):
    """A run was ended from another thread, by Run.cancel()."""


for _each in (Error, ManifestError, NodeError, Timeout, Cancelled):
    _each.__module__ = "remotemedia"  # where users find them


def failure(document, has_cause=False):
    """The exception for an error document."""
    code, node, hint = document["code"], document.get("node"), document.get("hint")
    if code == "missing_feature" and hint is None and "RM_WASMTIME_RUNTIME" in document["message"]:
        hint = document["hint"] = "sandbox=remotemedia.Sandbox() lets nodes run in one"
    if code == "timeout":
        kind = Timeout
    elif code == "cancelled":
        kind = Cancelled
    elif "pointer" in document or (node is None and code in _OF_MANIFESTS):
        kind = ManifestError
    else:
        kind = NodeError
    if "remotemedia._held:" in document["message"]:
        import re

        document["message"] = re.sub(r"remotemedia\._held:(\w+?)_\d+", r"\1", document["message"])
    message = document["message"]
    if node is not None and f"'{node}'" not in message:
        message = f"node '{node}': {message}"
    if hint:
        message += f" ({hint})"
    made = kind(message, document)
    for place in () if has_cause else document.get("traceback", ()):  # of code in a sandbox, whose exception stays there
        function = f", in {place['function']}" if "function" in place else ""
        made.add_note(f"inside: File \"{place['file']}\", line {place['line']}{function}\n    {place.get('text', '')}".rstrip())
    return made
