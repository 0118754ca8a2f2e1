"""What a page of the npm package downloads: nothing that it does not need, compressed where the server can, nothing twice."""
import functools
import http.server
import json
import subprocess
import threading
import unittest

from support import ProgramTest

from browser_port import browse
from npm_page import PAGE
from npm_project import project

COMPRESS = """import fs from 'node:fs'; import zlib from 'node:zlib';
const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 };
fs.writeFileSync(`${process.argv[1]}.br`, zlib.brotliCompressSync(fs.readFileSync(process.argv[1]), { params }));"""
PASS = {"version": "v1", "metadata": {"name": "t"}, "nodes": [{"id": "p", "node_type": "PassThrough"}], "connections": []}
CODE = f"""
    import {{ Pipeline }} from 'remotemedia';
    const seen = [], onProgress = ({{ loaded, total }}) => seen.push([loaded, total]);
    const pipeline = await Pipeline.open({json.dumps(PASS)}, {{ onProgress }});
    const {{ outputs }} = await pipeline.run([1]);
    const grows = seen.every(([loaded], i) => i === 0 || loaded > seen[i - 1][0]);
    console.log(JSON.stringify({{ variant: pipeline.variant, outputs, grows, last: seen.at(-1) }}));
"""


class Static(http.server.SimpleHTTPRequestHandler):
    """Files as docs/web.md has a server send them: those with a hash in their name for ever, compressed where a file .br lies beside."""

    def send_head(self):
        path = self.translate_path(self.path)
        self.sent_br = "br" in self.headers.get("Accept-Encoding", "") and path.endswith(".wasm")
        self.server.asked.append((self.path, self.sent_br))
        if not self.sent_br:
            return super().send_head()
        self.path += ".br"
        return super().send_head()

    def guess_type(self, path):
        return super().guess_type(path.removesuffix(".br"))

    def end_headers(self):
        if "/wasm/" in self.path:
            self.send_header("Cache-Control", "max-age=31536000, immutable")
            if self.sent_br:
                self.send_header("Content-Encoding", "br")
        super().end_headers()

    def log_message(self, *_):
        pass


class InAPage(ProgramTest):
    def test_a_first_visit_and_a_second(self):
        folder = project()
        (folder / "index.html").write_text(PAGE)
        (lite,) = (folder / "node_modules/remotemedia/wasm").glob("lite-*.wasm")
        subprocess.run(["node", "--input-type=module", "-e", COMPRESS, str(lite)], check=True)
        self.addCleanup((lite.parent / f"{lite.name}.br").unlink)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Static, directory=str(folder)))
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        visit = [{"goto": f"http://127.0.0.1:{server.server_port}/"}, {"module": CODE, "lines": 1}]
        lines = browse(self, visit * 2)
        size = lite.stat().st_size
        self.assertEqual([json.loads(line) for line in lines],
                         [{"variant": "lite", "outputs": {"p": [1]}, "grows": True, "last": [size, size]}] * 2)
        wasm = [(path, compressed) for path, compressed in server.asked if path.endswith(".wasm")]
        self.assertEqual(wasm, [(f"/node_modules/remotemedia/wasm/{lite.name}", True)])
        self.assertLess(len((lite.parent / f"{lite.name}.br").read_bytes()), size / 2)
        scripts = {path.rsplit("/", 1)[1] for path, _ in server.asked if path.endswith(".mjs")}
        self.assertEqual(scripts, {"index.mjs", "common.mjs", "worker_web.mjs"})


class Size(unittest.TestCase):
    def test_a_page_loads_little(self):
        folder = project() / "node_modules/remotemedia"
        count = """import fs from 'node:fs'; import zlib from 'node:zlib';
            console.log(process.argv.slice(1).reduce((sum, file) => sum + zlib.brotliCompressSync(fs.readFileSync(file)).length, 0));"""
        files = [str(folder / f"{name}.mjs") for name in ("index", "common", "worker_web")]
        done = subprocess.run(["node", "--input-type=module", "-e", count, *files], capture_output=True, text=True, check=True)
        self.assertLess(int(done.stdout), 13_800)


if __name__ == "__main__":
    unittest.main()
