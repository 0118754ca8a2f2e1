"""rm.Sandbox: runs, values, what code inside may reach, and its errors. Needs the wheel remotemedia-sandbox."""
import asyncio
import gc
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import unittest

import remotemedia as rm
from manifests import code, multiply, numpy, row

ECHO = "def process(x):\n    return x"
SANDBOXED = {"execution": {"placement": "sandbox"}}


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = rm.Sandbox()

    @classmethod
    def tearDownClass(cls):
        cls.box.close()

    def failed(self, kind, call, *args, **named):
        with self.assertRaises(kind) as raised:
            call(*args, **named)
        return raised.exception


class Runs(Case):
    def test_every_node_is_inside(self):
        where = code("import sys\ndef process(x):\n    return [x, sys.platform]")
        self.assertEqual(self.box.pipeline(row(multiply(3), where)).run([1, 2.5]), {"b": [[3, "wasi"], [7.5, "wasi"]]})

    def test_only_nodes_that_the_manifest_names(self):
        where = "import sys\ndef process(x):\n    return [*x, sys.platform]"
        manifest = row(code(where, **SANDBOXED), code(where))
        for pipeline in (rm.Pipeline.from_dict(manifest, sandbox=self.box),
                         rm.Pipeline.from_json(json.dumps(manifest), sandbox=self.box)):
            self.assertEqual(pipeline.run([[]]), {"b": [["wasi", "linux"]]})

    def test_kinds_of_manifests(self):
        manifest = row({"node_type": "UppercaseTransform", "execution": {"placement": "local"}})
        graph = rm.Graph()
        graph.add(rm.nodes.UppercaseTransform(), id="a")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "p.json")
            path.write_text(json.dumps({"manifest": manifest, "input_data": ["b"]}))
            self.assertEqual(self.box.pipeline(path).run(), {"a": ["B"]})
            self.assertEqual(rm.Pipeline.from_file(path, sandbox=self.box).run(), {"a": ["B"]})
            missing = self.failed(rm.ManifestError, self.box.pipeline, pathlib.Path(folder, "q.json"))
        self.assertEqual(missing.code, "not_found")
        for what in (manifest, json.dumps(manifest), json.dumps(manifest).encode(), graph):
            self.assertEqual(self.box.pipeline(what).run(["a"]), {"a": ["A"]})
        self.assertEqual(self.failed(rm.ManifestError, self.box.pipeline, "{nothing").code, "parse")
        self.assertIn("a manifest is", str(self.failed(TypeError, self.box.pipeline, 5)))
        self.assertIn("sandbox must be", str(self.failed(TypeError, rm.Pipeline.from_dict, manifest, sandbox=5)))

    def test_functions_of_a_graph_have_no_name_inside(self):
        graph = rm.Graph()
        graph.add(lambda x: x, id="mine")
        self.assertIn("node 'mine' is the function", str(self.failed(ValueError, self.box.pipeline, graph)))

    def test_a_graph_with_nodes_inside_and_functions_outside(self):
        graph = rm.Graph()
        inside = graph.add("Python", id="inside", params=code("import sys\ndef process(x):\n    return [x, sys.platform]")["params"], **SANDBOXED)
        inside >> graph.add(lambda item: [*item, sys.platform], id="outside")
        self.assertEqual(graph.pipeline(sandbox=self.box).run([1]), {"outside": [[1, "wasi", "linux"]]})

    def test_streams(self):
        read = []

        def items():
            for i in range(1000):
                read.append(i)
                yield i

        with self.box.pipeline(row(code(ECHO))).stream(items()) as results:
            self.assertEqual([next(results) for _ in range(3)], [0, 1, 2])
        self.assertEqual(read, [0, 1, 2])

    def test_sources_generate_inside(self):
        self.assertEqual(self.box.pipeline(row(code("def generate():\n    yield from (1, 2)"))).run(), {"a": [1, 2]})

    def test_on_an_event_loop(self):
        node = code("import asyncio\nasync def process(x):\n    await asyncio.sleep(0.001)\n    return x + 1")

        async def items():
            for i in range(3):
                yield i

        async def main():
            pipeline = self.box.pipeline(row(node))
            return await pipeline.arun([1, 2]), [each async for each in pipeline.astream(items())]

        self.assertEqual(asyncio.run(main()), ({"a": [2, 3]}, [1, 2, 3]))

    def test_several_at_once(self):
        pipelines = [self.box.pipeline(row(code(f"def process(x):\n    return x + {n}"))) for n in range(2)]
        results = [None] * 4

        def work(n):
            results[n] = [pipelines[n % 2].run(range(50)) for _ in range(5)]

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [[{"a": [i + n % 2 for i in range(50)]}] * 5 for n in range(4)])

    def test_a_closed_sandbox(self):
        with rm.Sandbox() as box:
            pipeline = box.pipeline(row(multiply()))
            stream = pipeline.stream(iter([1, 2]))
            self.assertEqual(next(stream), 2)
        self.assertEqual(next(stream), 4)
        self.assertIn("the sandbox is closed", str(self.failed(RuntimeError, pipeline.run, [1])))
        self.assertIn("the sandbox is closed", str(self.failed(RuntimeError, box.pipeline, row(multiply()))))
        self.assertIn("the sandbox is closed", str(self.failed(RuntimeError, box.command, "version")))
        box.close()

    def test_a_forked_process_makes_its_own(self):
        pipeline = self.box.pipeline(row(code(ECHO)))
        self.assertEqual(pipeline.run([1]), {"a": [1]})
        child = os.fork()
        if child == 0:
            status = 1
            try:
                refused = "belongs to the process that forked" in str(self.failed(RuntimeError, pipeline.run, [1]))
                with rm.Sandbox() as box:
                    works = box.pipeline(row(code(ECHO))).run([2]) == {"a": [2]}
                status = 0 if refused and works else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertEqual(pipeline.run([3]), {"a": [3]})

    def test_memory_is_given_back(self):
        def resident():
            gc.collect()
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * resource.getpagesize()

        def work(times):
            for _ in range(times):
                self.assertEqual(self.box.pipeline(row(code(ECHO))).run([1]), {"a": [1]})

        work(30)
        before, files = resident(), len(os.listdir("/proc/self/fd"))
        work(200)
        self.assertLess(resident() - before, 4 << 20)
        self.assertEqual(len(os.listdir("/proc/self/fd")), files)
        for _ in range(3):  # a sandbox as well
            with rm.Sandbox() as box:
                box.pipeline(row(multiply())).run([1])
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), files + 1)


