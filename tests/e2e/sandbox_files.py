"""Reading and writing what was not granted: by "..", absolute paths, links, /proc, in a whole run and in a single node."""
import os
import pathlib

from sandboxes import SandboxTest
from support import node

CODE = """
import errno, os, shutil
def write(path, text='changed', mode='w'):
    with open(path, mode) as file:
        file.write(text)
def read(path):
    with open(path) as file:
        return file.read()
def read_all(path):
    with open(path, 'rb') as file:
        return len(file.read())
def walk(path):
    return sorted(os.path.join(at, name) for at, folders, files in os.walk(path) for name in folders + files)
def through(path):
    folder = os.open(path, os.O_RDONLY)
    try:
        return os.open('../outside/secret', os.O_RDONLY, dir_fd=folder)
    finally:
        os.close(folder)
def follow(link, target):
    os.symlink(target, link)
    return read(link)
def rename_out(path, target):
    os.rename(path, target)
def truncate(path):
    os.truncate(path, 0)
def create(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
DO = {name: globals().get(name) or getattr(os, name, None) or getattr(shutil, name) for name in
      'read read_all write walk through follow rename_out truncate create listdir stat lstat mkdir rmdir unlink rename replace link symlink'
      ' readlink utime chmod chdir scandir rmtree copytree getcwd access'.split()}
def process(item):
    name, *words = item
    try:
        done = DO[name](*words)
        if name == 'scandir':
            done = [entry.name for entry in done]
        return ['done', done if isinstance(done, (str, int, list, bool)) else None]
    except OSError as error:
        return [errno.errorcode.get(error.errno, str(error.errno))]
    except NotImplementedError as error:
        return ['NotImplementedError']
"""
REFUSED = {"ENOENT", "EPERM", "EACCES", "ENOTCAPABLE", "ENOTDIR", "EXDEV", "ELOOP", "EBADF", "EROFS", "EINVAL", "ENOTSUP",
           "NotImplementedError", "None"}


