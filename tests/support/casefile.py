"""Case files: read without losing a digit, every key checked, and the bytes that a case needs.

JSON numbers are kept as their text, since 1 and 1.0 differ and big integers and floats must stay exact.
"""

import base64
import json
import pathlib


DATA = pathlib.Path(__file__).resolve().parent.parent / "cases" / "data"


class CaseError(Exception):
    """A case that cannot be used: it counts as failed, so that a misspelt expectation never passes."""


class Number:
    """A JSON number as written."""

    def __init__(self, text):
        self.text = text

    def canonical(self):
        """The spelling that the program must print: Python's repr."""
        if set(self.text) & set(".eE"):
            return repr(float(self.text))
        return "0" if self.text == "-0" else self.text


def _pairs(pairs):
    result = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"key {key!r} occurs twice")
        result[key] = value
    return result


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


def parse_exact(text):
    """JSON with Number for numbers; a duplicate key, NaN and Infinity are errors (ValueError)."""
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=_no_constant, object_pairs_hook=_pairs
    )


def plain(value):
    """The same with Python's numbers, for settings such as exit codes."""
    if isinstance(value, Number):
        return json.loads(value.text)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def to_json(value, spell=lambda number: number.text, indent=None, level=0):
    """JSON text of a parsed value; `spell` writes numbers; `indent` breaks it into lines."""
    if isinstance(value, Number):
        return spell(value)
    if isinstance(value, (list, dict)) and value:
        if isinstance(value, dict):
            parts = [
                (json.dumps(key, ensure_ascii=False) + (": " if indent else ":"), item)
                for key, item in value.items()
            ]
            opening, closing = "{", "}"
        else:
            parts, (opening, closing) = [("", item) for item in value], "[]"
        texts = [key + to_json(item, spell, indent, level + 1) for key, item in parts]
        if not indent:
            return opening + ",".join(texts) + closing
        inner, outer = "\n" + " " * indent * (level + 1), "\n" + " " * indent * level
        return opening + inner + ("," + inner).join(texts) + outer + closing
    return json.dumps(value, ensure_ascii=False)


def canonical(value):
    """What an expected value must look like when printed, broken into lines so that a diff can be read."""
    return to_json(value, Number.canonical, indent=1)


def as_printed(value):
    """What was printed, number by number, in the same layout."""
    return to_json(value, indent=1)


