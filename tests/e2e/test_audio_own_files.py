"""A file that a run reads or writes has no second use in it, by whatever name: links that lead nowhere yet, the files behind
standard output and standard error, the files of arrays, pipes. And audio on standard output."""

import json
import os
import pathlib
import signal
import struct
import subprocess

from support import PROGRAM, SLOWNESS, ProgramTest, manifest, node
from ports import environment

DATA = pathlib.Path(__file__).resolve().parent.parent / "cases" / "data"


def audio(source="a.wav", sink="b.wav", **more):
    return manifest([node("file", "AudioFileSource", {"path": source}), node("sink", "AudioFileSink", {"path": sink, **more})],
                    ["file > sink"])


class OneFile(ProgramTest):
    def setUp(self):
        super().setUp()
        self.tone = (DATA / "tone.wav").read_bytes()
        self.write("a.wav", self.tone)

    def redirected(self, document, *args, **streams):
        """Runs with standard streams that are files of the folder: out=("b.wav", "ab")."""
        self.write("m.json", document)
        files = {name: open(self.folder / path, mode) for name, (path, mode) in streams.items()}
        done = subprocess.run([str(PROGRAM), "run", "m.json", *args], cwd=self.folder, env=environment(), check=False,
                              timeout=120 * SLOWNESS, stdin=subprocess.DEVNULL, stdout=files.get("out", subprocess.PIPE),
                              stderr=files.get("error", subprocess.PIPE))
        for file in files.values():
            file.close()
        self.assert_no_crash(done.returncode, (done.stderr or b"").decode())
        return done

    def refused(self, done, *words, code="value", at="/nodes/1/params/path"):
        self.assertEqual(done.exit, 1, done.stderr)
        error = done.document["error"]
        self.assertEqual((error["code"], error["pointer"]), (code, at), error)
        self.assertTrue(error["hint"])
        for word in words:
            self.assertIn(word, error["message"] + error["hint"])

    def test_two_sinks_through_a_link_that_leads_nowhere(self):
        (self.folder / "folder").mkdir()
        (self.folder / "link.jsonl").symlink_to("folder/other")
        (self.folder / "folder/other").symlink_to(self.folder / "new.jsonl")
        both = manifest([node("one", "JsonlSink", {"path": "link.jsonl"}), node("two", "JsonlSink", {"path": "new.jsonl"})])
        self.refused(self.run_program("run", self.write("m.json", both)), "which node 'one' writes too")
        self.assertFalse((self.folder / "new.jsonl").exists())

    def test_a_link_in_a_circle_is_no_file(self):
        (self.folder / "a").symlink_to("b")
        (self.folder / "b").symlink_to("a")
        both = manifest([node("one", "JsonlSink", {"path": "a"}), node("two", "JsonlSink", {"path": "b"})])
        done = self.run_program("run", self.write("m.json", both))
        self.assertEqual(done.document["error"]["code"], "io")

    def test_a_sink_and_the_output_through_a_link_that_leads_nowhere(self):
        (self.folder / "link").symlink_to("new")
        sink = self.write("m.json", manifest([node("out", "JsonlSink", {"path": "new"})]))
        for form in ("json", "jsonl"):
            done = self.run_program("run", sink, "--output", "link", "--format", form)
            self.assertEqual(done.exit, 1, done.stderr)
            self.assertIn("which is written by the program in this run", done.stderr)
            self.assertIn("at: /nodes/0/params/path", done.stderr)

    def test_the_output_follows_a_link_that_leads_nowhere(self):
        (self.folder / "link").symlink_to("new")
        path = self.write("m.json", {"manifest": manifest([node("p", "PassThrough")]), "input_data": [1]})
        self.assertEqual(self.run_program("run", path, "--output", "link").exit, 0)
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(json.loads((self.folder / "new").read_text())["outputs"], {"p": [1]})

    def test_a_run_that_is_refused_leaves_the_output_alone(self):
        self.write("lines", "1\n2\n")
        path = self.write("m.json", manifest([node("lines", "FileLines", {"path": "lines"})]))
        done = self.run_program("run", path, "--output", "lines", "--format", "jsonl")
        self.assertEqual(done.exit, 1, done.stderr)
        self.assertIn("'path' would read 'lines', which is written by the program", done.stderr)
        self.assertEqual((self.folder / "lines").read_text(), "1\n2\n")

    def test_a_run_that_is_refused_leaves_no_empty_output(self):
        """A file that the program has made goes again, at the end of a link too; what was there stays."""
        refused = self.write("m.json", audio(sink="a.wav"))
        (self.folder / "link.jsonl").symlink_to("linked")
        for name, made in (("new.jsonl", "new.jsonl"), ("link.jsonl", "linked")):
            done = self.run_program("run", refused, "--output", name)
            self.assertEqual(done.exit, 1, done.stderr)
            self.assertFalse((self.folder / made).exists(), name)
        self.assertTrue((self.folder / "link.jsonl").is_symlink())
        for text in ("", "1\n"):
            old = self.write("old.jsonl", text)
            self.assertEqual(self.run_program("run", refused, "--output", old).exit, 1)
            self.assertEqual(old.read_text(), text)
        missing = self.write("m.json", audio(source="none.wav"))
        self.assertEqual(self.run_program("run", missing, "--output", "new.jsonl").exit, 1)
        self.assertFalse((self.folder / "new.jsonl").exists())
        (self.folder / "pipe.jsonl").symlink_to("/dev/null")
        self.assertEqual(self.run_program("run", refused, "--output", "pipe.jsonl").exit, 1)
        self.assertTrue((self.folder / "pipe.jsonl").exists())

    def test_a_run_without_results_makes_its_output(self):
        done = self.run_program("run", self.write("m.json", audio()), "--output", "new.jsonl")
        self.assertEqual((done.exit, (self.folder / "new.jsonl").read_text()), (0, ""), done.stderr)

    def test_standard_output_is_the_sinks_file(self):
        done = self.redirected(audio(sink="new.wav"), out=("new.wav", "wb"))
        self.assertEqual(done.returncode, 1)
        for word in (b"'path' would write 'new.wav', which is standard output of this run", b"at: /nodes/1/params/path",
                     b"'>' has emptied cannot be brought back"):
            self.assertIn(word, done.stderr)

    def test_standard_output_is_the_sources_file(self):
        done = self.redirected(audio(source="b.wav", sink="c.wav"), out=(self.write("b.wav", self.tone).name, "ab"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"'path' would read 'b.wav', which is standard output of this run", done.stderr)
        self.assertTrue((self.folder / "b.wav").read_bytes().startswith(self.tone))
        self.assertFalse((self.folder / "c.wav").exists())

    def test_standard_error_is_the_sources_file(self):
        done = self.redirected(audio(sink="c.wav"), error=("a.wav", "ab"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"would read 'a.wav', which is standard error of this run", done.stdout)

    def test_standard_error_is_the_sinks_file(self):
        done = self.redirected(audio(sink="log"), error=("log", "wb"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"would write 'log', which is standard error of this run", done.stdout)

    def test_what_standard_output_would_spoil_stays_as_it_is(self):
        both = audio("b.wav", "b.wav")
        twice = manifest([node("one", "FileLines", {"path": "b.wav"}), node("two", "AudioFileSource", {"path": "b.wav"})])
        for document, mode, args in ((audio("b.wav", "c.wav"), "ab", ()), (audio("b.wav", "c.wav"), "r+b", ("--output", "r.json")),
                                     (audio("b.wav", "c.wav"), "r+b", ("--format", "jsonl")), (both, "r+b", ()), (twice, "r+b", ()),
                                     (audio("b.wav", "-"), "r+b", ("--output", "r.json"))):
            with self.subTest(document=document, mode=mode, args=args):
                self.write("b.wav", self.tone)
                done = self.redirected(document, *args, out=("b.wav", mode))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual((self.folder / "b.wav").read_bytes(), self.tone)
                error = json.loads(done.stderr.splitlines()[-1])["error"]
                self.assertEqual(error["code"], "value", error)

    def test_standard_input_and_output_are_one_file(self):
        self.write("m.json", audio("-", "-"))
        with open(self.folder / "a.wav", "rb") as source, open(self.folder / "a.wav", "r+b") as sink:
            done = subprocess.run([str(PROGRAM), "run", "m.json", "--output", "r.json"], cwd=self.folder, env=environment(), check=False,
                                  timeout=120 * SLOWNESS, stdin=source, stdout=sink, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"which is standard output of this run", done.stderr)
        self.assertEqual(json.loads(done.stderr.splitlines()[-1])["error"]["node"], "file")
        self.assertEqual((self.folder / "a.wav").read_bytes(), self.tone)

    def test_the_document_of_another_error_spoils_no_file(self):
        """The manifest is invalid, and standard output would go into it."""
        bad = {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": "n", "node_type": "NoSuch"}], "connections": []}
        done = self.redirected(bad, out=("m.json", "ab"))
        self.assertEqual(done.returncode, 3)
        self.assertEqual(json.loads((self.folder / "m.json").read_text()), bad)
        self.assertEqual(json.loads(done.stderr.splitlines()[-1])["error"]["code"], "unknown_node_type")

    def test_standard_streams_that_nobody_else_uses(self):
        done = self.redirected(audio(), out=("log", "wb"), error=("log", "ab"))
        self.assertEqual(done.returncode, 0)
        self.assertEqual((self.folder / "b.wav").read_bytes(), self.tone)

    def test_the_programs_own_files(self):
        items = self.write("items.jsonl", "1\n2\n").name
        copy = manifest([node("p", "PassThrough")])
        text = json.dumps(copy)
        lines = ("--format", "jsonl", "--input", items)
        for args, streams, says in (((*lines, "--output", "m.json"), {}, b"--output would overwrite the file of the manifest"),
                                    ((*lines, "--output", items), {}, b"--output would overwrite the file of --input"),
                                    (lines, {"out": (items, "ab")}, b"standard output would overwrite the file of --input"),
                                    ((*lines, "--output", "o"), {"out": ("o", "ab")}, b"overwrite the file of --output")):
            with self.subTest(args=args, streams=streams):
                done = self.redirected(copy, *args, **streams)
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr)
                self.assertEqual((self.folder / "m.json").read_text(), text)
                self.assertEqual((self.folder / items).read_text(), "1\n2\n")

    def test_an_array_over_a_file_that_is_read(self):
        self.write("arrays/file-0.npy", self.tone)
        self.write("arrays/file-x.npy", self.tone)
        for source, sink in (("arrays/file-0.npy", "b.wav"), ("a.wav", "arrays/../arrays/file-12.npy")):
            document = audio(source, sink)
            document["nodes"].append(node("twin", "AudioFileSource", {"path": "a.wav"}))
            document["nodes"][0]["id"], document["nodes"][2]["id"] = "in", "file"
            document["connections"][0]["from"] = "in"
            done = self.run_program("run", self.write("m.json", document), "--arrays", "npy:arrays")
            self.refused(done, "which is for an array of node 'file'", "another folder", at=f"/nodes/{int(sink != 'b.wav')}/params/path")
        document = manifest([node("file", "AudioFileSource", {"path": "arrays/file-x.npy"})])
        self.assertEqual(self.run_program("run", self.write("m.json", document), "--arrays", "npy:arrays").exit, 0)

    def test_an_array_through_a_link(self):
        (self.folder / "arrays").mkdir()
        (self.folder / "arrays/file-7.npy").symlink_to("../a.wav")
        document = self.write("m.json", manifest([node("file", "AudioFileSource", {"path": "a.wav"})]))
        done = self.run_program("run", document, "--arrays", "npy:arrays")
        self.refused(done, "'path' would read 'a.wav', which is for an array of node 'file'", at="/nodes/0/params/path")
        self.assertEqual((self.folder / "a.wav").read_bytes(), self.tone)
        (self.folder / "arrays/file-7.npy").rename(self.folder / "arrays/other-7.npy")
        self.assertEqual(self.run_program("run", document, "--arrays", "npy:arrays").exit, 0)

    def test_a_pipe_has_one_reader(self):
        os.mkfifo(self.folder / "pipe")
        os.link(self.folder / "pipe", self.folder / "other")
        both = manifest([node("one", "AudioFileSource", {"path": "pipe"}), node("two", "FileLines", {"path": "other"})])
        self.refused(self.run_program("run", self.write("m.json", both)), "which node 'one' reads too", "part of it")
        through = audio("pipe", "other")
        self.refused(self.run_program("run", self.write("m.json", through)), "which node 'file' reads")

    def test_standard_input_has_one_reader(self):
        both = manifest([node("one", "AudioFileSource", {"path": "-"}), node("two", "FileLines", {"path": "/dev/stdin"})])
        done = self.run_program("run", self.write("m.json", both), stdin=self.tone)
        self.refused(done, "node 'one' reads standard input already", "read it once", code="usage")


class StandardOutput(ProgramTest):
    def setUp(self):
        super().setUp()
        self.tone = (DATA / "tone.wav").read_bytes()
        self.write("a.wav", self.tone)

    def run_bytes(self, document, *args, stdout=subprocess.PIPE):
        self.write("m.json", document)
        done = subprocess.run([str(PROGRAM), "run", "m.json", *args], cwd=self.folder, env=environment(), check=False,
                              stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, timeout=120 * SLOWNESS)
        self.assert_no_crash(done.returncode, done.stderr.decode())
        return done

    def test_beside_the_results(self):
        for name in ("-", "/dev/stdout"):
            done = self.run_program("run", self.write("m.json", audio(sink=name)))
            error = done.document["error"]
            self.assertEqual((error["code"], error["pointer"], error["node"]), ("usage", "/nodes/1/params/path", "sink"))
            self.assertIn("--output FILE", error["hint"])
            self.assertIn("the results go there", error["message"])
            self.assertFalse((self.folder / "-").exists())

    def test_into_a_pipe(self):
        for name in ("-", "/dev/stdout"):
            done = self.run_bytes(audio(sink=name), "--output", "r.json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout[44:], self.tone[44:])
            self.assertEqual(done.stdout[40:44], b"\xff\xff\xff\xff")
            self.assertEqual(json.loads((self.folder / "r.json").read_text())["status"], "success")

    def test_into_a_file(self):
        with open(self.folder / "b.wav", "wb") as out:
            self.assertEqual(self.run_bytes(audio(sink="-"), "--output", "r.json", stdout=out).returncode, 0)
        self.assertEqual((self.folder / "b.wav").read_bytes(), self.tone)

    def test_behind_what_a_file_holds(self):
        self.write("b.wav", b"head")
        with open(self.folder / "b.wav", "ab") as out:
            self.assertEqual(self.run_bytes(audio(sink="-"), "--output", "r.json", stdout=out).returncode, 0)
        self.assertEqual((self.folder / "b.wav").read_bytes()[48:], self.tone[44:])
        self.assertTrue((self.folder / "b.wav").read_bytes().startswith(b"headRIFF"))

    def test_a_failure_does_not_spoil_the_audio(self):
        self.write("cut.wav", self.tone[:844])
        done = self.run_bytes(audio("cut.wav", "-"), "--output", "r.json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout[44:], self.tone[44:844])
        self.assertIn(b'{"status":"error","error":{"code":"parse"', done.stderr)

    def test_lines(self):
        self.write("lines", "one\ntwo\n")
        document = manifest([node("in", "FileLines", {"path": "lines"}), node("out", "JsonlSink", {"path": "-"})], ["in > out"])
        done = self.run_bytes(document, "--output", "r.json")
        self.assertEqual((done.returncode, done.stdout), (0, b'"one"\n"two"\n'), done.stderr)

    def test_one_node_alone(self):
        document = audio(sink="-")
        document["nodes"].append(node("out", "JsonlSink", {"path": "-"}))
        done = self.run_program("run", self.write("m.json", document), "--output", "r.json")
        self.assertEqual(done.exit, 1)
        self.assertIn("node 'sink' writes standard output already", done.document["error"]["message"])

    def test_audio_came_but_the_file_cannot_be_opened(self):
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        for path, args, code in (("folder", (), "io"), ("none/b.wav", (), "not_found"), ("pipe", ("--timeout", "500ms"), "timeout")):
            with self.subTest(path=path):
                done = self.run_program("run", self.write("m.json", audio(sink=path)), *args)
                self.assertEqual(done.document["error"]["code"], code)
                self.assertNotIn("no audio came", done.stderr)

    def test_standard_output_is_closed(self):
        self.write("m.json", audio(sink="-"))
        done = subprocess.run(["sh", "-c", '"$0" run m.json --output r.json >&-', str(PROGRAM)], cwd=self.folder, env=environment(),
                              check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120 * SLOWNESS)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"error: standard output is not free: it is closed", done.stderr)
        self.assertNotIn(b"the results go there", done.stderr)
        self.assertIn(b"at: /nodes/1/params/path", done.stderr)

    def test_a_reader_that_goes_away(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run_bytes(audio(sink="-"), "--output", "r.json", stdout=writer)
        os.close(writer)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"error: cannot write standard output: Broken pipe\n", done.stderr)

    def test_the_sources_own_file(self):
        with open(self.folder / "a.wav", "ab") as out:
            done = self.run_bytes(audio(sink="-"), "--output", "r.json", stdout=out)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"would read 'a.wav', which is standard output of this run", done.stderr)


class Killed(ProgramTest):
    def killed(self, form):
        """What AudioFileSink's file holds when the program is killed in the middle of a stream."""
        head = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data\xff\xff\xff\xff"
        (self.folder / "b.wav").unlink(missing_ok=True)
        self.write("m.json", audio("-", "b.wav", format=form))
        process = self.start("run", "m.json", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.stdin.write(head + bytes(range(256)) * 512)
        process.stdin.flush()
        path = self.folder / "b.wav"
        while not (path.exists() and path.stat().st_size > 4096):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        return path.read_bytes()

    def test_the_file_is_valid_without_its_end(self):
        for form, size, unknown in (("pcm16", 2, (4, 40)), ("pcm24", 3, (4, 64)), ("float32", 4, (4, 46, 54))):
            with self.subTest(format=form):
                data = self.killed(form)
                for at in unknown:
                    self.assertEqual(data[at:at + 4], b"\xff" * 4, (at, data[:80]))
                frames = (len(data) - unknown[-1] - 4) // size
                self.assertGreater(frames, 0)
                done = self.run_program("run", self.write("copy.json", audio("b.wav", "c.wav", format=form)))
                self.assertEqual(done.exit, 0, done.stderr)
                copy = (self.folder / "c.wav").read_bytes()
                start, end = unknown[-1] + 4, unknown[-1] + 4 + frames * size
                self.assertEqual(copy[start:end], data[start:end])
                self.assertEqual(len(copy), end + end % 2)
                self.assertEqual(struct.unpack("<I", copy[unknown[-1]:start])[0], frames * size)