def contents(folder):
    """Of all that lies beneath: what it is, and what stands in it."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        what = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else None
        found[str(path.relative_to(folder))] = (what, oct(path.lstat().st_mode))
    return found


class FilesTest(SandboxTest):
    def setUp(self):
        super().setUp()
        self.granted, self.outside = self.folder / "granted", self.folder / "outside"
        self.write("granted/a", "A")
        self.write("granted/sub/b", "B")
        self.write("outside/secret", "SECRET")
        self.write("outside/folder/c", "SECRET")
        self.write("beside", "SECRET")
        for name, target in {"absolute": self.outside / "secret", "relative": "../outside/secret", "folder": "../outside",
                             "absolute-folder": self.outside, "dangling": "../outside/new", "root": "/", "up": "..",
                             "sub/deep": "../../outside/secret", "chain": "relative", "loop": "loop", "proc": "/proc/self",
                             "inner": "a", "inner-folder": "sub", "sub/inner": "../a", "self": "."}.items():
            (self.granted / name).symlink_to(target)

    def tried(self, how, items, args=()):
        """What became of each: a list of what `CODE` gives."""
        run = self.inside(how, CODE, items, args)
        self.assertEqual(run.exit, 0, run.stderr)
        return run.document["outputs"]["p"]

    def refused(self, how, items, args=()):
        """None of them worked, nothing has changed, and nothing of the secret came out."""
        before = contents(self.granted), contents(self.outside)
        for item, became in zip(items, self.tried(how, items, args)):
            with self.subTest(how=how, item=item, args=args):
                if item[0] == "chmod" or item == ["listdir", "/"]:  # there are no permissions; what is named has a place
                    self.assertIn(became, (["done", None], ["done", ["m.json"]], ["done", ["data"]], ["ENOENT"], ["ENOTCAPABLE"]))
                else:
                    self.assertIn(became[0], REFUSED, became)
        self.assertEqual((contents(self.granted), contents(self.outside)), before)

    def worked(self, how, items, args=()):
        for item, became in zip(items, self.tried(how, [item for item, _ in items], args)):
            with self.subTest(how=how, item=item[0]):
                self.assertEqual(became, ["done", item[1]])

    def both(self, check, items, args=()):
        for how in ("whole", "single"):
            check(how, items, args)


class Reading(FilesTest):
    def paths_outside(self, granted="granted"):
        names = ("absolute", "relative", "folder/secret", "absolute-folder/secret", "sub/deep", "chain", "loop", "proc/environ",
                 "root/etc/passwd", "up/outside/secret", "up/beside", "../outside/secret", "../beside", "./../beside",
                 "sub/../../beside", "sub/../../../../../../../../etc/passwd", "a/../../beside", "inner-folder/../../beside",
                 "self/self/../beside", "/../beside", "//etc/passwd", "dangling", "folder/folder/c", "sub/inner/../../beside")
        return [f"{granted}/{name}" for name in names]

    def test_nothing_is_granted(self):
        paths = ["beside", "./beside", str(self.folder / "beside"), "granted/a", str(self.granted / "a"), "/etc/passwd", "/etc/hostname",
                 "../../etc/passwd", "/proc/self/environ", "/proc/self/mem", "/proc/self/maps", "/proc/self/exe", "/proc/self/root/etc/passwd",
                 "/proc/self/cwd/beside", "/proc/self/fd/0", "/proc/1/environ", "/dev/null", "/dev/zero", "/dev/stdin", "/dev/fd/0",
                 "/sys/kernel/hostname", str(pathlib.Path.home()), "~/.ssh/id_rsa", "file:///etc/passwd", "beside\0", "C:\\Windows"]
        items = [["read", path] for path in paths if "\0" not in path]
        items += [["listdir", path] for path in ("/", "/proc", "/proc/self/fd", "/etc", str(self.folder), "..", "/dev/fd")]
        items += [["stat", path] for path in paths if "\0" not in path] + [["readlink", "granted/absolute"]]
        self.both(self.refused, items)

    def test_walking_finds_nothing(self):
        for how in ("whole", "single"):
            for found in self.tried(how, [["walk", path] for path in ("/", "..", "/proc", "/etc", str(self.folder))]):
                self.assertEqual([name for name in found[1] if "secret" in name or "passwd" in name or "beside" in name], [])

    def test_only_what_the_command_line_names(self):
        """The manifest and what --input names can be read, and nothing beside them."""
        folder = self.folder / "named"
        self.write("named/items.jsonl", '["read", "named/beside"]\n["listdir", "named"]\n["stat", "named/beside"]\n["read", "m.json.bak"]\n'
                   '["read", "named/items.jsonl.bak"]\n["walk", "named"]\n["read", "m.json/../beside"]\n["read", "named/items.jsonl/../beside"]\n'
                   '["write", "named/items.jsonl"]\n["write", "m.json"]\n["unlink", "m.json"]\n["rename", "m.json", "x"]\n["truncate", "m.json"]\n'
                   '["create", "m.json.new"]\n["create", "named/items.jsonl.new"]\n["link", "m.json", "named/x"]\n')
        self.write("named/beside", "SECRET")
        self.write("m.json.bak", "SECRET")
        self.write("named/items.jsonl.bak", "SECRET")
        before = contents(self.folder)
        run = self.inside("whole", CODE, None, ["--input", "named/items.jsonl"])
        self.assertEqual(run.exit, 0, run.stderr)
        after = contents(self.folder)
        before["m.json"] = after["m.json"]
        self.assertEqual(after, before)
        for item, became in zip((folder / "items.jsonl").read_text().splitlines(), run.document["outputs"]["p"]):
            with self.subTest(item):
                self.assertTrue(became[0] in REFUSED or became in (["done", []], ["done", ["items.jsonl"]], ["done", ["named/items.jsonl"]]), became)
        self.assertNotIn("SECRET", run.stdout)

    def test_beside_a_granted_folder(self):
        items = [["read", path] for path in self.paths_outside()]
        items += [["listdir", "granted/folder"], ["listdir", "granted/.."], ["listdir", "granted/up"], ["through", "granted"],
                  ["scandir", "granted/root"], ["stat", "granted/relative"], ["stat", "granted/../beside"], ["copytree", "granted/folder", "granted/x"]]
        self.both(self.refused, items, ["--allow-read", "granted"])
        self.both(self.refused, items, ["--allow-write", "granted"])
        absolute = [[item[0], *[str(self.folder / word) for word in item[1:]]] for item in items]
        self.both(self.refused, absolute, ["--allow-read", str(self.granted)])

    def test_by_another_name(self):
        paths = [["read", path] for path in self.paths_outside("/data")]
        self.both(self.refused, paths + [["read", "granted/a"], ["read", str(self.granted / "a")], ["listdir", "granted"], ["listdir", "/"],
                                         ["listdir", "/data/.."], ["read", "/data2/a"], ["read", "/dat/a"], ["read", "data/../../beside"]],
                  ["--allow-read", "granted=/data"])
        self.both(self.worked, [(["read", "/data/a"], "A"), (["read", "/data/sub/b"], "B"), (["read", "/data/sub/../a"], "A")],
                  ["--allow-read", f"{self.granted}=/data"])

    def test_what_is_granted(self):
        items = [(["read", "granted/a"], "A"), (["read", "granted/sub/b"], "B"), (["read", "granted/inner"], "A"),
                 (["read", "granted/inner-folder/b"], "B"), (["read", "granted/sub/inner"], "A"), (["read", "granted/self/a"], "A"),
                 (["read", "./granted/sub/../a"], "A"), (["listdir", "granted/sub"], ["b", "deep", "inner"]),
                 (["readlink", "granted/relative"], "../outside/secret")]
        for how in ("whole", "single"):
            found = self.tried(how, [item for item, _ in items], ["--allow-read", "granted"])
            for (item, expected), became in zip(items, found):
                with self.subTest(how=how, item=item):
                    value = sorted(became[1]) if isinstance(became[1], list) else became[1]
                    self.assertEqual([became[0], value], ["done", expected])

    def test_a_grant_that_cannot_be(self):
        for how in ("whole", "single"):
            for path, code in (("absent", "not_found"), ("granted/a", "io"), ("granted/loop", "io")):
                for option in ("--allow-read", "--allow-write"):
                    run = self.inside(how, CODE, [["getcwd"]], [option, path])
                    with self.subTest(how=how, path=path, option=option):
                        error = run.document["error"]
                        self.assertIn(run.exit, (3, 4), run.stdout)
                        self.assertEqual(error["code"], code, error)
                        self.assertIn(path, error["message"])
            for word in ("=x", "granted="):
                run = self.inside(how, CODE, [["getcwd"]], ["--allow-read", word])
                self.assertEqual((run.exit, run.document["error"]["message"]), (2, f"--allow-read takes DIR or DIR=GUEST, not '{word}'"))


class Writing(FilesTest):
    MUTATIONS = [["write", "granted/a"], ["write", "granted/new"], ["write", "granted/a", "x", "a"], ["write", "granted/a", "x", "r+"],
                 ["create", "granted/new"], ["truncate", "granted/a"], ["mkdir", "granted/new"], ["rmdir", "granted/sub"], ["unlink", "granted/a"],
                 ["unlink", "granted/relative"], ["rename", "granted/a", "granted/z"], ["replace", "granted/a", "granted/sub/b"],
                 ["link", "granted/a", "granted/z"], ["symlink", "a", "granted/z"], ["utime", "granted/a"], ["chmod", "granted/a", 0],
                 ["rmtree", "granted/sub"], ["follow", "granted/z", "a"], ["copytree", "granted/sub", "granted/z"]]

    def test_reading_is_not_writing(self):
        self.both(self.refused, self.MUTATIONS, ["--allow-read", "granted"])
        self.both(self.refused, self.MUTATIONS)

    def test_out_of_a_granted_folder(self):
        targets = ["granted/absolute", "granted/relative", "granted/folder/secret", "granted/folder/new", "granted/absolute-folder/new",
                   "granted/dangling", "granted/chain", "granted/up/new", "granted/root/tmp/new", "granted/../new", "granted/../outside/secret",
                   "outside/secret", "outside/new", "/tmp/rm-sandbox-new", str(self.outside / "new"), str(self.outside / "secret")]
        items = [["write", path] for path in targets] + [["create", path] for path in targets] + [["truncate", path] for path in targets]
        items += [["write", path, "x", "a"] for path in targets]
        items += [["mkdir", "granted/folder/new"], ["mkdir", "granted/../new"], ["rmdir", "granted/folder/folder"], ["unlink", "granted/folder/secret"],
                  ["unlink", "granted/../beside"], ["rename", "granted/a", "granted/../z"], ["rename", "granted/a", "granted/folder/z"],
                  ["rename", "granted/a", "outside/z"], ["rename", "granted/folder/secret", "granted/z"], ["rename", "outside/secret", "granted/z"],
                  ["replace", "granted/sub", "granted/../z"], ["rename", "granted/sub", str(self.outside / "z")],
                  ["link", "outside/secret", "granted/z"], ["link", "granted/folder/secret", "granted/z"], ["link", "granted/../beside", "granted/z"],
                  ["link", "granted/a", "outside/z"], ["link", "granted/a", "granted/folder/z"], ["utime", "granted/relative"],
                  ["chmod", "granted/relative", 0], ["rmtree", "granted/folder"], ["rmtree", "granted/.."], ["rmtree", "granted/absolute-folder"],
                  ["symlink", "x", "granted/../z"], ["symlink", "x", "granted/folder/z"], ["symlink", "x", "outside/z"],
                  ["symlink", "/etc/passwd", "granted/folder/z"]]
        beside = (self.folder / "beside").read_text()
        self.both(self.refused, items, ["--allow-write", "granted"])
        self.assertEqual((self.folder / "beside").read_text(), beside)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"granted", "outside", "beside", "m.json"})
        self.assertFalse(os.path.exists("/tmp/rm-sandbox-new"))

    def test_a_link_that_it_makes_leads_nowhere(self):
        """It may make one where it may write, or not even that; what it points at stays out of reach."""
        for how in ("whole", "single"):
            targets = [str(self.outside / "secret"), "../outside/secret", "/etc/passwd", "..", "/", "../beside", "/proc/self/environ"]
            items = [["follow", f"granted/{how}{i}", target] for i, target in enumerate(targets)]
            items += [["read", f"granted/{how}3/beside"], ["read", f"granted/{how}4/etc/passwd"], ["write", f"granted/{how}5"],
                      ["listdir", f"granted/{how}4"], ["write", f"granted/{how}3/new"]]
            for item, became in zip(items, self.tried(how, items, ["--allow-write", "granted"])):
                with self.subTest(how=how, item=item):
                    self.assertIn(became[0], REFUSED)
        self.assertEqual((self.folder / "beside").read_text(), "SECRET")
        self.assertFalse((self.folder / "new").exists())

    def test_what_is_granted(self):
        for how in ("whole", "single"):
            items = [(["write", f"granted/{how}"], None), (["mkdir", f"granted/{how}-folder"], None), (["rename", f"granted/{how}", f"granted/{how}-folder/x"], None),
                     (["read", f"granted/{how}-folder/x"], "changed"), (["unlink", f"granted/{how}-folder/x"], None),
                     (["rmdir", f"granted/{how}-folder"], None), (["write", "granted/inner", how], None), (["read", "granted/a"], how)]
            self.worked(how, items, ["--allow-write", "granted"])
            self.assertEqual((self.granted / "a").read_text(), how)

    def test_two_grants_are_two(self):
        self.write("other/d", "D")
        args = ["--allow-read", "granted=/r", "--allow-write", "other=/w"]
        self.both(self.refused, [["rename", "/r/a", "/w/a"], ["rename", "/w/d", "/r/d"], ["link", "/r/a", "/w/a"], ["write", "/r/a"],
                                 ["read", "/w/../granted/a"], ["read", "/r/../other/d"], ["read", "/w/../r/../beside"]], args)
        self.both(self.worked, [(["read", "/r/a"], "A"), (["read", "/w/d"], "D")], args)
        self.assertEqual((self.folder / "other/d").read_text(), "D")

    def test_the_output_file_and_nothing_beside_it(self):
        """Of --output only the file is written, also when the run fails; what a program makes beside it is gone."""
        items = [["write", "results/other"], ["listdir", "results"], ["read", "results/beside"], ["unlink", "results/beside"], ["mkdir", "results/x"],
                 ["create", "results/out.jsonl.mine"], ["symlink", "/etc/passwd", "results/out.jsonl.link"], ["link", "results/beside", "results/out.jsonl.y"]]
        items += [[do, "results/out.jsonl.bak"] for do in ("read", "write", "create", "unlink", "truncate", "stat")]
        items += [["rename", "results/out.jsonl.bak", "results/out.jsonl"], ["rename", "results/out.jsonl", "results/out.jsonl.bak"]]
        self.write("results/beside", "SECRET")
        self.write("results/out.jsonl.bak", "SECRET")
        run = self.inside("whole", CODE, items, ["--output", "results/out.jsonl"])
        self.assertEqual(run.exit, 0, run.stderr)
        self.assertNotIn("SECRET", (self.folder / "results/out.jsonl").read_text())
        self.assertEqual((self.folder / "results/beside").read_text(), "SECRET")
        self.assertEqual((self.folder / "results/out.jsonl.bak").read_text(), "SECRET")
        self.assertEqual({path.name for path in (self.folder / "results").iterdir()}, {"beside", "out.jsonl", "out.jsonl.bak"})
        code = CODE.replace("def process(item):", "def process(item):\n    write('results/o.part')\n    while True: pass\n")
        run = self.inside("whole", code, [["getcwd"]], ["--output", "results/o", "--timeout", "500ms"])
        self.assertEqual(run.exit, 1 if "FileNotFoundError" in run.stdout or "PermissionError" in run.stdout else 5, run.stdout)
        self.assertFalse((self.folder / "results/o.part").exists())


class Modules(FilesTest):
    def test_a_folder_of_modules_can_be_read_only(self):
        self.write("lib/mine.py", "def process(item):\n    try:\n        open('lib/new', 'w')\n    except OSError:\n        return open('lib/mine.py').read()[:3]\n")
        for how in ("whole", "single"):
            run = self.inside(how, [node("p", "mine.process")], [1], ["--path", "lib"])
            self.assertIn(run.exit, (0, 1, 3), run.stderr)
            self.assertEqual({path.name for path in (self.folder / "lib").iterdir()} - {"__pycache__"}, {"mine.py"})
