"""Pictures of graphs, as notebooks show them."""
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml

import remotemedia as rm

SVG = "{http://www.w3.org/2000/svg}"


def picture(what):
    """(the SVG's root, the whole HTML, the text)."""
    bundle = what._repr_mimebundle_()
    html = bundle["text/html"]
    return xml.fromstring(re.search(r"<svg.*</svg>", html, re.S)[0]), html, bundle["text/plain"]


def boxes(root):
    """{id: (x, y, width, height, colour)}; the id is the first text in a node's group."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        found[group.find(f"{SVG}text").text] = (*(float(box.get(name)) for name in ("x", "y", "width", "height")), box.get("fill"))
    return found


def texts(root):
    return [each.text for each in root.iter(f"{SVG}text")]


async def later(item):
    return item


class Pictures(unittest.TestCase):
    def branches(self):
        graph = rm.Graph("t")

        @rm.node(outputs=("low", "high"))
        def split(item):
            return item

        place = graph.add(split)
        place["low"] >> graph.add(rm.nodes.Multiply(factor=2), id="small") >> graph.add("Merge", id="both")
        place["high"] >> graph.add(later, id="far")
        return graph

    def test_nodes_stand_right_of_those_before_them(self):
        graph = self.branches()
        for what in (graph, graph.pipeline()):
            root, _, text = picture(what)
            at = boxes(root)
            self.assertEqual(set(at), {"split", "small", "both", "far"})
            for one, two in (("split", "small"), ("small", "both"), ("split", "far")):
                self.assertGreater(at[two][0], at[one][0] + at[one][2])
            self.assertIn("low", texts(root))
            self.assertIn("high", texts(root))
            self.assertEqual(len({at[id][4] for id in ("split", "small", "far")}), 3, "the three kinds look alike")
            self.assertRegex(text, "split.* >> small, far")

    def test_nodes_and_the_picture_do_not_overlap(self):
        graph = rm.Graph()
        places = [graph.add("PassThrough") for _ in range(40)]
        for i in range(1, 40):
            places[(i * 7) % i] >> places[i]
            places[i // 2] >> places[i]
        root, _, _ = picture(graph)
        at = sorted(boxes(root).values())
        width, height = float(root.get("width")), float(root.get("height"))
        for i, (x, y, wide, high, _) in enumerate(at):
            self.assertTrue(0 <= x and x + wide <= width and 0 <= y and y + high <= height)
            for other in at[i + 1:]:
                apart = x + wide <= other[0] or other[0] + other[2] <= x or y + high <= other[1] or other[1] + other[3] <= y
                self.assertTrue(apart, (at[i], other))

    def test_ids_cannot_bring_markup(self):
        hostile = "<script>alert('\"&amp;x')</script>\0\ud800\x1b]>"
        graph = rm.Graph(hostile)
        first = graph.add(type(hostile.replace("\0", "").replace("\ud800", ""), (), {"process": later}), id=hostile)
        first[hostile] >> graph.add("PassThrough", id="b")[hostile]
        root, html, text = picture(graph)
        html.encode(), text.encode()
        self.assertEqual({each.tag for each in root.iter()}, {SVG + tag for tag in ("svg", "g", "title", "rect", "text", "path")})
        self.assertNotIn("<script", html)
        self.assertNotRegex(html, "[\0\x1b]")
        self.assertNotRegex(text, "[\0\x1b]")
        self.assertNotRegex(html, r"(?i)\bhref|url\(|@import|https?://(?!www\.w3\.org/2000/svg)")

    def test_colours_of_the_page_are_taken(self):
        """Texts and lines have the colour of the page's text, on grounds that are nearly clear: readable in light and dark."""
        graph = self.branches()
        root, html, _ = picture(graph)
        self.assertEqual({each.get("fill") for each in root.iter(f"{SVG}text")}, {"currentColor"})
        self.assertTrue(all(float(each.get("fill-opacity")) < 0.3 for each in root.iter(f"{SVG}rect")))
        self.assertNotIn("<style", html)

    def test_an_empty_graph_and_a_wrong_one(self):
        bundle = rm.Graph("nothing")._repr_mimebundle_()
        self.assertIn("empty", bundle["text/html"])
        self.assertIn("empty", bundle["text/plain"])
        graph = rm.Graph()
        a, b = graph.add("PassThrough", id="a"), graph.add("Misspelt", id="b")
        a >> b >> a
        a >> a
        root, _, _ = picture(graph)
        self.assertEqual(set(boxes(root)), {"a", "b"})

    def test_time_grows_with_the_graph(self):
        """Of a hundred times as many nodes it takes some hundred times as long; layers without order would take thousands."""
        import time

        def took(count):
            graph = rm.Graph()
            places = [graph.add("PassThrough", id=f"n{i}") for i in range(count)]
            for i in range(1, count):
                for back in (1, 5, 13):
                    places[max(0, i - back)] >> places[i]
            started = time.thread_time()
            graph._repr_mimebundle_()
            return time.thread_time() - started

        took(5)
        self.assertLess(took(500), 3000 * min(took(5) for _ in range(5)))

    def test_no_run_pays_for_it(self):
        text = ("import sys, remotemedia as rm\ngraph = rm.Graph()\ngraph.add('PassThrough')\ngraph.pipeline().run([1])\n"
                "print([name for name in ('html', 'remotemedia._picture', 'remotemedia._progress', 'asyncio') if name in sys.modules])")
        done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(done.stdout, "[]\n")

    def test_representations(self):
        graph = rm.Graph("t")
        graph.add("PassThrough")
        self.assertEqual(repr(graph), "<remotemedia.Graph 't', 1 node>")
        self.assertEqual(repr(graph.pipeline()), "<remotemedia.Pipeline 't', 1 node>")


if __name__ == "__main__":
    unittest.main()