class Values(Case):
    def test_they_are_the_same_as_outside(self):
        values = [None, True, 5, 2 ** 70, -1.5, "text", "\U0001f600", b"bytes", bytearray(b"more"), [1, [2]], (1, (2,)), {"a": {"b": 1}},
                  {1: 2, (3, 4): 5}, {1, 2}, frozenset((3,)), float("inf")]
        inside, outside = (make(row(code(ECHO))).run(values)["a"] for make in (self.box.pipeline, rm.Pipeline.from_dict))
        self.assertEqual(inside, outside)
        self.assertEqual([type(each) for each in inside], [type(each) for each in outside])

    def test_other_objects_are_refused_by_name(self):
        import decimal

        error = self.failed(rm.NodeError, self.box.pipeline(row(code(ECHO))).run, [decimal.Decimal(1)])
        self.assertEqual((error.code, error.node, error.item), ("unsupported", "a", 0))
        self.assertIn("decimal.Decimal", str(error))

    def test_arrays(self):
        np = numpy()
        array = np.arange(6, dtype="float32").reshape(2, 3)
        manifest = row(code("def process(x):\n    return type(x).__module__, x * 2"), code(ECHO))
        (kind, doubled), = self.box.pipeline(manifest, arrays="numpy").run([array])["b"]
        self.assertEqual((kind, doubled.dtype, doubled.tolist()), ("numpy", array.dtype, (array * 2).tolist()))
        for node in (code(ECHO), multiply()):
            for arrays in ("tensor", "numpy"):
                inside, outside = (make(row(node), arrays=arrays).run([array])["a"][0] for make in (self.box.pipeline, rm.Pipeline.from_dict))
                self.assertIs(type(inside), type(outside))
                self.assertEqual(np.asarray(inside).tolist(), np.asarray(outside).tolist())


class Reach(Case):
    LOOK = code("import os\ndef process(path):\n    try:\n        with open(path) as file: return file.read()\n"
                "    except OSError as error: return error.strerror")

    def test_files_and_variables_that_were_not_granted(self):
        self.assertEqual(self.box.pipeline(row(self.LOOK)).run([__file__, "/etc/hostname", "/proc/self/environ"]),
                         {"a": ["No such file or directory"] * 3})
        environment = code("import os\ndef process(x):\n    return dict(os.environ)")
        os.environ["RM_SECRET"] = "open"
        self.assertEqual(self.box.pipeline(row(environment)).run([1]), {"a": [{}]})
        for env, expected in ((["RM_SECRET", "RM_OTHER"], {"RM_SECRET": "open"}), ({"A": "b"}, {"A": "b"}), ("RM_SECRET", {"RM_SECRET": "open"})):
            self.assertEqual(rm.Sandbox(env=env).pipeline(row(environment)).run([1]), {"a": [expected]})

    def test_sockets_and_processes(self):
        node = code("def process(x):\n    try: exec(x)\n    except Exception as error: return type(error).__name__\n    return 'done'")
        self.assertNotIn("done", self.box.pipeline(row(node)).run([
            "import socket; socket.create_connection(('127.0.0.1', 1))", "import subprocess; subprocess.run(['true'])",
            "import os; os.kill(1, 0)", "import os; os.fork()"])["a"])

    def test_granted_folders(self):
        write = code("def process(path):\n    try:\n        with open(path, 'w') as file: file.write('new')\n        return 'written'\n"
                     "    except OSError as error: return error.strerror")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "file")
            file.write_text("old")
            pathlib.Path(folder, "out").symlink_to("/etc/hostname")
            for grant, name in (({folder: "/data"}, "/data"), (folder, folder), ([pathlib.Path(folder)], folder)):
                box = rm.Sandbox(read=grant)
                self.assertEqual(box.pipeline(row(self.LOOK)).run([f"{name}/file", f"{name}/out", f"{name}/../x"])["a"],
                                 ["old", "Operation not permitted", "Operation not permitted"])
                self.assertEqual(box.pipeline(row(write)).run([f"{name}/file"]), {"a": ["Read-only file system"]})
            self.assertEqual(rm.Sandbox(write={folder: "/data"}).pipeline(row(write)).run(["/data/file"]), {"a": ["written"]})
            self.assertEqual(file.read_text(), "new")

    def test_modules_in_a_granted_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "shout_inside.py").write_text("class Shout:\n    def process(self, text):\n        return text.upper()\n")
            manifest = row({"node_type": "shout_inside:Shout"})
            self.assertEqual(self.failed(rm.ManifestError, self.box.pipeline, manifest).code, "unknown_node_type")
            box = rm.Sandbox(read={folder: "/modules"}, path="/modules")
            self.assertEqual(box.pipeline(manifest).run(["hey"]), {"a": ["HEY"]})


