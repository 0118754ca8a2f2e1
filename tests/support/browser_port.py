"""The ports that run cases in a headless browser: each in a page and in a Worker, beside the native program."""

import base64
import json
import pathlib
import queue
import subprocess
import tempfile

from casefile import CaseError, replace_everywhere
from expectations import check
from hosted_ports import HOSTS, Beside, differences
from ports import Result, dependency, limit_of, place_files, result_of

HOST = HOSTS / "browser" / "host.mjs"
SLOWNESS = 3  # two browsers at a time, which share the machine
PLACES = {"page": "in the page", "worker": "in a Worker"}


def browse(test, steps, browser="chromium"):
    """What the page logs and shows."""
    command = ["node", "--experimental-websocket", str(HOST.parent / "page.mjs"), browser, str(dependency("playwright-core"))]
    done = subprocess.run(command, input=json.dumps(steps), capture_output=True, text=True, timeout=200, check=False)
    test.assertEqual(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


class Host:
    """A Node process with a browser of its own, which runs one job after another in a page or in a Worker."""

    def __init__(self, place, wasm, browser="chromium"):
        self.place = place
        paths = [wasm, dependency("playwright-core")]
        self.process = subprocess.Popen(
            ["node", "--experimental-websocket", str(HOST), browser, place, *map(str, paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, job):
        """The answer to a job; a host that has ended is a fault of the tests, and ends them."""
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"run_cases: {self.process.stderr.read().strip() or 'the browser has ended'}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def files_below(folder):
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


class Browser(Beside):
    """A case passes when page and Worker give what it expects, and stdout and exit code are the native program's."""

    browser = "chromium"

    def __init__(self, options):
        super().__init__(options)
        self.jobs = len(PLACES)

    def run(self, cases):
        hosts = [Host(place, self.file, self.browser) for place in PLACES]
        self.free = {host.place: queue.SimpleQueue() for host in hosts}
        for host in hosts:
            self.free[host.place].put(host)
        try:
            yield from super().run(cases)
        finally:
            for host in hosts:
                host.close()

    def run_case(self, case):
        with tempfile.TemporaryDirectory(prefix="rm-case-") as name:
            folder = pathlib.Path(name) / "case"
            folder.mkdir()
            try:
                expect = replace_everywhere(case.expect, "{DIR}", str(folder))
                compared = "native" not in case.data.get("skip", {})
                native = self.in_folder(case, folder, self.start) if compared else None
                complaints = []
                for place, words in PLACES.items():
                    result = self.in_folder(case, folder, lambda *at, place=place: self.in_browser(place, *at))
                    case.expect = expect
                    found = check(case, result, folder) + differences(case, native, result)
                    complaints += [f"{words}: {text}" for text in found]
                return complaints
            except (CaseError, OSError, ValueError) as error:
                return [f"the case cannot be run: {type(error).__name__}: {error}"]

    @staticmethod
    def in_folder(case, folder, start):
        for path in files_below(folder).values():
            path.unlink()
        place_files(case, folder)
        return start(case, folder)

    def in_browser(self, place, case, folder):
        """Runs the case over a copy of the folder's files and brings back what became of them."""
        command, stdin = self.command(case, folder, [])
        before = files_below(folder)
        (folder.parent / "stdin").write_bytes(stdin)
        host = self.free[place].get()
        try:
            answer = host.run(
                {
                    "id": case.name,
                    "args": command[1:],
                    "env": replace_everywhere(case.data.get("env", {}), "{DIR}", str(folder)),
                    "stdin": str(folder.parent / "stdin"),
                    "folder": str(folder),
                    "files": list(before),
                    "limit": SLOWNESS * limit_of(case) * self.slowness,
                }
            )
        finally:
            self.free[place].put(host)
        if "trouble" in answer:
            return Result(trouble=answer["trouble"])
        self.bring_back(folder, before, answer["files"])
        return result_of(answer["exit"], *(base64.b64decode(answer[name]) for name in ("stdout", "stderr")))

    @staticmethod
    def bring_back(folder, before, files):
        for name in set(before) - set(files):
            before[name].unlink()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(data))


class Firefox(Browser):
    browser = "firefox"
