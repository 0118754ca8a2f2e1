"""Every command in the documentation is run and gives what it shows.

In a block ```console, a line "$ command" is run by sh in the project's folder (`remotemedia` is the program under
test); the lines below it are its output, standard error included. A line "..." stands for any lines, "..." at the end
of a line for its rest. A block ```console wasm is run the same way when the WASM files are there (sandbox_docs.py). JSON blocks that
are manifests must be valid.
"""

import json
import os
import re
import subprocess
import sys
import unittest

from support import PROGRAM, ROOT, SLOWNESS, ProgramTest, environment
from ports import dependency
from wheels import only_from, wheel_of

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("**/*.md")),
             ROOT / "findings/README.md", *sorted(ROOT.glob("bindings/*/README.md"))]


def blocks(path, kind):
    """(line number, text) of every fenced block of a kind."""
    text = path.read_text()
    for found in re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.S | re.M):
        yield text.count("\n", 0, found.start()) + 2, found.group(1)


def entries(block, number):
    """[line number, command, expected lines] of a block; a command may go on in lines that begin with "> "."""
    found = []
    for offset, line in enumerate(block.splitlines()):
        if line.startswith("$ "):
            found.append([number + offset, line[2:], []])
        elif found and line.startswith("> ") and not found[-1][2]:
            found[-1][1] += "\n" + line[2:]
        elif found:
            found[-1][2].append(line)
    return found


def commands(path, kind):
    for number, block in blocks(path, kind):
        yield from entries(block, number)


def matches(expected, got):
    """Whether lines are as expected: "..." stands for any number of lines, at the end of a line for its rest."""
    pattern = "".join(
        "(?:.*\n)*?" if line == "..."
        else re.escape(line[:-3]) + ".*\n" if line.endswith("...")
        else re.escape(line) + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None


def anchors(path):
    """What a link may name in a document: its headings, written as GitHub does."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    return [re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in re.findall(r"^#+ (.*)", text, re.M)]


class CommandsTest(ProgramTest):
    """Runs what the documents show in blocks of a kind."""

    def check_commands(self, kind, limit):
        """How many there are. `vendor` finds one wheel, made of what the cache of dependencies has, and asks no index."""
        subprocess.run([sys.executable, str(ROOT / "deps/deps.py"), "--target", "test", "ensure", "attrs"], check=True)
        wheel_of(dependency("attrs"), self.folder)
        variables = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
        count = 0
        for path in DOCUMENTS:
            for number, command, expected in commands(path, kind):
                count += 1
                with self.subTest(place=f"{path.relative_to(ROOT)}:{number}"):
                    more = only_from(self.folder) if command.startswith("remotemedia vendor ") else {}
                    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment({**variables, **more}),
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit * SLOWNESS,
                                          check=False)
                    got = done.stdout.decode().splitlines()
                    self.assertTrue(matches(expected, got), f"$ {command}\n" + "\n".join(got))
        return count


class Documentation(CommandsTest):
    def test_commands_give_what_they_show(self):
        self.assertGreater(self.check_commands("console", 120), 20)

    def test_manifests_are_valid(self):
        count = 0
        for path in DOCUMENTS:
            for number, block in blocks(path, "json"):
                with self.subTest(place=f"{path.relative_to(ROOT)}:{number}"):
                    value = json.loads(block)
                    whole = value.get("manifest", value) if isinstance(value, dict) else {}
                    if isinstance(whole, dict) and "nodes" in whole and "version" in whole:
                        count += 1
                        done = self.run_program("validate", "-", stdin=block)
                        self.assertEqual(done.exit, 0, done.stderr)
        self.assertGreater(count, 0)

    def test_links_lead_somewhere(self):
        for path in DOCUMENTS:
            for target, _, heading in re.findall(r"\]\(([^)#:]*)(#([^)]*))?\)", path.read_text()):
                with self.subTest(place=str(path.relative_to(ROOT)), target=target, heading=heading):
                    there = path.parent / target if target else path
                    self.assertTrue(there.exists())
                    if heading:
                        self.assertIn(heading, anchors(there))

    def test_contributors_run_what_the_integration_runs(self):
        ran = (ROOT / ".ci/run").read_text().replace("exec ", "").splitlines()
        shown = [line for _, block in blocks(ROOT / "CONTRIBUTING.md", "sh") for line in block.splitlines()]
        self.assertEqual([line for line in ran if line.startswith("make ")], shown)

    def test_named_commands_exist(self):
        """What the text names in passing: `make TARGET`, and programs by their path."""
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
        for path in DOCUMENTS:
            text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
            for command in re.findall(r"`([^`]+)`", text):
                words = command.split()
                with self.subTest(place=str(path.relative_to(ROOT)), command=command):
                    if words and words[0] == "make" and len(words) > 1:
                        self.assertIn(words[1], targets)
                    elif words and re.fullmatch(r"(tools|deps|findings|bench|tests)/[\w/-]+", words[0]):
                        self.assertTrue((ROOT / words[0]).exists() or (path.parent / words[0]).exists())


if __name__ == "__main__":
    unittest.main()
