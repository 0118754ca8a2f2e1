"""Ctrl-C and --timeout while the program itself waits: for input, for a reader of its output, for code that is imported."""

import array
import fcntl
import json
import os
import pathlib
import signal
import termios
import time
import unittest

from support import SLOWNESS, ProgramTest, manifest, node

SLEEPING = "import os, time\nos.write(2, b'ready\\n')\ntime.sleep(600)\ndef process(x): return x"
TONE = (pathlib.Path(__file__).resolve().parent.parent / "cases/data/tone.wav").read_bytes()
# More than pipes hold.
LONG = TONE[:40] + (1 << 20).to_bytes(4, "little") + bytes(1 << 20)
ENDLESS = ((("SimpleSource", {"count": 2**62, "value": "x" * 100}), "JsonlSink"), (("AudioFileSource", {"path": "a.wav"}), "AudioFileSink"))
# Ends within this: less than what the program gives to who does not stop, and much more than it needs.
SOON = 4 * SLOWNESS
TIME = int(300 * SLOWNESS)


class Stops(ProgramTest):
    def setUp(self):
        super().setUp()
        self.copy = self.write("m.json", manifest([node("p", "PassThrough")]))

    def waits(self, process):
        """Where in the kernel the main thread is, and whether it sleeps there."""
        with open(f"/proc/{process.pid}/wchan") as wchan, open(f"/proc/{process.pid}/stat") as stat:
            return wchan.read(), stat.read().rpartition(")")[2].split()[0]

    def wait_waiting(self, process):
        """Until the main thread waits in the kernel, and not for another thread: it waits for its watchdog to start."""
        before, now = None, self.waits(process)
        while before != now or now[1] != "S" or now[0].startswith("futex"):
            self.assertIsNone(process.poll(), "ended before it waited")
            before, now = now, self.waits(process)

    def wait_full(self, process, pipe):
        """Until nothing more goes into the pipe, whose other end the program has."""
        there = array.array("i", [0])
        while there[0] < fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) - 4096:
            self.assertIsNone(process.poll(), "ended before it waited")
            fcntl.ioctl(pipe, termios.FIONREAD, there)
        self.wait_waiting(process)

    def end_of(self, process, code, says, read=True):
        """How it ends, soon; its error document, wherever that is."""
        began = time.monotonic()
        self.assertEqual(process.wait(60 * SLOWNESS), code)
        self.assertLess(time.monotonic() - began, SOON)
        stdout, stderr = process.stdout.read(), process.stderr.read().decode()
        self.assert_no_crash(code, stderr)
        document = json.loads(stdout.decode() if read else stderr.splitlines()[-1])
        self.assertEqual(document["error"]["code"], "cancelled" if code == 130 else "timeout")
        self.assertIn(says, document["error"]["message"])
        return document["error"], stdout

    def each_way(self, args, feed=b"", says="", read=True, ready=None, stdin=None, command="run", number=signal.SIGINT):
        """Both ends of a command that waits for ever."""
        for timeout in ((), ("--timeout", f"{TIME}ms")):
            with self.subTest(timeout=timeout):
                more = {} if stdin is None else {"stdin": open(stdin, "rb")}
                process = self.start(command, *args, *timeout, **more)
                if more:
                    more["stdin"].close()
                if feed:
                    process.stdin.write(feed)
                    process.stdin.flush()
                if timeout:
                    error, _ = self.end_of(process, 5, f"did not end within its timeout of {TIME} ms", read)
                    continue
                if ready:
                    self.assertEqual(process.stderr.readline(), ready)
                if read:
                    self.wait_waiting(process)
                else:
                    self.wait_full(process, process.stdout)
                process.send_signal(number)
                error, _ = self.end_of(process, 130, says, read)
        return error

    def test_a_manifest_that_does_not_end(self):
        for command in ("run", "validate", "graph"):
            self.each_way(["-"], b'{"version": ', "interrupted while reading the manifest", command=command)

    def test_a_document_that_does_not_end(self):
        self.each_way([self.copy, "--input", "-"], b"[1, ", "interrupted while reading standard input")

    def test_sigterm(self):
        self.each_way([self.copy, "--input", "-"], b"[1, ", "interrupted while reading standard input",
                      number=signal.SIGTERM)

    def test_a_document_that_comes_without_end(self):
        process = self.start("run", self.copy, "--input", "-", "--timeout", f"{TIME}ms", stdin=open("/dev/zero", "rb"))
        self.end_of(process, 5, f"within its timeout of {TIME} ms")

    def test_a_named_pipe_that_nobody_writes_to(self):
        os.mkfifo(self.folder / "pipe")
        self.each_way([self.copy, "--input", "pipe"], says="interrupted while opening pipe")
        self.each_way(["pipe"], says="interrupted while opening pipe")

    def test_a_named_pipe_that_nobody_reads_from(self):
        os.mkfifo(self.folder / "pipe")
        path = self.write("i.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": [1]})
        self.each_way([path, "--output", "pipe"], says="interrupted")

    def test_nodes_that_wait_for_a_pipe(self):
        os.mkfifo(self.folder / "pipe")
        for reader in ("AudioFileSource", "FileLines"):
            for path in ("pipe", "-"):
                with self.subTest(reader=reader, path=path):
                    self.write("m2.json", manifest([node("n", reader, {"path": path})]))
                    self.each_way(["m2.json"], says="cancelled")

    def test_a_node_whose_writer_stands_still(self):
        os.mkfifo(self.folder / "pipe")
        for reader, start in (("AudioFileSource", TONE[:444]), ("FileLines", b"one\ntw")):
            with self.subTest(reader=reader):
                self.write("m2.json", manifest([node("n", reader, {"path": "pipe"})]))
                writer = os.open(self.folder / "pipe", os.O_RDWR)
                self.addCleanup(os.close, writer)
                os.write(writer, start)
                self.each_way(["m2.json"], says="cancelled")

    def test_nodes_whose_reader_does_not_come(self):
        os.mkfifo(self.folder / "pipe")
        for source, sink in ENDLESS:
            with self.subTest(sink=sink):
                self.write("a.wav", TONE)
                self.write("m2.json", manifest([node("s", *source), node("n", sink, {"path": "pipe"})], ["s > n"]))
                self.each_way(["m2.json"], says="cancelled")

    def test_nodes_whose_reader_stands_still(self):
        os.mkfifo(self.folder / "pipe")
        for source, sink in ENDLESS:
            with self.subTest(sink=sink):
                self.write("a.wav", LONG)
                self.write("m2.json", manifest([node("s", *source), node("n", sink, {"path": "pipe"})], ["s > n"]))
                reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
                self.addCleanup(os.close, reader)
                self.each_way(["m2.json"], says="cancelled")

    def test_the_timeout_of_a_node_that_waits_for_a_pipe(self):
        os.mkfifo(self.folder / "pipe")
        sink = node("n", "JsonlSink", {"path": "pipe"}, timeout_ms=TIME)
        self.write("m2.json", manifest([node("s", "SimpleSource", {"count": 2**62, "value": "x" * 100}), sink], ["s > n"]))
        reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        began = time.monotonic()
        process = self.start("run", "m2.json")
        self.assertEqual(process.wait(60 * SLOWNESS), 5)
        self.assertLess(time.monotonic() - began, SOON)
        self.assertIn(b"took longer than its timeout_ms", process.stdout.read())

    def test_code_that_is_imported(self):
        path = self.write("i.json", {"manifest": manifest([node("n", "Python", {"code": SLEEPING})]), "input_data": [1]})
        self.write("slow.py", SLEEPING.replace("def process", "class Node:\n    def process").replace("(x)", "(self, x)"))
        module = self.write("s.json", {"manifest": manifest([node("n", "slow:Node")]), "input_data": [1]})
        for command in ("run", "validate", "graph"):
            error = self.each_way([path], says="interrupted", ready=b"ready\n", command=command)
            self.assertEqual((error["node"], error["pointer"]), ("n", "/nodes/0/params/code"))
        error = self.each_way([module], says="interrupted", ready=b"ready\n")
        self.assertEqual((error["node"], error["pointer"]), ("n", "/nodes/0/node_type"))

    def test_code_that_is_imported_to_be_told_about(self):
        self.write("slow.py", SLEEPING)
        process = self.start("nodes", "info", "slow:Node", "--path", ".")
        self.assertEqual(process.stderr.readline(), b"ready\n")
        process.send_signal(signal.SIGINT)
        self.end_of(process, 130, "interrupted")

    def test_code_that_catches_the_exception_once(self):
        code = SLEEPING.replace("time.sleep(600)", "try: time.sleep(600)\nexcept BaseException: pass\ntime.sleep(600)")
        path = self.write("i.json", {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]})
        self.each_way([path], says="interrupted", ready=b"ready\n")

    def test_a_reader_of_lines_that_stands_still(self):
        path = self.write("s.json", manifest([node("s", "SimpleSource", {"count": 2**63 - 1, "value": "x" * 100})]))
        self.each_way([path, "--format", "jsonl"], says="", read=False)

    def test_a_reader_of_a_document_that_stands_still(self):
        path = self.write("i.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": ["x" * 1000] * 300})
        self.each_way([path], says="", read=False)

    def test_a_reader_of_errors_that_stands_still(self):
        """Nothing can be said any more; the end comes when the patience with the node is over."""
        code = "import os\ndef process(x):\n    while True: os.write(2, b'x' * 100)"
        path = self.write("i.json", {"manifest": manifest([node("n", "Python", {"code": code})]), "input_data": [1]})
        process = self.start("run", path)
        self.wait_full(process, process.stderr)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60 * SLOWNESS), 130)

    def test_a_slow_reader_gets_whole_lines(self):
        """What was begun is written to the end as long as it is taken, after Ctrl-C too."""
        path = self.write("s.json", manifest([node("s", "SimpleSource", {"count": 2**63 - 1, "value": "x" * 99})]))
        process = self.start("run", path, "--format", "jsonl")
        self.wait_full(process, process.stdout)
        process.send_signal(signal.SIGINT)
        data = process.stdout.read()
        self.assertEqual(process.wait(60 * SLOWNESS), 130)
        self.assertEqual(set(data.split(b"\n")), {b'"' + b"x" * 99 + b'"', b""})
        self.assertTrue(data.endswith(b"\n"))

    def test_a_non_blocking_pipe_that_nobody_reads(self):
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        path = self.write("s.json", manifest([node("s", "SimpleSource", {"count": 2**63 - 1, "value": "x" * 100})]))
        process = self.start("run", path, "--format", "jsonl", "--timeout", f"{TIME}ms", stdout=writing)
        os.close(writing)
        self.assertEqual(process.wait(60 * SLOWNESS), 5)




if __name__ == "__main__":
    unittest.main()
