"""What Python code has left running when the program ends, processes that nodes fork, and the Python that a node finds itself in."""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from support import PROGRAM, SLOWNESS, ProgramTest, environment, manifest, node

PYTHON = PROGRAM.parent / "python3.13"
LIMIT = 120 * SLOWNESS  # against hanging; nothing here takes long
SOON = f"{int(500 * SLOWNESS)}ms"  # a --timeout that the code before it must not reach

FORK = """
import atexit, os, sys
me = os.getpid()
def write(text): os.write(2, (text + "\\n").encode())
atexit.register(lambda: write("exit functions of the " + ("node" if os.getpid() == me else "child")))
def status(number): return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
def forked():
    number = os.fork()
    if number == 0:
        END
    return status(number)
"""


def one(code, **more):
    return {"manifest": manifest([node("n", "Python", {"code": code}, **more)]), "input_data": [1]}


class PythonTest(ProgramTest):
    # Without SIGURG, which is the runtime's, and those that sanitizers take.
    SIGNALS = "SIGNALS = [getattr(signal, 'SIG' + name) for name in 'HUP INT QUIT PIPE ALRM TERM USR1 CHLD TSTP XFSZ'.split()]\n"

    # The lines of /proc/self/status, without signals 32 and 33: they are the C library's own.
    MASKS = ("def masks(lines, names):\n"
             "    return [line[:7] + hex(int(line.split()[1], 16) & 0x7fffffff) for line in lines if line.startswith(names)]\n")

    def run_code(self, code, *args, exit=0, env=None, **more):
        """Runs the code over the item 1; gives the output and standard error."""
        path = self.write("m.json", one(code, **more))
        done = self.run_program("run", path, *args, env=env, limit=LIMIT / SLOWNESS)
        self.assertEqual(done.exit, exit, done.stderr)
        outputs = done.document["outputs"]["n"]
        return (outputs[0] if len(outputs) == 1 else outputs), done.stderr

    def plain(self, code, *words, python=PYTHON):
        """What `process` returns in plain Python."""
        self.write("plain.py", code + "\nimport json, sys\njson.dump(process(1), sys.__stdout__)\n")
        done = subprocess.run([str(python), *words, "plain.py"], capture_output=True, stdin=subprocess.DEVNULL, cwd=self.folder,
                              env=environment(), timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def same(self, code):
        self.assertEqual(self.run_code(code)[0], self.plain(code))


class Children(PythonTest):
    """Processes that a node forks have nothing of the run."""

    KINDS = {
        "items": "def process(x): return forked()",
        "a generator": "def process(x): yield forked()",
        "a coroutine": "async def process(x): return forked()",
        "a stream": "def process(stream):\n    for x in stream: yield forked()",
    }

    def ends(self, end, code, says, kinds=KINDS):
        for kind in kinds:
            with self.subTest(kind=kind, end=end):
                text = FORK.replace("END", end) + self.KINDS[kind]
                got, stderr = self.run_code(text, **({"is_streaming": True} if kind == "a stream" else {}))
                self.assertEqual(got, code)
                self.assertIn(says, stderr)
                self.assertIn("exit functions of the node\n", stderr)

    def test_that_leave_with_sys_exit(self):
        self.ends("sys.exit(3)", 3, "exit functions of the child\n")

    def test_that_leave_with_a_text(self):
        self.ends("sys.exit('farewell')", 1, "farewell\n", ["items"])

    def test_that_leave_with_os_exit(self):
        self.ends("os._exit(4)", 4, "")

    def test_that_raise(self):
        self.ends("raise ValueError('in the child')", 1, "ValueError: in the child\n")

    def test_that_come_back(self):
        """Two processes would give each result twice: the one that the node forked ends."""
        self.ends("return 'twice'", 1, "error: a process that a node's code has forked came back from the code")

    def test_that_come_back_while_code_is_loaded(self):
        got, stderr = self.run_code(FORK.replace("END", "return 0") + "result = forked()\ndef process(x): return result")
        self.assertEqual(got, 1)
        self.assertIn("came back from the code", stderr)

    def test_are_ended_by_a_signal(self):
        code = ("import multiprocessing, os, sys\n"
                "def process(x):\n"
                "    ready, begun = os.pipe()\n"
                "    def wait(): os.write(begun, b'.'); os.read(os.pipe()[0], 1)\n"
                "    child = multiprocessing.get_context('fork').Process(target=wait)\n"
                "    child.start(); os.read(ready, 1); child.terminate(); child.join()\n"
                "    return child.exitcode")
        self.assertEqual(self.run_code(code)[0], -signal.SIGTERM)
        stream = code.replace("process(x)", "one()") + "\ndef process(stream):\n    for x in stream: yield one()"
        self.assertEqual(self.run_code(stream, is_streaming=True)[0], -signal.SIGTERM)

    def test_have_the_signals_of_pythons_children(self):
        self.same("import os, signal\n" + self.SIGNALS + self.MASKS +
                  "def process(x):\n"
                  "    ends = os.pipe()\n"
                  "    if os.fork() == 0:\n"
                  "        shown = [str(signal.getsignal(n)) for n in SIGNALS]\n"
                  "        kernel = masks(open('/proc/self/status'), ('SigBlk', 'SigIgn'))\n"
                  "        os.write(ends[1], repr((shown, kernel)).encode()); os._exit(0)\n"
                  "    os.wait()\n"
                  "    return os.read(ends[0], 9999).decode()")

    def test_have_a_nodes_own_handlers(self):
        code = ("import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(7))\n"
                "def process(x):\n    child = os.fork()\n    if child == 0:\n        os.kill(os.getpid(), signal.SIGTERM)\n"
                "    return os.waitstatus_to_exitcode(os.wait()[1])")
        self.assertEqual(self.run_code(code)[0], 7)

    def test_have_no_descriptor_of_ours(self):
        code = ("import os, json\n"
                "def target(n): return os.readlink(f'/proc/self/fd/{n}') if os.path.islink(f'/proc/self/fd/{n}') else ''\n"
                "def process(x):\n"
                "    if os.fork() == 0:\n"
                "        seen = [target(n) for n in range(3, 100) if any(part in target(n) for part in ('pipe', 'items', 'out'))]\n"
                "        open('seen', 'w').write(json.dumps(seen)); os._exit(0)\n"
                "    os.wait(); return x")
        path = self.write("m.json", manifest([node("n", "Python", {"code": code})]))
        self.write("items.jsonl", "1\n")
        done = self.run_program("run", path, "--input", "items.jsonl", "--output", "out.jsonl")
        self.assertEqual(done.exit, 0, done.stderr)
        self.assertEqual(json.loads((self.folder / "seen").read_text()), [])
        done = self.run_program("run", path, "--input", "-", "--input-format", "jsonl", stdin="1\n")
        self.assertEqual((done.exit, json.loads((self.folder / "seen").read_text())), (0, []), done.stderr)

    def test_that_work_together(self):
        """Queues, managers, shared memory and pools, in the ways to start a process."""
        code = ("import multiprocessing as mp, operator\n"
                "from concurrent.futures import ProcessPoolExecutor\n"
                "def process(x):\n"
                "    got = []\n"
                "    for way in ('fork', 'spawn', 'forkserver'):\n"
                "        ways = mp.get_context(way)\n"
                "        with ways.Pool(2) as pool: got.append(pool.map(operator.neg, [1, 2, 3]))\n"
                "        with ProcessPoolExecutor(1, mp_context=ways) as pool: got.append(pool.submit(pow, 2, 5).result())\n"
                "    with mp.Manager() as manager:\n"
                "        shared = manager.dict(a=1); got.append(dict(shared))\n"
                "    queue = mp.get_context('fork').Queue()\n"
                "    child = mp.get_context('fork').Process(target=queue.put, args=(['from', 'child'],))\n"
                "    child.start(); got.append(queue.get()); child.join()\n"
                "    return got")
        got, stderr = self.run_code(code)
        self.assertEqual(got, [[-1, -2, -3], 32] * 3 + [{"a": 1}, ["from", "child"]])
        self.assertEqual(stderr, "")


class Ends(PythonTest):
    """The end of the program is that of a program in Python."""

    def test_exit_functions_run_after_the_results(self):
        code = ("import atexit, os, weakref, sys\n"
                "def write(text): os.write(2, (text + '\\n').encode())\n"
                "class Thing: pass\n"
                "thing = Thing()\n"
                "weakref.finalize(thing, write, 'finalized')\n"
                "atexit.register(write, 'registered first')\n"
                "atexit.register(write, 'registered last')\n"
                "@atexit.register\n"
                "def fails(): raise ValueError('at the end')\n"
                "class Node:\n    def process(self, x): return x\n    def cleanup(self): write('cleanup')\n")
        got, stderr = self.run_code(code)
        self.assertEqual(got, 1)
        order = [stderr.index(text) for text in ("cleanup", "ValueError: at the end", "registered last", "registered first", "finalized")]
        self.assertEqual(order, sorted(order))

    def test_exit_functions_of_the_other_commands(self):
        code = "import atexit, os\natexit.register(os.write, 2, b'the end\\n')\nclass Node:\n    def process(self, x): return x"
        self.write("there.py", code)
        path = self.write("m.json", manifest([node("n", "there:Node")]))
        for args in (["validate", path], ["graph", path], ["nodes", "info", "there:Node", "--path", "."]):
            done = self.run_program(*args)
            self.assertEqual((done.exit, done.stderr), (0, "the end\n"), args)

    def test_exit_functions_of_a_run_that_fails(self):
        code = "import atexit, os\natexit.register(os.write, 2, b'the end\\n')\ndef process(x): return 1 / 0"
        _, stderr = self.run_code(code, exit=1)
        self.assertTrue(stderr.endswith("the end\n"), stderr)

    def test_files_that_nobody_has_closed(self):
        code = ("import gzip, io, tempfile\n"
                "text = open('text', 'w'); text.write('some text')\n"
                "data = open('bytes', 'wb'); data.write(b'some bytes')\n"
                "zipped = gzip.open('zipped', 'wt'); zipped.write('zipped text')\n"
                "folder = tempfile.TemporaryDirectory(dir='.')\n"
                "open('folder', 'w').write(folder.name)\n"
                "def process(x): return x")
        self.run_code(code)
        self.assertEqual((self.folder / "text").read_text(), "some text")
        self.assertEqual((self.folder / "bytes").read_text(), "some bytes")
        self.assertEqual(gzip.decompress((self.folder / "zipped").read_bytes()), b"zipped text")
        name = (self.folder / "folder").read_text()
        self.assertFalse((self.folder / name).exists())

    def test_objects_in_variables_of_modules(self):
        code = ("import atexit, os, tempfile\n"
                "class Thing:\n    def __del__(self): os.write(2, b'deleted\\n')\n"
                "def numbers():\n    try: yield 1\n    finally: os.write(2, b'closed\\n')\n"
                "atexit.register(lambda: os.write(2, repr(kept[0]).encode()[:0] + b'exit function\\n'))\n"
                "kept = [Thing(), numbers(), tempfile.NamedTemporaryFile(dir='.')]\nnext(kept[1])\n"
                "open('name', 'w').write(kept[2].name)\n"
                "class Node:\n    def process(self, x): return x\n")
        self.write("there.py", code)
        for node_type, params in (("Python", {"code": code}), ("there:Node", {})):
            path = self.write("m.json", {"manifest": manifest([node("n", node_type, params)]), "input_data": [1]})
            done = self.run_program("run", path)
            self.assertEqual(done.exit, 0, done.stderr)
            self.assertEqual(done.stderr.splitlines()[0], "exit function")
            self.assertEqual(sorted(done.stderr.splitlines()), ["closed", "deleted", "exit function"])
            self.assertFalse(os.path.exists((self.folder / "name").read_text()))

    def test_children_do_not_keep_standard_output(self):
        """A reader of the results sees their end; run_program is one."""
        code = ("import multiprocessing, os, time\n"
                "from concurrent.futures import ProcessPoolExecutor\n"
                "pool = ProcessPoolExecutor(1)\nresult = pool.submit(pow, 2, 3)\n"
                "child = multiprocessing.get_context('fork').Process(target=os.read, args=(os.pipe()[0], 1), daemon=True)\n"
                "child.start()\n"
                "def process(x): return [result.result(), child.pid]")
        (result, number), stderr = self.run_code(code)
        self.assertEqual((result, stderr), (8, ""))
        self.assertFalse(pathlib.Path(f"/proc/{number}").exists())

    def test_threads_are_waited_for(self):
        """The thread ends when the reader of the results has seen them."""
        os.mkfifo(self.folder / "answer")
        code = ("import os, threading, time\n"
                "def wait():\n"
                "    with open('answer') as answer: answer.read()\n"
                "    time.sleep(0.3)\n"
                "    os.write(2, b'thread has ended\\n')\n"
                "class Node:\n"
                "    def initialize(self): threading.Thread(target=wait).start()\n"
                "    def process(self, x): return x\n")
        process = self.start("run", self.write("m.json", one(code)), stdin=subprocess.DEVNULL)
        self.assertEqual(json.loads(process.stdout.readline())["outputs"], {"n": [1]})
        (self.folder / "answer").write_text("seen")
        self.assertEqual(process.wait(LIMIT), 0)
        self.assertEqual(process.stderr.read(), b"thread has ended\n")

    def test_threads_that_work_for_others(self):
        code = ("import asyncio, concurrent.futures, os, threading, time\n"
                "begun = threading.Event()\n"
                "def work():\n    begun.wait(); time.sleep(0.3); os.write(2, b'worked\\n')\n"
                "pool = concurrent.futures.ThreadPoolExecutor(1)\n"
                "class Node:\n"
                "    def initialize(self): pool.submit(work)\n"
                "    async def process(self, x):\n        begun.set(); return await asyncio.to_thread(pow, 2, 3)\n")
        self.assertEqual(self.run_code(code), (8, "worked\n"))

    def test_processes_that_work_for_others(self):
        """What waits for a process is pickled at the end, by the names of the node's module."""
        code = ("import atexit, concurrent.futures, multiprocessing, os\n"
                "pool = concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn'))\n"
                "def double(x): return x * 2\n"
                "futures = []\n"
                "def process(x):\n    futures.extend(pool.submit(double, n) for n in range(6)); return x\n"
                "def tell():\n    if futures: os.write(2, repr([f.exception() or f.result() for f in futures]).encode())\n"
                "atexit.register(tell)\n")
        self.assertEqual(self.run_code(code), (1, "[0, 2, 4, 6, 8, 10]"))

    def test_tasks_that_nobody_awaits(self):
        code = ("import asyncio, os\n"
                "async def work():\n"
                "    try: await asyncio.sleep(600)\n"
                "    finally: os.write(2, b'cancelled\\n')\n"
                "async def numbers():\n"
                "    try:\n        while True: yield 1\n"
                "    finally: os.write(2, b'closed\\n')\n"
                "class Node:\n"
                "    async def process(self, x):\n"
                "        self.task = asyncio.create_task(work()); self.numbers = numbers(); await asyncio.sleep(0); kept.append(self)\n"
                "        return await anext(self.numbers)\n"
                "kept = []")
        self.assertEqual(self.run_code(code), (1, "cancelled\nclosed\n"))

    def test_objects_in_variables_go_in_order(self):
        """A pool that nobody has closed uses its pipes when it goes; plain Python is silent about it."""
        code = ("import multiprocessing, os\n"
                "class Last:\n    def __del__(self): os.write(2, b'gone\\n')\n"
                "def double(x): return x * 2\n"
                "pool, last = None, Last()\n"
                "def initialize():\n    global pool\n    pool = multiprocessing.get_context('fork').Pool(2)\n"
                "def process(x): return pool.map(double, [x] * 3)\n")
        self.assertEqual(self.run_code(code), ([2, 2, 2], "gone\n"))

    ENDLESS = ("import os, threading\n"
               "class Node:\n"
               "    def initialize(self): threading.Thread(target=os.read, args=(os.pipe()[0], 1), name='worker').start()\n"
               "    def process(self, x): return x\n")

    def test_a_thread_that_does_not_end_is_named(self):
        got, stderr = self.run_code(self.ENDLESS, "--timeout", SOON, exit=5)
        self.assertEqual(got, 1)
        self.assertIn(f"did not end within its timeout of {SOON[:-2]} ms: not ended: thread 'worker'\n", stderr)

    def test_a_thread_that_does_not_end_and_ctrl_c(self):
        process = self.start("run", self.write("m.json", one(self.ENDLESS)), stdin=subprocess.DEVNULL)
        self.assertEqual(json.loads(process.stdout.readline())["outputs"], {"n": [1]})
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(LIMIT), 130)
        self.assertIn(b"error: interrupted: not ended: thread 'worker'\n", process.stderr.read())

    def test_a_thread_that_does_not_end_after_a_failure(self):
        _, stderr = self.run_code(self.ENDLESS.replace("return x", "return 1 / 0"), "--timeout", SOON, exit=1)
        self.assertIn("warning: not ended: thread 'worker'\n", stderr)

    def test_an_exit_function_that_does_not_end(self):
        code = "import atexit, os\natexit.register(os.read, os.pipe()[0], 1)\ndef process(x): return x"
        _, stderr = self.run_code(code, "--timeout", SOON, exit=5)
        self.assertIn("ms: not ended: an exit function\n", stderr)

    def test_daemon_threads_are_left(self):
        code = ("import os, threading, time\n"
                "def spin():\n    while True: [str(i) for i in range(100)]\n"
                "def sleep():\n    while True: time.sleep(0.0001)\n"
                "for f in (spin, sleep, lambda: os.read(os.pipe()[0], 1)): threading.Thread(target=f, daemon=True).start()\n"
                "def process(x): return x")
        for _ in range(5):
            self.assertEqual(self.run_code(code), (1, ""))

    def stopped(self, code):
        """Children have standard error too: the test sees its end when they have ended."""
        process = self.start("run", self.write("m.json", one(code)), "--timeout", SOON, stdin=subprocess.DEVNULL)
        try:
            _, stderr = process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 5, stderr)
        except subprocess.TimeoutExpired:
            for number in (self.folder / "pids").read_text().split():
                os.kill(int(number), signal.SIGKILL)
            raise

    def test_children_of_multiprocessing_end_with_a_run_that_is_out_of_time(self):
        code = ("import multiprocessing, os\n"
                "from concurrent.futures import ProcessPoolExecutor\n"
                "def wait(): os.read(os.pipe()[0], 1)\n"
                "class Node:\n"
                "    def process(self, x):\n"
                "        child = multiprocessing.get_context('fork').Process(target=wait)\n"
                "        child.start()\n"
                "        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('fork'))\n"
                "        number = pool.submit(os.getpid).result(); pool.submit(os.read, os.pipe()[0], 1)\n"
                "        open('pids', 'w').write(f'{child.pid} {number}')\n"
                "        child.join()\n")
        self.stopped(code)

    def test_programs_end_with_a_run_that_is_out_of_time(self):
        code = ("import os, subprocess\n"
                "def process(x):\n"
                "    child = subprocess.Popen(['tail', '-f', '/dev/null'])\n"
                "    open('pids', 'w').write(str(child.pid)); child.wait()\n")
        self.stopped(code)


