"""Every public name says what it is: to help(), and to editors."""
import inspect
import pydoc
import unittest

import remotemedia as rm
import remotemedia_runtime

CLASSES = (rm.Pipeline, rm.Run, rm.Graph, rm.Place, rm.Step, rm.Node, rm.Packet, rm.Tensor, rm.Error, rm.ManifestError,
           rm.NodeError, rm.Timeout, rm.Cancelled, rm.Sandbox, rm.Connection)


def shown(what):
    return pydoc.plain(pydoc.render_doc(what))


class Documentation(unittest.TestCase):
    def test_every_public_name(self):
        for name in dir(rm):
            if not name.startswith("_"):
                with self.subTest(name=name):
                    what = getattr(rm, name)
                    self.assertTrue(inspect.getdoc(what))
                    if isinstance(what, type):
                        self.assertIn(what, CLASSES)
                        self.assertTrue(what.__doc__, "only its base class says something")

    def test_every_public_member(self):
        for kind in CLASSES:
            for name in dir(kind):
                inherited = any(name in vars(base) for base in (object, *Exception.__mro__))
                own = next((base for base in kind.__mro__ if name in vars(base)), object)
                if name.startswith("_") or inherited or not own.__module__.startswith("remotemedia"):
                    continue
                member = inspect.getattr_static(kind, name)
                plain = name in ("name", "config", "arrays", "node_type", "params", "id", "port", "graph", "results")  # the class tells of them
                with self.subTest(kind=kind, name=name):
                    self.assertTrue(inspect.getdoc(member) if not plain else name in shown(kind))

    def test_signatures(self):
        for what, names in ((rm.Pipeline.run, ["self", "input", "timeout", "metrics", "progress"]),
                            (rm.Pipeline.stream, ["self", "input", "timeout", "metrics", "ahead", "progress"]),
                            (rm.Pipeline.from_json, ["text", "arrays", "sandbox"]),
                            (rm.Tensor, ["source", "shape", "dtype", "sample_rate", "channel_layout", "timestamp", "duration"]),
                            (rm.Packet, ["value", "port", "timestamp", "metadata"]),
                            (rm.nodes.Take, ["count"])):
            self.assertEqual(list(inspect.signature(what).parameters), names)

    def test_help_reads_well(self):
        text = shown(rm.Pipeline)
        for word in ("seconds", "NodeError", "ManifestError", "thread", "iterable", "__cause__", "arun", "progress"):
            self.assertIn(word, text)
        self.assertNotIn("_runtime.Run", text)
        for word in ("(frames, channels)", "float32", "frames a second", "seconds", "copy"):
            self.assertIn(word, shown(rm.Tensor))

    def test_nodes_of_the_runtime(self):
        for name in dir(rm.nodes):
            what = getattr(rm.nodes, name)
            with self.subTest(name=name):
                self.assertTrue(inspect.getdoc(what))
                if not isinstance(what, type):
                    for param in inspect.signature(what).parameters:
                        self.assertIn(f"\n    {param}: ", what.__doc__)
        text = shown(rm.nodes.VoiceActivity)
        for word in ("threshold_db: float = 10.0", "0 to 120", "dtype float32", "ms; 0 to 3600000"):
            self.assertIn(word, text)
        self.assertIn("'emit' or 'pad' or 'drop'", rm.nodes.AudioBuffer.__doc__)

    def test_older_names(self):
        for name in remotemedia_runtime.__all__:
            self.assertTrue(inspect.getdoc(getattr(remotemedia_runtime, name)))


if __name__ == "__main__":
    unittest.main()
