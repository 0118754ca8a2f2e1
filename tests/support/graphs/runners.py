"""The ways in which a graph is run, and what is wrong with what came of it."""

import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading

from graphs.generate import hurry, manifest_of
from graphs.kinds import KINDS, PROBE, copied
from hosted_ports import Host
from ports import environment

CANCEL_SECONDS = 5  # the driver begins no new run after so long
JOBS_A_DRIVER = 3000  # then a new process: modules of the nodes' code stay in it


class Driver:
    """The modes that the command line does not have: run, push, feed, cancel."""

    def __init__(self, path, home, limit=10):
        self.host = Host([str(path), str(home)], environment())
        self.limit, self.jobs = limit, 0

    def run(self, graph, job):
        """The answer, where "trouble" says why there is none."""
        self.jobs += 1
        if self.jobs % JOBS_A_DRIVER == 0:
            self.host.close()
        if job["mode"] == "cancel":
            graph = copied(graph)
            hurry(graph)
        document = {"manifest": json.dumps(manifest_of(graph)), "input": graph["input"], **job}
        answer = self.host.run(document, self.limit + (CANCEL_SECONDS if job["mode"] == "cancel" else 0))
        if any(hasattr(KINDS[node["kind"]], "life") for node in graph["nodes"]) and self.host.process:
            answer["life"] = self.probe()
        return answer

    def probe(self):
        node = {"id": "p", "node_type": "Python", "params": {"code": PROBE}}
        manifest = {"version": "v1", "metadata": {"name": "probe"}, "nodes": [node], "connections": []}
        job = {"manifest": json.dumps(manifest), "input": [0], "mode": "run", "seed": 0, "queue": 0}
        answer = self.host.run(job, self.limit)
        return answer["outputs"]["p"][0] if answer.get("status") == "success" else [answer]

    def close(self):
        self.host.close()


def driver_job(rnd, mode):
    return {
        "mode": mode,
        "seed": rnd.getrandbits(62),
        "queue": rnd.choice([0, 0, 1, 2, 3]),
        "may_block": rnd.random() < 0.5,
        "push": mode == "cancel" and rnd.random() < 0.5,
    }


class Program:
    """The command line. A job: {"input": "inline", "json", "jsonl" or "pipe", "format": "json" or "jsonl", "seed"}."""

    def __init__(self, path, limit=15):
        self.path, self.limit = pathlib.Path(path).resolve(), limit

    def run(self, graph, job):
        with tempfile.TemporaryDirectory(prefix="rm-graph-") as name:
            return self.run_in(pathlib.Path(name), graph, job)

    def run_in(self, folder, graph, job):
        manifest, given = manifest_of(graph), graph["input"]
        words, stdin = ["run", "-"], b""
        if job["input"] == "inline":
            stdin = json.dumps({"manifest": manifest, "input_data": given}).encode()
        else:
            (folder / "m.json").write_text(json.dumps(manifest))
            texts = [json.dumps(item) + "\n" for item in given]
            if "broken" in graph:
                texts[graph["broken"] : graph["broken"]] = ['{"no JSON\n']
            lines = "".join(texts)
            (folder / "in.jsonl").write_text(lines)
            (folder / "in.json").write_text(json.dumps(given))
            name = {"json": "in.json", "jsonl": "in.jsonl", "pipe": "-"}[job["input"]]
            words = ["run", "m.json", "--input", name, *(["--input-format", "jsonl"] if name == "-" else [])]
            stdin = lines.encode() if job["input"] == "pipe" else b""
        process = subprocess.Popen(
            [str(self.path), *words, "--format", job["format"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(),
        )
        writer = threading.Thread(target=write_in_pieces, args=(process.stdin, stdin, random.Random(job["seed"])))
        process_stdin, process.stdin = process.stdin, None  # the thread closes it
        writer.start()
        try:
            out, err = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return {"trouble": f"the program did not end within {self.limit} s"}
        finally:
            writer.join()
            process_stdin.close()
        return program_answer(process.returncode, out.decode(), err.decode(errors="replace"), job)

    def close(self):
        pass


def write_in_pieces(pipe, data, rnd):
    try:
        while data:
            size = rnd.choice([1, 3, 10, 100, 5000])
            os.write(pipe.fileno(), data[:size])
            data = data[size:]
        pipe.close()
    except OSError:
        pass  # it reads no more


def program_answer(exit, out, err, job):
    if exit not in (0, 1, 4, 5):
        return {"trouble": f"exit {exit}\n{out[-300:]}\n{err[-1500:]}"}
    try:
        if job["format"] == "json":
            answer = json.loads(out)
            answer["order"] = answer.get("graph_info", {}).get("execution_order")
        else:
            last = err.splitlines()[-1] if err and exit or '"failed"' in err else "{}"
            answer = {"status": "success", **json.loads(last)}
            answer.pop("outputs", None)
            answer["raw_lines"] = [json.loads(line) for line in out.splitlines()]
    except ValueError as error:
        return {"trouble": f"output that is no JSON: {error}\n{out[-300:]}\n{err[-500:]}"}
    if (exit == 0) != (answer["status"] == "success"):
        return {"trouble": f"exit {exit} with status {answer['status']}"}
    if job["format"] == "json" or "failed" in answer:
        answer.setdefault("failed", [])
    if answer["status"] == "success":
        answer.setdefault("failed", [])
    return answer


def program_job(rnd, graph):
    ways = ["inline", "json", "jsonl", "pipe"] if isinstance(graph["input"], list) and graph["input"] else ["inline"]
    ways = ["jsonl", "pipe"] if "broken" in graph else ways
    return {
        "mode": "program",
        "input": rnd.choice(ways),
        "format": rnd.choice(["json", "json", "jsonl"]),
        "seed": rnd.getrandbits(30),
    }


def plain_error(error):
    return None if error is None else {name: error.get(name) for name in ("code", "node", "item")}


def differences(outcome, answer):
    """[(what, expected, got)] of all that the answer has."""
    if "trouble" in answer:
        return [("trouble", outcome.status, answer["trouble"])]
    if "cancelled" in answer:
        return leaks(answer)
    wrong = []

    def compare(what, want, got):
        if json.dumps(want) != json.dumps(got):  # so that 1, 1.0 and true, and orders of keys, are told apart
            wrong.append((what, want, got))

    compare("status", outcome.status, answer["status"])
    compare("error", outcome.error, plain_error(answer.get("error")))
    if "outputs" in answer:
        compare("outputs", outcome.outputs, answer["outputs"])
    if "lines" in answer:
        sinks = list(outcome.outputs)
        compare("lines", [[sinks.index(sink), v] for sink, v in outcome.lines], answer["lines"])
    if "raw_lines" in answer:
        one = len(outcome.outputs) == 1
        lines = [v if one else {"sink": sink, "value": v} for sink, v in outcome.lines]
        compare("lines", lines, answer["raw_lines"])
    if "failed" in answer and outcome.status == "success":
        compare("failed", outcome.failed, [plain_error(error) for error in answer["failed"]])
    if answer.get("order") is not None and outcome.status == "success":
        compare("execution_order", outcome.order, answer["order"])
    return wrong + leaks(answer)


def leaks(answer):
    wrong = [("live blocks", 0, answer["live"])] if answer.get("live") else []
    if "life" in answer:
        life = answer["life"]
        whole = len(life) == 5 and life[0] == life[1] and life[2] == life[3] and life[4] == 0
        if not whole:
            wrong.append(("opened closed begun ended tasks", None, life))
    return wrong