class Failures(Case):
    def test_a_node_that_fails(self):
        error = self.failed(rm.NodeError, self.box.pipeline(row(code("def process(x):\n    return 1 / x", id="inverse"))).run, [2, 0])
        self.assertEqual((error.code, error.node, error.item, error.results), ("python", "inverse", 1, {"inverse": [0.5]}))
        self.assertIn("ZeroDivisionError: division by zero", str(error))
        self.assertEqual(error.__notes__, ['inside: File "<code of inverse>", line 2, in process\n    return 1 / x'])

    def test_code_that_is_wrong(self):
        error = self.failed(rm.ManifestError, self.box.pipeline, row(code("def process(x:\n    return 1")))
        self.assertEqual((error.node, error.pointer), ("a", "/nodes/0/params/code"))
        self.assertIn("SyntaxError", str(error))
        error = self.failed(rm.ManifestError, self.box.pipeline, row({"node_type": "Multiply", "params": {"facto": 2}}))
        self.assertEqual((error.code, error.pointer), ("unknown_parameter", "/nodes/0/params/facto"))

    def test_code_that_ends_itself(self):
        node = code("import os\ndef process(x):\n    if x == 1: os.abort()\n    return x", on_error="skip")
        self.assertEqual(self.box.pipeline(row(node)).run([0, 1, 2]), {"a": [0, 2]})

    def test_collected_failures(self):
        pipeline = self.box.pipeline(row(code("def process(x):\n    return 1 / x", on_error="collect")))
        self.assertEqual(pipeline.run([1, 0]), {"a": [1.0]})
        self.assertEqual([(each["item"], each["code"]) for each in pipeline.failures], [(1, "python")])


class Commands(Case):
    def test_a_whole_run(self):
        document = {"manifest": row(code("import sys\nprint('said')\ndef process(x):\n    return [x, sys.platform]")), "input_data": [1, 2]}
        done = self.box.command("run", "-", "--format", "jsonl", input=json.dumps(document))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b'[1,"wasi"]\n[2,"wasi"]\n', b"said\n"))
        failed = self.box.command("run", "-", input=b"{}")
        self.assertEqual((failed.returncode, json.loads(failed.stdout)["status"]), (3, "error"))

    def test_another_program(self):
        import remotemedia_sandbox

        reactor = os.path.join(os.path.dirname(remotemedia_sandbox.__file__), "wasm", "remotemedia_reactor_lite.wasm")
        error = self.failed(rm.Error, self.box.command, wasm=reactor)
        self.assertIn("_start", str(error))
        self.assertEqual(self.failed(rm.Error, self.box.command, wasm="nothing.wasm").code, "not_found")

    def test_grants_and_open_files(self):
        with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "p.json"), "w+") as file:
            json.dump({"manifest": row(multiply()), "input_data": [4]}, file)
            file.flush(), file.seek(0)
            self.assertEqual(self.box.command("run", "-", "--format", "jsonl", input=file).stdout, b"8\n")
            self.assertNotEqual(self.box.command("run", file.name).returncode, 0)
            self.assertEqual(rm.Sandbox(read={folder: "/p"}).command("run", "/p/p.json", "--format", "jsonl").stdout, b"8\n")

    def test_the_command_line_of_the_package(self):
        document = json.dumps({"manifest": row(code("import sys\ndef process(x):\n    return sys.platform")), "input_data": [1]})
        nodes = json.dumps({"manifest": row(code("import sys\ndef process(x):\n    return sys.platform", **SANDBOXED)), "input_data": [1]})
        for words, text in ((["--sandbox"], document), ([], nodes)):
            done = subprocess.run([sys.executable, "-m", "remotemedia", "run", *words, "-", "--format", "jsonl"], input=text,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, '"wasi"\n'), done.stderr)


if __name__ == "__main__":
    unittest.main()
