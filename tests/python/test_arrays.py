"""Arrays in and out: memory is shared."""
import unittest

import remotemedia as rm
from manifests import multiply, numpy, row

np = numpy()


class Arrays(unittest.TestCase):
    def test_a_native_node_gets_the_callers_memory(self):
        array = np.arange(6, dtype="float32").reshape(3, 2)
        tensor, = rm.Pipeline.from_dict(row({"node_type": "PassThrough"})).run([array])["a"]
        self.assertTrue(np.shares_memory(np.asarray(tensor), array))
        result, = rm.Pipeline.from_dict(row({"node_type": "PassThrough"}), arrays="numpy").run([array])["a"]
        self.assertTrue(isinstance(result, np.ndarray) and np.shares_memory(result, array))

    def test_nobody_writes_into_the_callers_memory(self):
        array = np.ones(4)
        result, = rm.Pipeline.from_dict(row(multiply(3)), arrays="numpy").run([array])["a"]
        self.assertEqual((array.tolist(), result.tolist()), ([1.0] * 4, [3.0] * 4))

        def write(item):
            item[0] = 5

        graph = rm.Graph()
        graph.add(write)
        with self.assertRaises(rm.NodeError) as raised:
            graph.pipeline().run([array])
        self.assertIn("read-only", str(raised.exception.__cause__))
        self.assertEqual(array.tolist(), [1.0] * 4)

    def test_python_nodes_get_arrays_and_pass_them_on(self):
        array = np.arange(4)
        graph = rm.Graph()
        graph.add(lambda item: item, id="one") >> graph.add(lambda item: item, id="two")
        result, = graph.pipeline().run([array])["two"]
        self.assertTrue(isinstance(result, np.ndarray) and np.shares_memory(result, array))

    def test_an_array_of_a_node_is_the_result(self):
        made = []

        def make(item):
            made.append(id(array := np.zeros(3)))
            return array

        graph = rm.Graph()
        graph.add(make)
        self.assertEqual(list(map(id, graph.pipeline().run([1])["make"])), made)

    def test_nodes_get_the_form_that_the_caller_chose(self):
        graph = rm.Graph()
        graph.add("Multiply") >> graph.add(lambda item: type(item).__name__, id="kind")
        self.assertEqual(graph.pipeline(arrays="numpy").run([np.zeros(2)]), {"kind": ["ndarray"]})
        self.assertEqual(graph.pipeline().run([np.zeros(2)]), {"kind": ["Tensor"]})


if __name__ == "__main__":
    unittest.main()
