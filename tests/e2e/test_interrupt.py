"""Ctrl-C, kill and closed pipes at many moments: nodes are closed, lines are whole, the exit code says why."""

import json
import os
import signal
import subprocess
import unittest

from support import PROGRAM, ProgramTest, environment, manifest, node

# Tells on stderr when an item is in process, and writes a mark for each step of its life.
READY_NODE = """
import os, sys
class Node:
    def mark(self, what):
        fd = os.open('marks', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(fd, f'{self.name} {what}\\n'.encode())
        os.close(fd)
    def initialize(self):
        self.mark('open')
        MOMENT_INITIALIZE
    def process(self, x):
        MOMENT_PROCESS
        return x
    def flush(self):
        MOMENT_FLUSH
    def cleanup(self):
        self.mark('close')
        MOMENT_CLEANUP
"""
SPIN = "os.write(2, b'ready\\n')\n        while True: pass"


def ready_node(moment):
    code = READY_NODE
    for name in ("INITIALIZE", "PROCESS", "FLUSH", "CLEANUP"):
        code = code.replace(f"MOMENT_{name}", SPIN if name == moment else "pass")
    return code


class Interrupt(ProgramTest):
    def wait_ready(self, process, word=b"ready"):
        """Reads stderr up to the line that says so; what came before is returned."""
        seen = b""
        while word not in seen:
            line = process.stderr.readline()
            if not line:
                self.fail(f"ended before it was ready: exit {process.wait()}\n{seen.decode()}")
            seen += line
        return seen

    def wait_blocked(self, process):
        """Until the main thread is in a system call that waits: the state after the name in /proc."""
        while True:
            with open(f"/proc/{process.pid}/stat") as stat:
                state = stat.read().rpartition(")")[2].split()[0]
            if state == "S":
                return
            self.assertNotIn(state, "ZX", "ended before it blocked")

    def finish(self, process, limit=60):
        stdout, stderr = process.communicate(timeout=limit)
        self.assert_no_crash(process.returncode, stderr.decode(errors="replace"))
        return process.returncode, stdout.decode(), stderr.decode(errors="replace")

    def marks(self):
        path = self.folder / "marks"
        return path.read_text().splitlines() if path.exists() else []

    def interrupted(self, moment, number=signal.SIGINT, args=()):
        pipeline = manifest(
            [
                node("a", "Python", {"code": ready_node("")}),
                node("b", "Python", {"code": ready_node(moment)}),
                node("c", "Python", {"code": ready_node("")}),
            ],
            ["a > b > c"],
        )
        path = self.write("m.json", {"manifest": pipeline, "input_data": [1, 2, 3]})
        process = self.start("run", path, *args, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        process.send_signal(number)
        code, stdout, stderr = self.finish(process)
        self.assertEqual(code, 130, stderr)
        return stdout, stderr

    def assert_closed(self, marks):
        opened = sorted(m.split()[0] for m in marks if m.endswith("open"))
        closed = sorted(m.split()[0] for m in marks if m.endswith("close"))
        return opened, closed

    def test_inside_an_item(self):
        stdout, _ = self.interrupted("PROCESS")
        document = json.loads(stdout)
        self.assertEqual(document["status"], "error")
        self.assertEqual(document["error"]["code"], "cancelled")
        self.assertEqual(document["error"]["node"], "b")
        opened, closed = self.assert_closed(self.marks())
        self.assertEqual((opened, closed), (["a", "b", "c"], ["a", "b", "c"]))

    def test_inside_an_item_with_sigterm(self):
        self.interrupted("PROCESS", signal.SIGTERM)
        opened, closed = self.assert_closed(self.marks())
        self.assertEqual((opened, closed), (["a", "b", "c"], ["a", "b", "c"]))

    def test_inside_initialize_the_opened_ones_are_closed(self):
        self.interrupted("INITIALIZE")
        opened, closed = self.assert_closed(self.marks())
        self.assertIn("b", opened)
        self.assertEqual([x for x in closed if x != "b"], [x for x in opened if x != "b"])

    def interrupted_in(self, blocking):
        """Ctrl-C while a node is in a call that blocks; not a word of it is Python code."""
        code = ready_node("PROCESS").replace("while True: pass", blocking)
        code = code.replace(
            "import os, sys", "import os, sys, threading, time\nlock = threading.Lock()\nlock.acquire()"
        )
        nodes = [node("a", "Python", {"code": ready_node("")}), node("b", "Python", {"code": code})]
        path = self.write("m.json", {"manifest": manifest(nodes, ["a > b"]), "input_data": [1]})
        process = self.start("run", path, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        self.wait_blocked(process)
        process.send_signal(signal.SIGINT)
        code, stdout, stderr = self.finish(process)
        self.assertEqual(code, 130, stderr)
        self.assertEqual(json.loads(stdout)["error"]["code"], "cancelled")
        self.assertEqual(json.loads(stdout)["error"]["node"], "b")
        opened, closed = self.assert_closed(self.marks())
        self.assertEqual((opened, closed), (["a", "b"], ["a", "b"]))

    def test_in_a_node_that_sleeps(self):
        self.interrupted_in("time.sleep(600)")

    def test_in_a_node_that_waits_for_a_lock(self):
        self.interrupted_in("lock.acquire()")

    def test_in_a_node_that_waits_for_a_descriptor(self):
        self.interrupted_in("__import__('select').select([os.pipe()[0]], [], [])")

    def test_in_a_node_that_reads(self):
        self.interrupted_in("os.read(os.pipe()[0], 1)")

    def test_in_a_node_that_waits_for_its_thread(self):
        self.interrupted_in("t = threading.Thread(target=time.sleep, args=(600,), daemon=True); t.start(); t.join()")

    def test_in_a_coroutine_that_sleeps(self):
        code = "import asyncio, os\nasync def process(x):\n    os.write(2, b'ready\\n')\n    await asyncio.sleep(600)\n"
        path = self.write(
            "m.json", {"manifest": manifest([node("p", "Python", {"code": code})]), "input_data": [1]}
        )
        process = self.start("run", path, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)

    def test_between_two_attempts(self):
        code = "import os\ndef process(x):\n    os.write(2, b'ready\\n')\n    raise OSError\n"
        flaky = node("p", "Python", {"code": code}, retry={"attempts": 3, "backoff_ms": 600000})
        path = self.write("m.json", {"manifest": manifest([flaky]), "input_data": [1]})
        process = self.start("run", path, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)

    def test_inside_flush(self):
        self.interrupted("FLUSH")
        opened, closed = self.assert_closed(self.marks())
        self.assertEqual((opened, closed), (["a", "b", "c"], ["a", "b", "c"]))

    def test_inside_cleanup_the_others_are_closed(self):
        self.interrupted("CLEANUP")
        opened, closed = self.assert_closed(self.marks())
        self.assertEqual((opened, closed), (["a", "b", "c"], ["a", "b", "c"]))

    def test_while_waiting_for_input(self):
        path = self.write(
            "m.json",
            manifest([node("a", "Python", {"code": ready_node("")}), node("b", "PassThrough")], ["a > b"]),
        )
        process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
        process.stdin.write(b"1\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"1\n", "a line is answered before the next one comes")
        process.send_signal(signal.SIGINT)
        code, stdout, stderr = self.finish(process)
        self.assertEqual(code, 130, stderr)
        self.assertEqual(stdout, "")
        self.assertEqual(self.marks(), ["a open", "a close"])

    def test_in_an_endless_native_run(self):
        path = self.write(
            "m.json",
            manifest(
                [
                    node("s", "SimpleSource", {"count": 2**63 - 1, "value": {"a": [1.5]}}),
                    node("p", "PassThrough"),
                ],
                ["s > p"],
            ),
        )
        process = self.start("run", path, "--format", "jsonl", stdin=subprocess.DEVNULL)
        for _ in range(1000):
            self.assertEqual(process.stdout.readline(), b'{"a":[1.5]}\n')
        process.send_signal(signal.SIGINT)
        code, stdout, stderr = self.finish(process)
        self.assertEqual(code, 130, stderr[-2000:])
        self.assertEqual(set(stdout.split("\n")), {'{"a":[1.5]}', ""})
        self.assertTrue(stdout.endswith("\n"))

    def test_a_second_signal_does_no_harm(self):
        path = self.write(
            "m.json",
            {"manifest": manifest([node("b", "Python", {"code": ready_node("PROCESS")})]), "input_data": [1]},
        )
        process = self.start("run", path, stdin=subprocess.DEVNULL)
        self.wait_ready(process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        code, _, stderr = self.finish(process)
        self.assertIn(code, (130, -signal.SIGINT), stderr)

    def test_at_many_moments_of_a_stream(self):
        path = self.write(
            "m.json",
            manifest(
                [
                    node("s", "PassThrough"),
                    node("l", "AddNode", {"addend": 1}),
                    node("r", "Python", {"code": ready_node("")}),
                    node("j", "PassThrough"),
                ],
                ["s > l > j", "s > r > j"],
            ),
        )
        for lines in (1, 2, 7, 64, 65, 500):
            with self.subTest(lines=lines):
                process = self.start(
                    "run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl"
                )
                process.stdin.write(b"".join(b"%d\n" % i for i in range(lines + 1)))
                process.stdin.flush()
                got = b"".join(process.stdout.readline() for _ in range(2 * lines))
                process.send_signal(signal.SIGINT)
                code, stdout, stderr = self.finish(process)
                self.assertEqual(code, 130, stderr)
                whole = got.decode() + stdout
                self.assertTrue(whole == "" or whole.endswith("\n"))
                want = "".join(f"{i + 1}\n{i}\n" for i in range(lines + 1))
                self.assertEqual(whole, want[: len(whole)])

    def test_from_the_first_moment_on(self):
        """The signal comes before the program has begun: it ends at once or is interrupted later."""
        path = self.write(
            "m.json",
            {"manifest": manifest([node("b", "Python", {"code": ready_node("PROCESS")})]), "input_data": [1]},
        )
        for _ in range(10):
            process = self.start("run", path, stdin=subprocess.DEVNULL)
            process.send_signal(signal.SIGINT)
            self.assertIn(
                self.finish(process)[0] if process.wait(60) in range(128) else process.returncode,
                (130, -signal.SIGINT),
            )

    def test_kill_in_the_middle_leaves_whole_lines(self):
        path = self.write(
            "m.json",
            manifest(
                [
                    node("s", "SimpleSource", {"count": 2**63 - 1, "value": "x" * 1000}),
                    node("p", "PassThrough"),
                ],
                ["s > p"],
            ),
        )
        out = self.folder / "out.jsonl"
        line = b'"' + b"x" * 1000 + b'"\n'
        for size in (1, 5000, 1000000):
            out.unlink(missing_ok=True)
            process = self.start("run", path, "--output", out, stdin=subprocess.DEVNULL)
            while not (out.exists() and out.stat().st_size >= size):
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGKILL)
            process.wait()
            data = out.read_bytes()
            # Each write of the program ends with a line; the kernel may cut one short, at a page.
            self.assertTrue(
                len(data) % len(line) == 0 or len(data) % os.sysconf("SC_PAGESIZE") == 0, len(data)
            )
            self.assertEqual(data, (line * (len(data) // len(line) + 1))[: len(data)])

    def test_kill_of_a_slow_stream_leaves_whole_lines(self):
        path = self.write("m.json", manifest([node("p", "PassThrough"), node("q", "AddNode")], ["p > q"]))
        for lines in (1, 10, 300):
            process = self.start("run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl")
            process.stdin.write(b"".join(b"%d\n" % i for i in range(lines)))
            process.stdin.flush()
            first = process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            data = first + process.stdout.read()
            self.assertTrue(data.endswith(b"\n"), data[-100:])
            self.assertTrue(b"".join(b"%d\n" % i for i in range(lines)).startswith(data))

    def test_a_reader_that_goes_away_ends_the_run(self):
        path = self.write(
            "m.json",
            manifest(
                [
                    node("s", "SimpleSource", {"count": 2**63 - 1, "value": 1}),
                    node("a", "Python", {"code": ready_node("")}),
                ],
                ["s > a"],
            ),
        )
        process = self.start("run", path, "--format", "jsonl", stdin=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.stdout.close()
        stderr = process.stderr.read().decode()
        code = process.wait(60)
        self.assert_no_crash(code, stderr)
        self.assertLessEqual(code, 4)
        self.assertEqual(self.marks(), ["a open", "a close"])

    def test_a_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        path = self.write(
            "m.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": list(range(5000))}
        )
        for args in ([], ["--format", "jsonl"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [str(PROGRAM), "run", str(path), *args],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    stdin=subprocess.DEVNULL,
                    cwd=self.folder,
                    env=environment(),
                    timeout=60,
                    check=False,
                )
            self.assertEqual(done.returncode, 4, done.stderr.decode())
            self.assertIn(b"No space left", done.stderr)

    def test_a_stdout_that_is_closed(self):
        path = self.write("m.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": [1]})
        done = subprocess.run(
            ["sh", "-c", 'exec "$0" run "$1" >&-', str(PROGRAM), str(path)],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment(),
            timeout=60,
            check=False,
        )
        self.assertEqual(done.returncode, 4, done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
