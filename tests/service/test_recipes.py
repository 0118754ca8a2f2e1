"""examples/service: the systemd unit and the OCI recipe start a server as they say, and name what it needs."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "examples/service"
UNIT, RECIPE, PROBES = ((FOLDER / name).read_text() for name in ("remotemedia.service", "Containerfile", "probes.yaml"))
PROGRAM = os.environ["RM_PROGRAM"]


def words_of_recipe():
    return [word for name in ("ENTRYPOINT", "CMD") for word in json.loads(re.search(rf"^{name} (\[.+\])$", RECIPE, re.M)[1])]


class Recipes(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rm-recipe-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "remotemedia-tokens").write_text("secret\n")
        self.places = {"/etc/remotemedia/pipelines": str(FOLDER / "pipelines"), "/var/log/remotemedia": str(self.folder),
                       "/run/secrets": str(self.folder)}

    def here(self, word):
        for place, other in self.places.items():
            word = word.replace(place, other)
        return re.sub(r"^(127\.0\.0\.1|0\.0\.0\.0):\d+$", "127.0.0.1:0", word)

    def serve(self, words, headers):
        with subprocess.Popen([PROGRAM, *map(self.here, words[1:])], stdout=subprocess.PIPE, text=True) as server:
            self.addCleanup(server.kill)
            address = json.loads(server.stdout.readline())["http"]
            for path in re.findall(r"path: (\S+),", PROBES):
                with urllib.request.urlopen(f"http://{address}{path}") as answer:
                    self.assertEqual(answer.status, 200)
            request = urllib.request.Request(f"http://{address}/v1/pipelines", headers=headers)
            with urllib.request.urlopen(request) as answer:
                self.assertIn("shout", answer.read().decode())
            server.terminate()
            self.assertEqual(server.wait(), 0)

    def test_the_unit_serves(self):
        self.serve(shlex.split(re.search("^ExecStart=(.+)$", UNIT, re.M)[1]), {})
        self.assertIn("/v1/pipelines", (self.folder / "access.jsonl").read_text())

    def test_the_image_serves(self):
        self.serve(words_of_recipe(), {"Authorization": "Bearer secret"})

    def test_systemd_takes_the_unit(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        path = self.folder / "remotemedia.service"
        path.write_text(UNIT.replace("/usr/local/bin/remotemedia", PROGRAM))
        done = subprocess.run(["systemd-analyze", "verify", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_image_has_the_libraries(self):
        """What the installed files are linked with comes from packages that the recipe installs, or from such as every system has."""
        if not shutil.which("dpkg-query"):
            self.skipTest("this is no Debian system")
        if b"__asan_init" in pathlib.Path(PROGRAM).read_bytes():
            self.skipTest("a build with sanitizers is linked with more than the image's")
        build = pathlib.Path(PROGRAM).parent.parent
        files = [PROGRAM, *build.glob("lib/libremotemedia_[gh]*.so"), *build.glob("lib/python3.*/lib-dynload/*.so")]
        self.assertGreater(len(files), 5)
        needed = set()
        for file in files:
            needed |= set(re.findall(r"NEEDED.*\[(.+)\]", subprocess.run(["readelf", "-d", file], stdout=subprocess.PIPE, text=True, check=True).stdout))
        installed = set(re.search(r"FROM \S+-slim\nRUN .+\n\s+(.+?) &&", RECIPE)[1].split())
        missing = set()
        for library in needed:
            found = subprocess.run(["dpkg-query", "-S", f"*/{library}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            packages = set(re.findall(r"^(\S+?):amd64: /(?:usr/)?lib/x86_64-linux-gnu/[^/]+$", found, re.M))
            if packages and not packages & (installed | {"libc6", "libgcc-s1"}):
                missing |= packages
        self.assertEqual(missing, set())


if __name__ == "__main__":
    unittest.main()
