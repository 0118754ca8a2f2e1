"""Compares what a program did with what a case expects. Every function appends complaints to a list."""

import difflib
import json
import math

from casefile import Number, as_printed, canonical, content, parse_exact, plain, to_json

SANITIZERS = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:")
SUCCESS_KEYS = ["status", "outputs", "graph_info", "failed"]
ERROR_DOCUMENT_KEYS = ["status", "error", "outputs"]
ERROR_FIELDS = ["code", "message", "node", "pointer", "item", "hint", "traceback"]


def listed(value):
    return value if isinstance(value, list) else [value]


def diff(expected, got):
    lines = list(
        difflib.unified_diff(expected.splitlines(), got.splitlines(), "expected", "got", lineterm="", n=2)
    )
    return "\n".join(lines[:60] + (["..."] if len(lines) > 60 else []))


def shorten(text, limit=1500):
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"


def contains(complaints, where, text, parts, wanted=True):
    for part in listed(parts):
        if (part in text) != wanted:
            complaints.append(
                f"{where} {'lacks' if wanted else 'must not contain'} {part!r}: {shorten(text)!r}"
            )


def read_document(complaints, text, where):
    """The one JSON document that `text` must be, or None."""
    if not text.endswith("\n"):
        complaints.append(f"{where} does not end with a newline: {shorten(text[-200:])!r}")
    try:
        document = parse_exact(text)
    except ValueError as error:
        complaints.append(f"{where} is not one JSON document ({error}): {shorten(text)!r}")
        return None
    if not isinstance(document, dict):
        complaints.append(f"{where} is not an object: {shorten(text)!r}")
        return None
    return document


def frames_as_text(traceback):
    """`file:line in function: text`, a frame a line."""
    if not isinstance(traceback, list):
        return ""
    return "\n".join(
        "{}:{} in {}: {}".format(*(plain(frame.get(key)) for key in ("file", "line", "function", "text")))
        for frame in traceback
        if isinstance(frame, dict)
    )


def check_error(complaints, expected, got, where="the error"):
    if not isinstance(got, dict):
        complaints.append(f"{where} is no object: {got!r}")
        return
    unknown = [key for key in got if key not in ERROR_FIELDS]
    if unknown:
        complaints.append(f"{where} has an unknown field {unknown[0]!r}")
    message, hint = (got.get(key) if isinstance(got.get(key), str) else "" for key in ("message", "hint"))
    for key in ("code", "node", "pointer", "item"):
        if key not in expected:
            continue
        want, have = expected[key], got.get(key)
        if want is None and key in got:
            complaints.append(f"{where} has {key} {as_printed(have)} and should have none ({message!r})")
        elif want is not None and (have is None or canonical(want) != as_printed(have)):
            complaints.append(
                f"{where} has {key} {as_printed(have)}, expected {canonical(want)} ({message!r})"
            )
    if not message:
        complaints.append(f"{where} has no message")
    traceback = frames_as_text(got.get("traceback"))
    for key, text in (
        ("message_contains", message),
        ("hint_contains", hint),
        ("says", message + "\n" + hint),
        ("traceback_contains", traceback),
    ):
        if key in expected:
            contains(complaints, f"{where}'s {key.split('_')[0]}", text, expected[key])
    if "traceback_lacks" in expected:
        contains(complaints, f"{where}'s traceback", traceback, expected["traceback_lacks"], False)


def error_on_stderr(complaints, stderr):
    """In JSONL mode the error document is the one line on stderr that is one."""
    lines = [line for line in stderr.splitlines() if line.startswith('{"status":"error"')]
    if len(lines) != 1:
        complaints.append(f"stderr has {len(lines)} lines with an error document: {shorten(stderr)!r}")
        return None
    return read_document(complaints, lines[0] + "\n", "the error line on stderr")


def check_failure(complaints, case, result):
    expect, jsonl = case.expect, case.is_jsonl()
    document = (
        error_on_stderr(complaints, result.stderr)
        if jsonl
        else read_document(complaints, result.stdout, "stdout")
    )
    if jsonl:
        check_whole_lines(complaints, result.stdout)
    if "exit" not in expect and result.exit not in (1, 2, 3, 4, 5):
        complaints.append(f"exit code {result.exit}, expected 1 to 5")
    if document is None:
        return
    if [key for key in ERROR_DOCUMENT_KEYS if key in document] != list(document) or document[
        "status"
    ] != "error":
        complaints.append(
            f"an error document has the keys {ERROR_DOCUMENT_KEYS}, in this order; got {list(document)}"
        )
    check_error(complaints, expect["error"], document.get("error"))
    if "outputs" in expect:
        same(complaints, "outputs", expect["outputs"], document.get("outputs"))


def near(want, have, tolerance):
    """`have`, with each float that is within the relative tolerance of the one in its place replaced by that one."""
    if isinstance(want, Number) and isinstance(have, Number):
        a, b = plain(want), plain(have)
        is_near = isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=tolerance)
        return want if is_near else have
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [near(a, b, tolerance) for a, b in zip(want, have)]
    if isinstance(want, dict) and isinstance(have, dict):
        return {key: near(want[key], item, tolerance) if key in want else item for key, item in have.items()}
    return have


