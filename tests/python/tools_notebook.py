"""examples/voice/voice.ipynb: executed in a kernel, its outputs are those that stand in it. `--write` puts them there."""
import os
import pathlib
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

import nbclient
import nbformat

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NOTEBOOK = ROOT / "examples/voice/voice.ipynb"


def executed():
    """The notebook, run in a fresh kernel from the notebook's folder."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as home:  # neither profiles nor histories of this machine's user
        os.environ.update(IPYTHONDIR=home, JUPYTER_CONFIG_DIR=home, JUPYTER_RUNTIME_DIR=home, JUPYTER_DATA_DIR=home)
        client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False,
                                         resources={"metadata": {"path": str(NOTEBOOK.parent)}})
        client.execute()
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = settled(cell.outputs)
    return notebook


def settled(outputs):
    """Without what differs from run to run: of a progress bar only its last state stays, without times."""
    said = "".join(output.text for output in outputs if output.get("name") == "stderr")
    kept = [output for output in outputs if output.get("name") != "stderr"]
    if said:
        last = re.sub(r" *\[[\d:]+<[^\]]*\] *$", "", said.rstrip("\n").rpartition("\r")[2]) + "\n"
        kept.insert(0, nbformat.v4.new_output("stream", name="stderr", text=last))
    return kept


def outputs(notebook):
    return [[dict(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


class Notebook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept, cls.notebook = nbformat.read(NOTEBOOK, as_version=4), executed()

    def test_the_outputs_are_those_in_the_file(self):
        self.maxDiff = 4000
        self.assertEqual(outputs(self.notebook), outputs(self.kept))

    def test_the_file_knows_nothing_of_a_machine(self):
        text = NOTEBOOK.read_text()
        for word in (str(ROOT), str(pathlib.Path.home()), sys.prefix, "/tmp", "3.13", "site-packages"):
            self.assertNotIn(word, text)
        nbformat.validate(self.kept)

    def test_pictures(self):
        """The pipeline and the graph are shown as SVG that stands alone, and as text."""
        shown = [output["data"] for each in outputs(self.notebook) for output in each if "text/html" in output.get("data", {})]
        self.assertEqual(len(shown), 2)
        for data, ids in zip(shown, (["file", "frames", "speech", "report"], ["file", "frames", "speech", "levels", "duration"])):
            root = xml.fromstring(re.search("<svg.*</svg>", data["text/html"], re.S)[0])
            texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
            self.assertEqual([text for text in texts if text in ids], ids)
            self.assertEqual([line.split()[0] for line in data["text/plain"].splitlines()[1:]], ids)

    def test_the_bar_ran_to_its_end(self):
        said = [output["text"] for each in outputs(self.notebook) for output in each if output.get("name") == "stderr"]
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], r"^100%.* 40/40\n$")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        nbformat.write(executed(), NOTEBOOK)
    else:
        unittest.main()
