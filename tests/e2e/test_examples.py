"""The example programs are compiled as their READMEs say, against the library and pkg-config file of this build, and run.
The pipelines of examples/ are run by test_docs, as their READMEs show them."""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import unittest
import wave

from support import BUILD, PROGRAM, ROOT, SLOWNESS, ProgramTest, environment

EXAMPLES = ROOT / "examples"
WARNINGS = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wcast-function-type", "-Werror"]


def pkg_config(prefix, *words):
    env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"), "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"}
    done = subprocess.run(["pkg-config", *words, "remotemedia"], env=env, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split()


def configured(name):
    """What the build was configured with; empty for nothing."""
    found = re.search(rf"^{name}:\w+=(.+)$", (BUILD / "CMakeCache.txt").read_text(), re.M)
    return found.group(1) if found else ""


def sanitizers():
    """What this build was compiled with: programs that link to it need the same, and its compiler."""
    return ["-fsanitize=" + configured("RM_SANITIZE")] if configured("RM_SANITIZE") else []


CC = configured("CMAKE_C_COMPILER") if sanitizers() else shutil.which(os.environ.get("CC", "cc"))


class CompiledTest(ProgramTest):
    """A test with an installed tree made of links into the build, which pkg-config finds."""

    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        (self.prefix / "lib/pkgconfig").mkdir(parents=True)
        (self.prefix / "include").symlink_to(ROOT / "include")
        for library in (BUILD / "lib").glob("libremotemedia.so*"):
            (self.prefix / "lib" / library.name).symlink_to(library)
        shutil.copy(BUILD / "remotemedia.pc", self.prefix / "lib/pkgconfig")

    def compile(self, source, output, *words):
        target = self.folder / output
        command = [CC, *WARNINGS, *sanitizers(), str(source), "-o", str(target), *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        return target

    def compile_program(self, name):
        return self.compile(EXAMPLES / "c" / f"{name}.c", name, *pkg_config(self.prefix, "--cflags", "--libs"),
                            f"-Wl,-rpath,{self.prefix / 'lib'}")

    def start(self, *words, cwd=None, stdin=b"", limit=60):
        """Exit code, stdout, stderr."""
        done = subprocess.run([str(word) for word in words], input=stdin, cwd=cwd or EXAMPLES, env=environment(),
                              capture_output=True, timeout=limit * SLOWNESS, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()


class Embed(CompiledTest):
    def test_runs_a_pipeline_over_items(self):
        embed = self.compile_program("embed")
        exit, out, err = self.start(embed, "branches/pipeline.json", "[20, 21.5, 19]")
        self.assertEqual((exit, err), (0, ""))
        self.assertEqual(out, 'first_two: {"celsius":20,"fahrenheit":68.0,"kelvin":293.15}\n'
                              'first_two: {"celsius":21.5,"fahrenheit":70.7,"kelvin":294.65}\n'
                              "last_three: [20,21.5,19]\n")

    def test_lets_sources_generate(self):
        embed = self.compile_program("embed")
        path = self.write("count.json", {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [
            {"id": "s", "node_type": "SimpleSource", "params": {"count": 2, "value": "x"}}]})
        self.assertEqual(self.start(embed, path), (0, 's: "x"\ns: "x"\n', ""))

    def test_tells_what_is_wrong_and_what_came_before(self):
        embed = self.compile_program("embed")
        path = self.write("divide.json", {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [
            {"id": "d", "node_type": "Calculator", "params": {"operation": "divide", "operand": 0}}]})
        exit, out, err = self.start(embed, path, '["text", 1]')
        self.assertEqual((exit, out), (1, 'd: "text"\n'))
        self.assertIn("arithmetic: ", err)
        self.assertIn("  node: d\n", err)
        path = self.write("wrong.json", {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [
            {"id": "m", "node_type": "Multiply", "params": {"facter": 2}}]})
        exit, out, err = self.start(embed, path, "[1]")
        self.assertEqual((exit, out), (1, ""))
        self.assertIn("unknown_parameter: ", err)
        self.assertIn("  at: /nodes/0/params/facter\n", err)
        self.assertEqual(self.start(embed, "none.json")[0], 1)
        self.assertEqual(self.start(embed)[0], 2)


class Stream(CompiledTest):
    def test_gives_results_and_all_memory_back(self):
        stream = self.compile_program("stream")
        exit, out, err = self.start(stream, "c/pipeline.json", stdin=b"one\ntwo\nthree\n")
        self.assertEqual((exit, out), (0, 'pairs: ["ONE","TWO"]\npairs: ["THREE"]\n'))
        self.assertRegex(err, r"\Amemory: 0 bytes in use, at most \d+\n\Z")

    def test_takes_no_more_memory_for_a_long_stream(self):
        stream = self.compile_program("stream")
        most = []
        for lines in (1000, 20000):
            exit, out, err = self.start(stream, "c/pipeline.json", stdin=b"a line\n" * lines)
            self.assertEqual((exit, out.count("\n")), (0, lines // 2))
            most.append(int(re.search(r"at most (\d+)", err).group(1)))
        self.assertLess(most[1], most[0] * 1.1)

    def test_ends_when_nothing_more_is_wanted(self):
        stream = self.compile_program("stream")
        path = self.write("take.json", {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [
            {"id": "t", "node_type": "Take", "params": {"count": 1}}]})
        exit, out, err = self.start(stream, path, stdin=b"a\nb\nc\n")
        self.assertEqual((exit, out), (0, 't: "a"\n'), err)

    def test_reports_a_failure_and_gives_all_memory_back(self):
        stream = self.compile_program("stream")
        path = self.write("level.json", {"version": "v1", "metadata": {"name": "t"}, "connections": [], "nodes": [
            {"id": "l", "node_type": "AudioLevel"}]})
        exit, out, err = self.start(stream, path, stdin=b"no audio\n")
        self.assertEqual((exit, out), (1, ""))
        self.assertIn("type: AudioLevel 'l' takes audio", err)
        self.assertIn("memory: 0 bytes in use", err)

    def test_shows_results_at_once_and_is_cancelled_by_an_interrupt(self):
        stream = self.compile_program("stream")
        process = subprocess.Popen([str(stream), "c/pipeline.json"], cwd=EXAMPLES, env=environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b'pairs: ["ONE","TWO"]\n')  # input goes on: it came at once
        process.send_signal(signal.SIGINT)
        # stdin stays open until it has ended: only the signal can be the reason.
        self.assertEqual(process.wait(60 * SLOWNESS), 130)
        err = process.stderr.read().decode()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        self.assertIn("cancelled: ", err)
        self.assertIn("memory: 0 bytes in use", err)


class Tensor(CompiledTest):
    def test_takes_parts_and_lends_memory_without_a_copy(self):
        exit, out, err = self.start(self.compile_program("tensor"))
        self.assertEqual((exit, err), (0, ""))
        self.assertEqual(out.splitlines()[:7], [
            "table: [[0,1,4],[9,16,25]]",
            "second row: [[9,16,25]]",
            "transposed: [[0,9],[1,16],[4,25]]",
            "transposed: int32, 6 elements, 24 bytes, shape 3 2, strides 1 3",
            "copied: int32, 6 elements, 24 bytes, shape 3 2, strides 2 1, in C order",
            "result: float32, 8 elements, 32 bytes, shape 4 2, strides 2 1, in C order",
            "the result is the program's memory"])
        self.assertRegex(out, r'level: \[\{"rms_dbfs":-5\.63,"peak_dbfs":-1\.16,')
        self.assertEqual(out.count("the samples are free\n"), 1)
        self.assertTrue(out.endswith("the samples are free\n"))


class Plugin(CompiledTest):
    def setUp(self):
        super().setUp()
        self.plugin = self.compile(EXAMPLES / "plugin/audio_gain.c", "audio_gain.so", "-shared", "-fPIC",
                                   *pkg_config(self.prefix, "--cflags"), "-lm")

    def level(self, gain):
        exit, out, err = self.start(PROGRAM, "run", "pipeline.json", "--plugin", self.plugin, "--set",
                                    f"softer.gain_db={gain}", cwd=EXAMPLES / "plugin")
        self.assertEqual((exit, err), (0, ""))
        return json.loads(out)["outputs"]["level"][0]

    def test_its_node_works(self):
        loud, soft = self.level(0), self.level(-6)
        self.assertAlmostEqual(loud["rms_dbfs"] - soft["rms_dbfs"], 6.0, delta=0.011)
        self.assertAlmostEqual(loud["peak_dbfs"] - soft["peak_dbfs"], 6.0, delta=0.011)

    def test_its_parameters_are_checked_and_described(self):
        exit, out, _ = self.start(PROGRAM, "run", "pipeline.json", "--plugin", self.plugin, "--set",
                                  "softer.gain_db=61", cwd=EXAMPLES / "plugin")
        self.assertEqual(json.loads(out)["error"]["code"], "value")
        self.assertEqual(exit, 3)
        exit, out, _ = self.start(PROGRAM, "nodes", "info", "AudioGain", "--plugin", self.plugin)
        self.assertEqual(exit, 0)
        self.assertIn("Gain in dB; 0 leaves the samples as they are", out)

    def test_without_it_the_node_is_unknown(self):
        exit, out, _ = self.start(PROGRAM, "run", "pipeline.json", cwd=EXAMPLES / "plugin")
        self.assertEqual((exit, json.loads(out)["error"]["code"]), (3, "unknown_node_type"))

    def test_a_file_that_is_no_plugin_is_refused_by_its_name(self):
        exit, out, _ = self.start(PROGRAM, "run", "pipeline.json", "--plugin", "pipeline.json",
                                  cwd=EXAMPLES / "plugin")
        self.assertNotEqual(exit, 0)
        self.assertIn("pipeline.json", json.loads(out)["error"]["message"])


class Pipelines(ProgramTest):
    def run_example(self, name, *words):
        done = subprocess.run([str(PROGRAM), "run", "pipeline.json", *words], cwd=EXAMPLES / name,
                              env=environment(), capture_output=True, timeout=60 * SLOWNESS, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)["outputs"]

    def test_words_are_counted_as_python_counts_them(self):
        words = [word.lower() for word in re.findall("[A-Za-z]+", (ROOT / "README.md").read_text()) if len(word) >= 6]
        ranked = sorted(collections.Counter(words).items(), key=lambda entry: (-entry[1], entry[0]))
        self.assertEqual(self.run_example("text")["top"], [
            {"items": len(words), "distinct": len(ranked), "most_common": [list(entry) for entry in ranked[:5]]}])

    def test_the_recording_is_small_and_has_the_rate_that_the_pipeline_expects(self):
        path = EXAMPLES / "voice/speech.wav"
        self.assertLess(path.stat().st_size, 300_000)
        with wave.open(str(path)) as file:
            self.assertEqual((file.getframerate(), file.getnchannels(), file.getsampwidth()), (16000, 1, 2))


if __name__ == "__main__":
    unittest.main()