def same(complaints, what, expected, got, tolerance=0.0):
    want, have = canonical(expected), as_printed(near(expected, got, tolerance) if tolerance else got)
    if want != have:
        complaints.append(f"{what} differ:\n" + diff(want, have))


def tolerance_of(case):
    return float(plain(case.expect.get("tolerance", 0.0)))


def check_failed_items(complaints, expected, got):
    if len(expected) != len(got or []):
        complaints.append(
            f"'failed' has {len(got or [])} entries, expected {len(expected)}: {as_printed(got)}"
        )
        return
    for n, (want, have) in enumerate(zip(expected, got)):
        check_error(complaints, want, have, f"failed item {n}")


def check_success(complaints, case, result):
    expect = case.expect
    document = read_document(complaints, result.stdout, "stdout")
    if document is None:
        return
    if document.get("status") != "success":
        complaints.append("the run failed: " + shorten(result.stdout))
        return
    order = [key for key in SUCCESS_KEYS if key in document]
    if list(document) != order or "outputs" not in document or "graph_info" not in document:
        complaints.append(f"a result has the keys {SUCCESS_KEYS}, in this order; got {list(document)}")
    if "\n" in result.stdout.rstrip("\n"):
        complaints.append("the result is not one line")
    if "outputs" in expect:
        same(complaints, "outputs", expect["outputs"], document.get("outputs"), tolerance_of(case))
    if "graph_info" in expect:
        same(complaints, "graph_info", expect["graph_info"], document.get("graph_info"))
    if "failed" in document or "failed" in expect:
        check_failed_items(complaints, expect.get("failed", []), document.get("failed"))


def check_whole_lines(complaints, stdout):
    if stdout and not stdout.endswith("\n"):
        complaints.append(f"stdout ends in the middle of a line: {shorten(stdout[-200:])!r}")
    for n, line in enumerate(stdout.splitlines(), 1):
        try:
            json.loads(line)
        except ValueError as error:
            complaints.append(f"line {n} of stdout is not JSON ({error}): {shorten(line)!r}")
            return


def check_lines(complaints, expected, stdout):
    lines = stdout.split("\n")
    if lines.pop() != "":
        complaints.append("stdout does not end with a newline")
    want = [line if isinstance(line, str) else to_json(line, Number.canonical) for line in expected]
    if want != lines:
        complaints.append("stdout differs:\n" + diff("\n".join(want), "\n".join(lines)))


def check_files(complaints, expected, folder):
    for name, spec in expected.items():
        path = folder / name
        if spec is None:
            if path.exists():
                complaints.append(f"{name} exists and should not")
        elif not path.is_file():
            complaints.append(f"{name} was not written")
        elif path.read_bytes() != content(spec):
            want, have = (data.decode("utf-8", "replace") for data in (content(spec), path.read_bytes()))
            complaints.append(f"{name} differs:\n" + (diff(want, have) or f"expected {want!r}, got {have!r}"))


def same_document(case, expected, got):
    """Whether two runs have printed the same: the same bytes, or with a tolerance documents that are near."""
    tolerance = tolerance_of(case)
    if expected == got or not tolerance:
        return expected == got
    complaints = []
    documents = [read_document(complaints, text, "stdout") for text in (expected, got)]
    same(complaints, "documents", *documents, tolerance)
    return not complaints


def check(case, result, folder):
    """Everything that is wrong with a result: a list of texts, empty when the case passed."""
    complaints, expect = [], case.expect
    if result.trouble:
        return [result.trouble]
    for word in SANITIZERS:
        if word in result.stderr:
            complaints.append(f"{word} on stderr:\n{shorten(result.stderr, 6000)}")
    if result.exit < 0 or result.exit > 127 and result.exit != 130:
        complaints.append(
            f"the program was ended by signal {-result.exit if result.exit < 0 else result.exit - 128}"
        )
    if "exit" in expect and result.exit != plain(expect["exit"]):
        complaints.append(f"exit code {result.exit}, expected {plain(expect['exit'])}")
    if "error" in expect:
        check_failure(complaints, case, result)
    else:
        if "exit" not in expect and result.exit != 0:
            complaints.append(f"exit code {result.exit}, expected 0")
        if {"outputs", "graph_info", "failed"} & set(expect):
            check_success(complaints, case, result)
    if "stdout" in expect and content(expect["stdout"]).decode() != result.stdout:
        complaints.append(
            "stdout differs:\n"
            + (diff(content(expect["stdout"]).decode(), result.stdout) or f"got {shorten(result.stdout)!r}")
        )
    if "stdout_lines" in expect:
        check_lines(complaints, expect["stdout_lines"], result.stdout)
    for stream, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        contains(complaints, stream, text, expect.get(f"{stream}_contains", []))
        contains(complaints, stream, text, expect.get(f"{stream}_lacks", []), False)
    check_files(complaints, expect.get("output_files", {}), folder)
    if complaints and result.stderr.strip():
        complaints.append("stderr: " + shorten(result.stderr, 3000))
    return complaints