class Environment(PythonTest):
    """In a virtual environment Python code finds what the environment's own Python finds."""

    CODE = ("import sys, site, sysconfig\n"
            "def process(x):\n"
            "    return [sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys._base_executable,\n"
            "            site.getsitepackages(), sysconfig.get_paths(), sysconfig.get_default_scheme()]")

    def make(self, name, *words, python=PYTHON, by=("-m", "venv", "--without-pip")):
        subprocess.run([str(python), *by, *words, str(self.folder / name)], check=True, timeout=LIMIT, env=environment(),
                       capture_output=True)
        return self.folder / name

    def compare(self, folder):
        want = self.plain(self.CODE, python=folder / "bin" / "python")
        got, _ = self.run_code(self.CODE, env={"VIRTUAL_ENV": str(folder)})
        self.assertEqual(got, want)

    def test_made_by_venv(self):
        for words in ((), ("--copies",), ("--system-site-packages",)):
            with self.subTest(words=words):
                self.compare(self.make("env" + "".join(words), *words))

    def test_whose_path_is_long_winded(self):
        folder = self.make("env")
        code = "import sys\ndef process(x): return [sys.executable, sys.prefix]"
        for name in (f"{folder}/", f"{self.folder}/./x/..//env/.", "env"):
            got, _ = self.run_code(code, env={"VIRTUAL_ENV": name})
            self.assertEqual(got, [f"{folder}/bin/python", str(folder)], name)

    def test_made_by_another_python(self):
        found = None
        for name in (sys.executable, "python3.13", "python3"):
            told = subprocess.run([name, "-c", "import sys; print(sys.version_info[:2] == (3, 13))"], capture_output=True,
                                  text=True, check=False)
            found = name if told.stdout == "True\n" else found
        if found is None:
            self.skipTest("there is no other Python 3.13 on this machine")
        self.compare(self.make("env", python=found))

    def test_made_by_other_programs(self):
        """pyvenv.cfg as virtualenv and uv write it."""
        folder = self.make("env")
        config = folder / "pyvenv.cfg"
        home = str(PYTHON.parent)
        for text in (f"home = {home}\nimplementation = CPython\nversion_info = 3.13.5.final.0\n"
                     f"include-system-site-packages = true\nbase-prefix = /nowhere\nbase-executable = /nowhere/python\n",
                     f"HOME={home}  \nuv = 0.9\r\nversion_info = 3.13.5\ninclude-system-site-packages = false\nprompt = x"):
            with self.subTest(text=text):
                config.write_text(text)
                self.compare(folder)

    def test_packages_are_there_for_child_processes(self):
        folder = self.make("env")
        (folder / "lib/python3.13/site-packages/lonely.py").write_text("def answer(x=0): return 42 + x\n")
        code = ("import subprocess, sys, multiprocessing, lonely\n"
                "from multiprocessing.util import _args_from_interpreter_flags as flags\n"
                "SHOW = 'import lonely; print(lonely.answer())'\n"
                "def shown(*words): return subprocess.run([sys.executable, *words, '-c', SHOW], capture_output=True, text=True).stdout\n"
                "def process(x):\n"
                "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
                "        return [shown(), shown(*flags()), pool.map(lonely.answer, [1])]")
        self.assertEqual(self.run_code(code, env={"VIRTUAL_ENV": str(folder)})[0], ["42\n", "42\n", [43]])


