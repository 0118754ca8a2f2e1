"""The guides are followed: what they tell to write is written, what they tell to type is typed, and it gives what they show.

A block ```LANGUAGE NAME is (a further part of) the file NAME, which the text before it names too. A block ```console guide
holds commands, in the form that test_docs.py reads; they run in the folder where the files lie. Every other block is
test_docs.py's, or a diagram, so that no code stays untried.
"""

import os
import re
import shutil
import subprocess
import unittest

from support import BUILD, PROGRAM, ROOT, SLOWNESS, environment
from test_docs import entries, matches
from test_examples import CC, WARNINGS, CompiledTest, sanitizers

GUIDES = [ROOT / "docs" / name for name in ("nodes.md", "embedding.md", "architecture.md", "README.md")]
TREE = "remotemedia"  # the folder of a guide that is a checkout of the project


def blocks(path):
    """(line number, language, the rest of the line, text, text before the block) of every fenced block."""
    text = path.read_text()
    for found in re.finditer(r"^```(\w*) ?(.*)\n((?:.*\n)*?)```$", text, re.M):
        yield (text.count("\n", 0, found.start()) + 2, found.group(1), found.group(2), found.group(3),
               text[:found.start()])


class Guide(CompiledTest):
    """The reader's folder: the installed project is found there by pkg-config, CMake and the loader."""

    def setUp(self):
        super().setUp()
        lib, tools = self.prefix / "lib", self.folder / "tools"
        for library in (BUILD / "lib").glob("libremotemedia_python.so*"):
            (lib / library.name).symlink_to(library)
        (lib / "remotemedia").symlink_to(BUILD)  # home of the Python host
        (lib / "cmake/remotemedia").mkdir(parents=True)
        shutil.copy(BUILD / "remotemedia-python.pc", lib / "pkgconfig")
        for part in BUILD.glob("remotemedia-config*.cmake"):
            shutil.copy(part, lib / "cmake/remotemedia")
        tools.mkdir()
        (tools / "remotemedia").symlink_to(PROGRAM)
        # Programs and plug-ins that meet a sanitized library need the same; and nothing in a guide may warn.
        words = " ".join([*(word for word in WARNINGS if word.startswith("-W")), *sanitizers()])
        (tools / "cc").write_text(f'#!/bin/sh\nexec {CC} {words} "$@"\n')
        (tools / "cc").chmod(0o755)
        self.desk = self.folder / "desk"
        self.desk.mkdir()
        self.env = environment({
            "PATH": f"{tools}:{os.environ['PATH']}", "CC": str(tools / "cc"), "LD_LIBRARY_PATH": str(lib),
            "PKG_CONFIG_PATH": str(lib / "pkgconfig"), "CMAKE_PREFIX_PATH": str(self.prefix)})

    def follow(self, path, wanted):
        """Writes every file and runs the commands that are wanted; how many ran."""
        count = 0
        for number, language, name, text, _ in blocks(path):
            if language == "console" and name == "guide":
                for offset, command, expected in entries(text, number):
                    if wanted(command):
                        count += 1
                        with self.subTest(place=f"{path.relative_to(ROOT)}:{offset}"):
                            self.check(command, expected)
            elif name:
                file = self.desk / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with open(file, "a") as out:
                    out.write(text)
        return count

    def check(self, command, expected):
        done = subprocess.run(["sh", "-c", command], cwd=self.desk, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600 * SLOWNESS, check=False)
        got = done.stdout.decode().splitlines()
        self.assertTrue(matches(expected, got), f"$ {command}\n" + "\n".join(got))

    @staticmethod
    def in_tree(command):
        return TREE + "/" in command or f"cd {TREE} " in command

    def test_nodes(self):
        self.assertGreater(self.follow(GUIDES[0], lambda command: not self.in_tree(command)), 15)

    @unittest.skipIf(sanitizers(), "makes a build of its own, without sanitizers")
    def test_a_node_in_the_tree(self):
        names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                               stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                target = self.desk / TREE / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        self.assertGreater(self.follow(GUIDES[0], self.in_tree), 5)

    def test_embedding(self):
        self.assertGreater(self.follow(GUIDES[1], lambda command: True), 5)


class Blocks(unittest.TestCase):
    def test_every_block_is_tried(self):
        for path in GUIDES:
            for number, language, name, text, before in blocks(path):
                with self.subTest(place=f"{path.relative_to(ROOT)}:{number}"):
                    if language == "console":
                        self.assertIn(name, ("", "guide"))
                    elif name:
                        self.assertTrue(f"`{name}`" in before, f"the text before the block does not name {name}")
                    else:
                        self.assertIn(language, ("mermaid", "json"))


if __name__ == "__main__":
    unittest.main()
