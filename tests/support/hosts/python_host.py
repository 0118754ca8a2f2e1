"""Runs cases by the Python package, in this process: a job a line, an answer a line. Each job has a process of its own, which is
forked: modules of one case must not be there for the next."""
import atexit
import base64
import ctypes
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback

import remotemedia as rm
from remotemedia import _runtime

EXITS = {"timeout": 5, "cancelled": 130}
OF_MANIFESTS = {"missing_feature", "missing_capability", "unknown_node_type", "unknown_parameter", "missing_parameter"}


class Lines(logging.Handler):
    """Messages as the program prints them."""

    def emit(self, record):
        node, text = record.args if len(record.args) == 2 else (None, record.args[0])
        sys.stderr.write(f"{record.levelname.lower()}: {node + ': ' if node else ''}{text}\n")
        sys.stderr.flush()


def told(error, job):
    """The error document; files in folders that were given relatively are named so."""
    for frame in error.document.get("traceback", ()):
        for path in job["paths"]:
            if not path.startswith("/"):
                frame["file"] = frame["file"].replace(os.path.join(job["folder"], path) + "/", path.rstrip("/") + "/")
    if error.__cause__ is not None:
        sys.stderr.write("".join(traceback.format_exception(error.__cause__)).replace("\0", "\\x00"))
    return _runtime.to_json(error.document)


def load(job):
    if job["file"]:
        return rm.Pipeline.from_file(job["file"])
    return rm.Pipeline.from_json(base64.b64decode(job["text"]))


def exit_of(error, loading):
    """The program's exit code."""
    if error.code in EXITS:
        return EXITS[error.code]
    return 3 if loading or error.item is None and error.code in OF_MANIFESTS else 1


def run(job):
    """(exit code, the text that the program would print)"""
    pipeline = None
    try:
        pipeline = load(job)
        results = pipeline.run(timeout=job["timeout"], metrics=True)
    except rm.Error as error:
        text = '{"status":"error","error":' + told(error, job)
        if error.results is not None:
            text += ',"outputs":' + _runtime.to_json(error.results)
        return exit_of(error, pipeline is None), text + "}\n"
    text = '{"status":"success","outputs":' + _runtime.to_json(results)
    text += ',"graph_info":' + _runtime.to_json(pipeline.graph_info)
    if pipeline.failures:
        text += ',"failed":' + _runtime.to_json(pipeline.failures)
    return 0, text + "}\n"


def answer(job):
    signal.alarm(int(job["limit"]) + 1)
    os.chdir(job["folder"])
    errors = os.open(job["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    os.environ.update(job["env"])
    time.tzset()
    sys.path[:0] = [os.path.abspath(path) for path in job["paths"]]
    logging.getLogger("remotemedia").addHandler(Lines())
    logging.getLogger("remotemedia").propagate = False
    code, text = run(job)
    with open(job["stdout"], "w") as file:
        file.write(text)
    return code


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs may ignore it
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    for line in jobs:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 120
            try:
                code = answer(job)
                threading._shutdown()
                atexit._run_exitfuncs()
                ctypes.CDLL(None).fflush(None)
            finally:
                sys.stderr.flush()
                sys.__stdout__.flush()
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended = {"exit": status} if status not in (120, -signal.SIGALRM) else \
            {"trouble": "the host failed" if status == 120 else f"the run did not end within {job['limit']:g} s"}
        answers.write(json.dumps(ended).encode() + b"\n")
        answers.flush()


main()
