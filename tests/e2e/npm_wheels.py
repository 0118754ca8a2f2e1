"""Wheels in the npm package: as paths, URLs and bytes, in Node and in a page; what cannot run is refused by name."""
import base64
import hashlib
import io
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zipfile

from support import ProgramTest

from browser_port import browse
from npm_page import PAGE, serve
from npm_project import project

NAME = "greeting-1.2.0-py3-none-any.whl"
CODE = """import importlib.metadata, importlib.resources
import greeting, deep
def process(name):
    words = importlib.resources.files("greeting").joinpath("words.txt").read_text()
    return [greeting.hello(name, words), deep.N, importlib.metadata.version("greeting")]
"""
RESULT = ["Hello, Ada!", 7, "1.2.0"]
MANIFEST = {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": "p", "node_type": "Python", "params": {"code": CODE}}], "connections": []}
NODE = """import fs from 'node:fs';
import { Pipeline } from 'remotemedia';
const { manifest, wheels } = JSON.parse(fs.readFileSync(0, 'utf8'));
for (const wheel of wheels)
    try {
        const given = wheel.bytes ? new Uint8Array(fs.readFileSync(wheel.bytes)) : wheel;
        const pipeline = await Pipeline.open(manifest, { wheels: [given] });
        console.log(JSON.stringify([pipeline.variant, (await pipeline.run(['Ada'])).outputs.p[0]]));
    } catch ({ code, message }) {
        console.log(JSON.stringify([code, message]));
    }
"""
TOGETHER = """import { Pipeline } from 'remotemedia';
const [manifest, ...wheels] = process.argv.slice(1);
await Pipeline.open(manifest, { wheels }).catch(({ code, message }) => console.log(code, message));
"""
METADATA = "Metadata-Version: 2.1\nName: greeting\nVersion: 1.2.0\n"
HEAD = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n"


def wheel(more=(), head=HEAD, metadata=METADATA, method=zipfile.ZIP_DEFLATED):
    """The bytes of a wheel."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as file:
        file.writestr("greeting/__init__.py", "def hello(name, words):\n    return words.replace('NAME', name)\n")
        file.writestr("greeting/words.txt", "Hello, NAME!")
        file.writestr("greeting-1.2.0.data/purelib/deep.py", "N = 7\n")
        file.writestr("greeting-1.2.0.data/scripts/greet", "#!python\n")
        file.writestr("greeting-1.2.0.dist-info/METADATA", metadata)
        file.writestr("greeting-1.2.0.dist-info/WHEEL", head)
        for name, content in dict(more).items():
            file.writestr(name, content)
    return target.getvalue()


def lying(data, size):
    """The wheel, whose last entry says that it has another size."""
    at = data.rindex(b"PK\1\2") + 24
    return data[:at] + struct.pack("<I", size) + data[at + 4:]


def integrity(data):
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


class InNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="rm-wheels-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (project() / "wheels.mjs").write_text(NODE)

    def place(self, data, name=NAME):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def open(self, *wheels, code=CODE):
        manifest = MANIFEST | {"nodes": [{"id": "p", "node_type": "Python", "params": {"code": code}}]}
        asked = json.dumps({"manifest": manifest, "wheels": wheels})
        done = subprocess.run(["node", "wheels.mjs"], cwd=project(), input=asked, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_paths_urls_and_bytes(self):
        data = wheel()
        path = self.place(data)
        url = pathlib.Path(path).as_uri()
        found = self.open(path, url, {"bytes": path}, {"url": url, "integrity": integrity(data)}, {"url": path, "integrity": integrity(data)})
        self.assertEqual(found, [["full", RESULT]] * 5)

    def test_stored_entries(self):
        self.assertEqual(self.open(self.place(wheel(method=zipfile.ZIP_STORED))), [["full", RESULT]])

    def test_what_requires_numpy_gets_it(self):
        requires = METADATA + "Requires-Dist: numpy>=1.20\n"
        self.assertEqual(self.open(self.place(wheel(metadata=requires))), [["numpy", RESULT]])
        for other in ("Requires-Dist: numpydoc\n", 'Requires-Dist: numpy; extra == "all"\n'):
            self.assertEqual(self.open(self.place(wheel(metadata=METADATA + other))), [["full", RESULT]])

    def test_what_cannot_run_is_refused_by_name(self):
        native = HEAD.replace("true", "false")
        tags = {"cp313-cp313-manylinux_2_17_x86_64": False, "py3-none-win_amd64": False, "py2-none-any": False, "cp312-none-any": False,
                "py314-none-any": False, "py310-none-any": True, "py2.py3-none-any": True, "cp313-none-any": True}
        cases = [
            ({"greeting/_fast.cpython-313-x86_64-linux-gnu.so": "x"}, HEAD, "has native code, greeting/_fast.cpython-313-x86_64-linux-gnu.so"),
            ({"greeting/_fast.pyd": "x"}, HEAD, "has native code, greeting/_fast.pyd"),
            ({}, native, "has native code, as its Root-Is-Purelib says"),
            *(({}, HEAD.partition("Tag")[0] + f"Tag: {tag}\n", "" if good else f"is for {tag}") for tag, good in tags.items()),
        ]
        found = self.open(*(self.place(wheel(more, head), f"w{i}.whl") for i, (more, head, _) in enumerate(cases)))
        for i, ((_, _, says), (code, message)) in enumerate(zip(cases, found, strict=True)):
            with self.subTest(says=says):
                if says:
                    self.assertEqual(code, "unsupported")
                    self.assertIn(f"the wheel w{i}.whl {says}", message)
                else:
                    self.assertEqual(message, RESULT)

    def test_what_is_no_whole_wheel(self):
        data = wheel()
        bomb = wheel({"greeting/zeros": bytes(300 << 20)})
        damaged = bytearray(data)
        damaged[data.index(b"greeting/words.txt") + len("greeting/words.txt") + 2] ^= 255
        last = wheel({"z.py": bytes(5000)})
        cases = [
            (b"", "value", "is no ZIP file, or not a whole one"),
            (b"<!doctype html>" * 100, "value", "is no ZIP file, or not a whole one"),
            (data[:-30], "value", "is no ZIP file, or not a whole one"),
            (data[100:], "value", "is no ZIP file, or not a whole one"),
            (bytes(damaged), "value", "is damaged: greeting/words.txt"),
            (bomb, "limit", "unpacks to more than 256 MiB"),
            (lying(last, 100), "value", "is damaged: z.py"),
            (lying(last, 6000), "value", "is damaged: z.py"),
            (wheel({"../z.py": ""}), "value", "has a file outside its folder, ../z.py"),
            (wheel({"/z.py": ""}), "value", "has a file outside its folder, /z.py"),
            (wheel(method=zipfile.ZIP_BZIP2), "unsupported", "packed by another method"),
            (wheel().replace(b"dist-info/WHEEL", b"dist-info/WHEAT"), "value", "has no file WHEEL"),
        ]
        found = self.open(*(self.place(content, f"w{i}.whl") for i, (content, _, _) in enumerate(cases)))
        for i, ((_, code, says), (got, message)) in enumerate(zip(cases, found, strict=True)):
            with self.subTest(says=says):
                self.assertEqual(got, code, message)
                self.assertIn(f"the wheel w{i}.whl", message)
                self.assertIn(says, message)
        other = {"url": self.place(data), "integrity": integrity(b"")}
        gone = str(self.folder / "gone.whl")
        for found in self.open(other, gone):
            self.assertEqual(found[0], "download", found)

    def test_wheels_that_do_not_fit_together(self):
        cases = {"within": [wheel({"deep.py/x.py": ""})], "between": [wheel(), wheel({"greeting/words.txt/x": ""})]}
        for where, wheels in cases.items():
            with self.subTest(where):
                done = subprocess.run(["node", "--input-type=module", "-e", TOGETHER, json.dumps(MANIFEST),
                                       *(self.place(data, f"{where}{i}.whl") for i, data in enumerate(wheels))],
                                      cwd=project(), capture_output=True, text=True, timeout=120, check=False)
                self.assertRegex(done.stdout, r"^value the wheels have '(deep.py|greeting/words.txt)' as a file and as a folder\n$", done.stderr)

    def test_two_wheels_with_one_file(self):
        for folder in ("one", "two"):
            (self.folder / folder).mkdir()
        places = [self.place(data, f"{folder}/{NAME}")
                  for folder, data in (("one", wheel()), ("two", wheel(metadata=METADATA + "Summary: another one\n")))]
        says = f"value the wheels {places[0]} and {places[1]} both have 'greeting-1.2.0.dist-info/METADATA', with other content\n"
        for wheels, expected in ((places, says), (places[:1] * 2, "")):
            done = subprocess.run(["node", "--input-type=module", "-e", TOGETHER, json.dumps(MANIFEST), *wheels],
                                  cwd=project(), capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.stdout, expected, done.stderr)


class InAPage(ProgramTest):
    def test_urls_and_bytes(self):
        folder = project()
        (folder / "index.html").write_text(PAGE)
        data = wheel()
        (folder / NAME).write_bytes(data)
        (folder / "native.whl").write_bytes(wheel({"_x.so": ""}))
        code = f"""
            import {{ Pipeline }} from 'remotemedia';
            const manifest = {json.dumps(MANIFEST)}, bytes = await (await fetch('{NAME}')).arrayBuffer();
            for (const wheel of ['{NAME}', new URL('{NAME}', location.href), bytes, {{ url: '{NAME}', integrity: '{integrity(data)}' }},
                                 {{ url: '{NAME}', integrity: '{integrity(b"")}' }}, 'native.whl']) {{
                const pipeline = await Pipeline.open(manifest, {{ wheels: [wheel] }}).catch((error) => error);
                console.log(pipeline.code ?? JSON.stringify((await pipeline.run(['Ada'])).outputs.p[0]));
            }}
            console.log(bytes.byteLength);
        """
        lines = browse(self, [{"goto": serve(self, folder)}, {"module": code, "lines": 8}])
        lines = [line for line in lines if "integrity" not in line]  # what Chromium says of a wrong hash
        self.assertEqual(lines, [json.dumps(RESULT, separators=(",", ":"))] * 4 + ["download", "unsupported", str(len(data))])


if __name__ == "__main__":
    unittest.main()
