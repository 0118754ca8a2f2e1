"""Runs random graphs in several ways, compares, shrinks what fails, and says so."""

import concurrent.futures
import json
import pathlib
import random
import time

from graphs.generate import generate, manifest_of
from graphs.kinds import copied
from graphs.model import expected
from graphs.runners import Driver, Program, differences, driver_job, plain_error, program_job
from graphs.shrink import shrink

CHUNK = 20


DEFAULTS = {
    "driver": None,  # none: only the command line
    "without": (),  # kinds that are left out
    "program_share": 0.1,  # of the graphs are run by the command line, too,
    "cancel_share": 0.02,  # cancelled at every call,
    "meta_share": 0.05,  # and run with other queues, whose outcome must be the same whatever the model says
    "only": None,  # modes
    "limit": 10,  # seconds that a run may take
    "slowness": 1,
    "shrink_seconds": 30,
    "keep": None,  # a folder for failures
}


def depends_on_pushes(graph, outcome):
    """Who pushes to sources singly decides how far each of them is when a failure is found: a source whose queue is full of
    items behind the failure takes no more, and the failure is told without waiting for the others."""
    return isinstance(graph.get("input"), dict) and outcome.status == "error"


class Checker:
    """`options`: "program", and what is in DEFAULTS."""

    def __init__(self, options):
        self.options = options = {**DEFAULTS, **options}
        self.program = Program(options["program"], options["limit"] * 2)
        home = pathlib.Path(options["program"]).resolve().parent.parent
        self.driver = Driver(options["driver"], home, options["limit"]) if options["driver"] else None

    def close(self):
        if self.driver:
            self.driver.close()

    def jobs(self, seed, graph):
        """How this graph is run."""
        rnd = random.Random(f"jobs {seed}")
        jobs = []
        if "broken" in graph:
            return [program_job(rnd, graph)]
        if self.driver:
            jobs = [driver_job(rnd, mode) for mode in rnd.sample(["run", "push", "feed"], 2)]
            if rnd.random() < self.options["cancel_share"] and not any("timeout_ms" in n for n in graph["nodes"]):
                jobs.append(driver_job(rnd, "cancel"))
            if rnd.random() < self.options["meta_share"]:
                jobs.append(driver_job(rnd, "meta"))
        if not self.driver or rnd.random() < self.options["program_share"]:
            jobs.append(program_job(rnd, graph))
        only = self.options["only"]
        return [job for job in jobs if not only or job["mode"] in only]

    def run(self, graph, job):
        return (self.program if job["mode"] == "program" else self.driver).run(graph, job)

    def wrong(self, graph, outcome, job):
        if job["mode"] == "meta":
            return self.unlike(graph, job)
        return differences(outcome, self.run(graph, job))

    def unlike(self, graph, job):
        """What two runs with other queues and modes gave differently."""
        first = None
        for mode, queue, packets in (("feed", 0, None), ("push", 1, None), ("feed", 3, 1), ("push", 0, 2)):
            changed = copied(graph)
            for edge in changed["edges"]:
                edge.pop("bytes", None)
                edge.pop("packets", None)
                if packets:
                    edge["packets"] = packets
            answer = self.driver.run(changed, {**job, "mode": mode, "queue": queue})
            seen = {name: answer.get(name) for name in ("trouble", "status", "outputs", "lines")}
            seen["error"] = plain_error(answer.get("error"))
            if seen["status"] == "success":
                seen["failed"] = [plain_error(error) for error in answer["failed"]]
            first = first or seen
            wrong = [(f"unlike {name}", first.get(name), seen[name]) for name in seen if seen[name] != first.get(name)]
            if wrong or seen["trouble"]:
                return wrong or [("trouble", "success", seen["trouble"])]
        return []

    def check(self, seed):
        """None, or what failed first of the graph of this seed."""
        graph, outcome = generate(seed, self.options["without"])
        for job in self.jobs(seed, graph):
            if job["mode"] in ("push", "meta") and depends_on_pushes(graph, outcome):
                continue
            wrong = self.wrong(graph, outcome, job)
            if wrong:
                return self.failure(seed, graph, job, wrong)
        return None

    def failure(self, seed, graph, job, wrong):
        what = {kind for kind, _, _ in wrong}
        again = self.wrong(graph, expected(graph), job)
        if again:  # else it fails sometimes only: nothing can be tried out
            def fails(smaller, outcome):
                return bool(what & {kind for kind, _, _ in self.wrong(smaller, outcome, job)})

            graph = shrink(graph, fails, self.options["shrink_seconds"])
            wrong = self.wrong(graph, expected(graph), job) or again
        kinds = " ".join(sorted(node["kind"] for node in graph["nodes"]))
        summary = ("" if again else "SOMETIMES ") + " ".join(sorted(kind for kind, _, _ in wrong))
        return {
            "seed": seed,
            "summary": f"{summary}: {kinds} ({job['mode']})",
            "job": job,
            "wrong": [{"what": kind, "expected": want, "got": got} for kind, want, got in wrong],
            "document": {"manifest": manifest_of(graph), "input_data": graph["input"]},
            "graph": graph,
        }


checker = None


def start(options):
    global checker
    checker = Checker(options)


def check_seeds(seeds, end):
    """(how many were run, failures)."""
    failures, done = [], 0
    for seed in seeds:
        if end is not None and time.time() > end:
            break
        failure = checker.check(seed)
        done += 1
        if failure is not None:
            failures.append(failure)
    return done, failures


def keep(failure, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{failure['seed']}.json").write_text(json.dumps(failure, indent=1, ensure_ascii=False) + "\n")


def told(failure):
    lines = [f"seed {failure['seed']}: {failure['summary']}"]
    lines.append("  job: " + json.dumps(failure["job"]))
    lines.append("  " + json.dumps(failure["document"], ensure_ascii=False))
    for entry in failure["wrong"]:
        got = entry["got"] if isinstance(entry["got"], str) else json.dumps(entry["got"], ensure_ascii=False)
        want = json.dumps(entry["expected"], ensure_ascii=False)
        lines.append(f"  {entry['what']}: expected {want[:600]}")
        lines.append(f"  {' ' * len(entry['what'])}  got      {got[:600]}")
    return "\n".join(lines)


def check_graphs(first, count, options, jobs=2, seconds=None, most_failures=None, report=print):
    """Checks the graphs of `count` seeds from `first` on. Returns (run, failures)."""
    end = time.time() + seconds if seconds else None
    run, failures = 0, []
    with concurrent.futures.ProcessPoolExecutor(jobs, initializer=start, initargs=(options,)) as pool:
        waiting, seed = set(), first
        while waiting or (seed < first + count and (end is None or time.time() < end)):
            enough = most_failures is not None and len(failures) >= most_failures
            while len(waiting) < 2 * jobs and seed < first + count and not enough and (not end or time.time() < end):
                seeds = range(seed, min(seed + CHUNK, first + count))
                waiting.add(pool.submit(check_seeds, seeds, end))
                seed = seeds.stop
            if not waiting:
                break
            ready, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in ready:
                done, found = future.result()
                run += done
                for failure in found:
                    report(told(failure))
                    if options.get("keep"):
                        keep(failure, pathlib.Path(options["keep"]))
                failures += found
    return run, failures