def replace_everywhere(value, old, new):
    """`value` with `old` replaced in every string (keys are left alone)."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [replace_everywhere(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: replace_everywhere(item, old, new) for key, item in value.items()}
    return value


def content(spec):
    """The bytes of a content: text, {"base64"}, {"repeat", "times"}, or a list of such pieces."""
    if isinstance(spec, str):
        return spec.encode("utf-8", "surrogatepass")
    if isinstance(spec, list):
        return b"".join(content(piece) for piece in spec)
    if isinstance(spec, dict) and set(spec) == {"base64"}:
        return base64.b64decode(spec["base64"], validate=True)
    if isinstance(spec, dict) and set(spec) == {"repeat", "times"}:
        return content(spec["repeat"]) * plain(spec["times"])
    if isinstance(spec, dict) and "data" in spec and set(spec) <= {"data", "bytes"}:
        return (DATA / spec["data"]).read_bytes()[:plain(spec["bytes"]) if "bytes" in spec else None]
    raise CaseError(f"not a content: {to_json(spec)[:80]}")


CASE_KEYS = {
    "name",
    "manifest",
    "stdin",
    "input_data",
    "args",
    "command",
    "via",
    "files",
    "env",
    "expect",
    "skip",
    "valgrind",
    "limit_seconds",
    "numpy",
}
EXPECT_KEYS = {
    "outputs",
    "stdout",
    "stdout_lines",
    "stdout_contains",
    "stdout_lacks",
    "error",
    "exit",
    "stderr_contains",
    "stderr_lacks",
    "output_files",
    "graph_info",
    "failed",
    "tolerance",
}
ERROR_KEYS = {
    "code",
    "message_contains",
    "hint_contains",
    "says",
    "node",
    "pointer",
    "item",
    "traceback_contains",
    "traceback_lacks",
}
# What may stand beside "expect" as well as inside it.
SHORT_KEYS = {"exit", "stderr_contains", "output_files", "graph_info", "failed"}
STRINGS = {
    "stdout_contains",
    "stdout_lacks",
    "stderr_contains",
    "stderr_lacks",
    "message_contains",
    "hint_contains",
    "says",
    "traceback_contains",
    "traceback_lacks",
}


def _check_keys(where, given, known):
    unknown = [key for key in given if key not in known]
    if unknown:
        raise CaseError(f"unknown key {unknown[0]!r} in {where}; known are {', '.join(sorted(known))}")


def _check_strings(where, given):
    for key in STRINGS & set(given):
        value = given[key]
        if (
            not (isinstance(value, str) or isinstance(value, list) and all(isinstance(s, str) for s in value))
            or not value
        ):
            raise CaseError(f"{key!r} in {where} must be a text or a list of texts, not empty")


class Case:
    """One case: `data` as the file gives it, `expect` with the short keys moved in."""

    def __init__(self, data, path):
        if not isinstance(data, dict):
            raise CaseError("a case must be an object")
        self.path = path
        self.name = data.get("name", "")
        if not isinstance(self.name, str) or not self.name:
            raise CaseError("a case needs a name")
        _check_keys("the case", data, CASE_KEYS | SHORT_KEYS)
        expect = data.get("expect", {})
        if not isinstance(expect, dict):
            raise CaseError("'expect' must be an object")
        for key in SHORT_KEYS & set(data):
            if key in expect:
                raise CaseError(f"{key!r} stands both in the case and in 'expect'")
            expect = {**expect, key: data[key]}
        self.data, self.expect = data, expect
        self._check()

    def _check(self):
        expect = self.expect
        _check_keys("'expect'", expect, EXPECT_KEYS)
        if not expect:
            raise CaseError("nothing is expected")
        _check_strings("'expect'", expect)
        for error in [expect["error"]] if "error" in expect else list(expect.get("failed") or []):
            if not isinstance(error, dict) or not error:
                raise CaseError("an expected error must be an object that says something")
            _check_keys("'error'", error, ERROR_KEYS)
            _check_strings("'error'", error)
        if "tolerance" in expect and "outputs" not in expect:
            raise CaseError("'tolerance' goes with 'outputs'")
        if "manifest" in self.data and "stdin" in self.data and self.data.get("via") != "file":
            raise CaseError(
                "'manifest' and 'stdin' exclude each other unless the manifest goes \"via\": \"file\""
            )
        if "input_data" in self.data and "manifest" not in self.data:
            raise CaseError("'input_data' needs 'manifest'")
        if self.data.get("via", "stdin") not in ("stdin", "file"):
            raise CaseError("'via' is \"stdin\" or \"file\"")
        for key, kind in (("args", list), ("command", list), ("files", dict), ("env", dict), ("skip", dict),
                          ("numpy", bool)):
            if not isinstance(self.data.get(key, kind()), kind):
                raise CaseError(f"{key!r} has the wrong type")
        for port, reason in self.data.get("skip", {}).items():
            if not isinstance(reason, str) or not reason:
                raise CaseError(f"skip of {port!r} needs a reason")

    def needs_numpy(self):
        return self.data.get("numpy") is True

    def args(self):
        return list(self.data.get("args", []))

    def is_jsonl(self):
        """Whether results go out as lines, so that an error document belongs on stderr."""
        args = self.args() + list(self.data.get("command", []))
        pairs = list(zip(args, args[1:] + [""]))
        return any(
            a == "--format"
            and b == "jsonl"
            or a == "--format=jsonl"
            or a in ("--output", "-o")
            and b.endswith(".jsonl")
            or a.startswith("--output=")
            and a.endswith(".jsonl")
            for a, b in pairs
        )

    def document(self):
        """The bytes of the manifest, with `input_data` where the case has it; None without a manifest."""
        if "manifest" not in self.data:
            return None
        document = self.data["manifest"]
        if "input_data" in self.data:
            document = {"manifest": document, "input_data": self.data["input_data"]}
        return to_json(document).encode("utf-8", "surrogatepass")


def load(path):
    """The cases of a file, and (name, message) for what is wrong with it."""
    cases, wrong = [], []
    try:
        data = parse_exact(pathlib.Path(path).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        return [], [(str(path), f"cannot be read: {error}")]
    for entry in data if isinstance(data, list) else [data]:
        try:
            cases.append(Case(entry, path))
        except CaseError as error:
            name = entry.get("name", "?") if isinstance(entry, dict) else "?"
            wrong.append((f"{path}: {name}", str(error)))
    return cases, wrong


def load_all(folder):
    """Every case below a folder, in the order of the paths; names must be unique."""
    cases, wrong, seen = [], [], {}
    for path in sorted(pathlib.Path(folder).rglob("*.json")):
        found, errors = load(path)
        wrong += errors
        for case in found:
            if case.name in seen:
                wrong.append((f"{path}: {case.name}", f"the name is taken by {seen[case.name]}"))
            else:
                seen[case.name] = path
                cases.append(case)
    return cases, wrong
