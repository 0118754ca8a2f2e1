"""Files of arrays that cannot be written, large arrays in files, and what numpy.load would read. What --arrays prints is
in tests/cases/arrays-output.json."""

import ast
import base64
import json
import os
import resource
import signal
import subprocess
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

SMALL, LARGE = 6000, 300_000
PIPELINE = manifest([node("p", "PassThrough")])


def array(data, dtype="uint8"):
    text = base64.b64encode(data).decode()
    return {"__numpy__": True, "array": {"meta": {"shape": [len(data)], "dtype": dtype}, "data": text}}


def elements(npy):
    """The dictionary and the elements of a NPY file, as the format's description has it."""
    assert npy[:8] == b"\x93NUMPY\x01\x00", npy[:8]
    end = 10 + int.from_bytes(npy[8:10], "little")
    assert end % 64 == 0 and npy[end - 1:end] == b"\n"
    return ast.literal_eval(npy[10:end].decode("latin1")), npy[end:]


class NpyFiles(ProgramTest):
    def run_limited(self, items, *words, bytes_a_file=LARGE // 2):
        """A run in which no file may become larger: the disk is full then."""

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

        self.write("p.json", PIPELINE)
        self.write("in.jsonl", "".join(json.dumps(item) + "\n" for item in items))
        return subprocess.run([str(PROGRAM), "run", "p.json", "--input", "in.jsonl", "--arrays", "npy:out", *words],
                              cwd=self.folder, env=environment(), capture_output=True, timeout=120 * SLOWNESS,
                              preexec_fn=limit, check=False)

    def files(self):
        return sorted(path.name for path in (self.folder / "out").iterdir())

    def test_a_file_that_does_not_fit_leaves_nothing_half(self):
        done = self.run_limited([array(bytes(SMALL)), [1, array(bytes(LARGE))], array(bytes(SMALL))])
        document = json.loads(done.stdout)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(document["error"]["code"], "io")
        self.assertIn("out/p-1.npy: File too large", document["error"]["message"])
        self.assertNotIn("item", document["error"])
        self.assertEqual(document["outputs"]["p"], [{"__npy__": "out/p-0.npy", "shape": [SMALL], "dtype": "uint8"}])
        self.assertEqual(self.files(), ["p-0.npy"])
        self.assertEqual(elements((self.folder / "out/p-0.npy").read_bytes())[1], bytes(SMALL))

    def test_a_former_file_stays_when_its_successor_does_not_fit(self):
        self.write("out/p-0.npy", "former")
        done = self.run_limited([array(bytes(LARGE))])
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(self.files(), ["p-0.npy"])
        self.assertEqual((self.folder / "out/p-0.npy").read_text(), "former")

    def test_lines_before_it_are_written(self):
        done = self.run_limited([array(bytes(SMALL)), array(bytes(LARGE))], "--format", "jsonl")
        self.assertEqual(done.returncode, 4)
        self.assertEqual(done.stdout, b'{"__npy__":"out/p-0.npy","shape":[6000],"dtype":"uint8"}\n')
        self.assertEqual(json.loads(done.stderr.splitlines()[-1])["error"]["code"], "io")

    @unittest.skipIf(os.geteuid() == 0, "root may write into every directory")
    def test_a_directory_that_is_not_ours_is_told_before_the_run(self):
        self.write("p.json", PIPELINE)
        (self.folder / "out").mkdir(mode=0o500)
        done = self.run_program("run", "p.json", "--arrays", "npy:out")
        self.assertEqual((done.exit, done.document["error"]["code"]), (4, "io"))
        self.assertIn("out: Permission denied", done.document["error"]["message"])

    def test_a_link_stays_one(self):
        self.write("p.json", PIPELINE)
        self.write("in.json", [array(b"abc")])
        (self.folder / "out").mkdir()
        self.write("elsewhere.npy", "former")
        (self.folder / "out/p-0.npy").symlink_to("../elsewhere.npy")
        done = self.run_program("run", "p.json", "--input", "in.json", "--arrays", "npy:out")
        self.assertEqual(done.exit, 0, done.stderr)
        self.assertTrue((self.folder / "out/p-0.npy").is_symlink())
        head, data = elements((self.folder / "elsewhere.npy").read_bytes())
        self.assertEqual(head, {"descr": "|u1", "fortran_order": False, "shape": (3,)})
        self.assertEqual(data, b"abc")

    def test_audio_of_native_nodes(self):
        self.write("p.json", manifest([node("file", "AudioFileSource", {"path": "in.wav"})]))
        frames = b"".join(i.to_bytes(2, "little", signed=True) for i in (0, 16384, -16384))
        self.write("in.wav", b"RIFF" + (36 + len(frames)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
                   + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\0\x10\0data"
                   + len(frames).to_bytes(4, "little") + frames)
        done = self.run_program("run", "p.json", "--arrays", "npy:out")
        self.assertEqual(done.exit, 0, done.stderr)
        place = done.document["outputs"]["file"][0]
        self.assertEqual(place["media"]["sample_rate"], 8000)
        head, data = elements((self.folder / place["__npy__"]).read_bytes())
        self.assertEqual(head, {"descr": "<f4", "fortran_order": False, "shape": (3, 1)})
        self.assertEqual(memoryview(data).cast("f").tolist(), [0.0, 0.5, -0.5])


class LargeArrays(ProgramTest):
    def test_go_through_files_bit_for_bit(self):
        data = bytes(range(256)) * 16384  # 4 MiB
        item = array(data)
        item["array"]["meta"] |= {"size": len(data), "c_contiguous": True, "f_contiguous": True}
        text = json.dumps(item, separators=(",", ":"))
        self.write("p.json", PIPELINE)
        self.write("in.json", f"[{text}]")
        self.write("in.jsonl", f"{text}\n{text}\n")
        for name, form in (("in.json", "json"), ("in.jsonl", "jsonl")):
            done = self.run_program("run", "p.json", "--input", name, "--format", form, "--output", "out")
            self.assertEqual(done.exit, 0, done.stderr)
            out = (self.folder / "out").read_text()
            if form == "json":
                self.assertTrue(out.startswith('{"status":"success","outputs":{"p":[' + text + "]}"))
            else:
                self.assertEqual(out, f"{text}\n{text}\n")


if __name__ == "__main__":
    unittest.main()