class Process(PythonTest):
    """What else a program in Python expects of its process."""

    def test_handlers_of_signals(self):
        self.same("import os, signal, time\n" + self.SIGNALS +
                  "def process(x):\n"
                  "    seen = [str(signal.getsignal(n)) for n in SIGNALS]\n"
                  "    for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):\n"
                  "        before = signal.signal(n, lambda *_: seen.append('handled'))\n"
                  "        os.kill(os.getpid(), n)\n"
                  "        signal.signal(n, before)\n"
                  "    def late(*_): raise TimeoutError('alarm')\n"
                  "    signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
                  "    try: time.sleep(600)\n"
                  "    except TimeoutError as e: seen.append(str(e))\n"
                  "    return seen")

    def test_a_handler_that_was_put_back_is_the_programs(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            code = (f"import os, signal\n"
                    f"before = signal.signal({int(number)}, signal.SIG_IGN); signal.signal({int(number)}, before)\n"
                    "def process(x):\n    os.write(2, b'ready\\n'); os.read(os.pipe()[0], 1)")
            process = self.start("run", self.write("m.json", one(code)), stdin=subprocess.DEVNULL)
            self.assertEqual(process.stderr.readline(), b"ready\n")
            process.send_signal(number)
            out, _ = process.communicate(timeout=LIMIT)
            self.assertEqual((process.returncode, json.loads(out)["error"]["code"]), (130, "cancelled"))

    def test_programs_get_the_signals_of_pythons(self):
        for call in ("os.popen('cat /proc/self/status').read()",
                     "subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout"):
            self.same("import os, subprocess\n" + self.MASKS +
                      f"def process(x):\n    return masks({call}.splitlines(), ('SigBlk', 'SigIgn', 'SigCgt'))")

    def test_programs_get_no_descriptor_of_ours_either_way(self):
        self.same("import subprocess\n"
                  "SHOW = 'for name in /proc/self/fd/*; do echo ${name##*/}; done'\n"
                  "def process(x): return subprocess.run(['sh', '-c', SHOW], capture_output=True, text=True, close_fds=False).stdout")

    def test_a_file_that_grows_too_large(self):
        self.same("import resource, tempfile\n"
                  "def process(x):\n"
                  "    limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
                  "    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))\n"
                  "    try:\n        with tempfile.TemporaryFile(buffering=0) as f: return [f.write(b'x' * 100), f.write(b'x')]\n"
                  "    except OSError as e: return str(e)\n"
                  "    finally: resource.setrlimit(resource.RLIMIT_FSIZE, limits)")

    def test_the_current_directory(self):
        """A node that changes it, even while it is loaded, moves none of the run's files."""
        code = ("import array, os, remotemedia\nos.chdir('/')\n"
                "def process(x):\n    os.chdir('/usr'); return remotemedia.Tensor(array.array('f', [1]))")
        path = self.write("m.json", manifest([node("n", "Python", {"code": code})]))
        self.write("items.jsonl", "1\n")
        for output in ("out.json", "out.jsonl"):
            done = self.run_program("run", path, "--input", "items.jsonl", "--output", output, "--arrays", "npy:arrays")
            self.assertEqual(done.exit, 0, done.stderr)
            self.assertIn('"__npy__":"arrays/n-0.npy"', (self.folder / output).read_text())
            self.assertTrue((self.folder / "arrays/n-0.npy").exists())

    def test_threads_and_hooks(self):
        self.same("import sys, threading\n"
                  "seen = []\n"
                  "threading.excepthook = lambda told: seen.append(str(told.exc_value))\n"
                  "sys.unraisablehook = lambda told: seen.append(str(told.exc_value))\n"
                  "class Bad:\n    def __del__(self): 1 / 0\n"
                  "def process(x):\n"
                  "    main = threading.main_thread()\n"
                  "    thread = threading.Thread(target=lambda: [].pop()); thread.start(); thread.join(); Bad()\n"
                  "    return [seen, main.name, main is threading.current_thread(), threading.active_count()]")


if __name__ == "__main__":
    unittest.main()
