"""What can be a node: callables of every kind, sources, and objects and classes that are hard to look at."""
import dataclasses
import functools
import operator
import types
import unittest
import unittest.mock

import remotemedia as rm
from manifests import numpy


def run(what, items=None, **fields):
    graph = rm.Graph()
    graph.add(what, id="n", **fields)
    return graph.pipeline().run(items)["n"]


def passing(function):
    """A decorator as most are written."""
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


class Tools:
    def numbers(self):
        yield from (1, 2)

    def add_one(self, item):
        return item + 1

    @classmethod
    def letters(cls):
        yield from "ab"

    @staticmethod
    def digits():
        return iter([7])

    async def later(self):
        yield 5


class Called:
    def __call__(self):
        return [1]


def upto(n):
    yield from range(n)


class Sources(unittest.TestCase):
    def test_what_takes_no_item(self):
        @functools.wraps(upto)
        def takes_less():
            yield from range(2)

        def with_options(*, step=2):
            yield step

        tools, wrapped = Tools(), passing(lambda: [4])
        for what, values in ((tools.numbers, [1, 2]), (Tools.letters, ["a", "b"]), (Tools.digits, [7]), (tools.later, [5]), (Called(), [1]),
                             (functools.partial(upto, 2), [0, 1]), (wrapped, [4]), (takes_less, [0, 1]),
                             (with_options, [2]), (functools.partial(tools.numbers), [1, 2]), (functools.lru_cache(lambda: [3]), [3])):
            with self.subTest(what=what):
                self.assertEqual(run(what), values)
                self.assertEqual(run(rm.node(what)()), values)

    def test_what_can_take_an_item(self):
        def optional(item=3):
            return item

        def options(item, *, factor=2):
            return item * factor

        wrapped = passing(lambda item: item + 1)
        for what, values in ((optional, [5]), (options, [10]), (lambda *items: len(items), [1]), (Tools().add_one, [6]), (wrapped, [6]),
                             (functools.partial(pow, 2), [32]), (passing(optional), [5]), (lambda item, /, other=1: item + other, [6]),
                             (lambda *items, **more: [*items], [[5]])):
            with self.subTest(what=what):
                self.assertEqual(run(what, [5]), values)

    def test_what_can_be_called_neither_way(self):
        def two(one, other):
            pass

        def by_name(*, item):
            pass

        for what, shown in ((two, r"two\(one, other\)"), (by_name, r"by_name\(\*, item\)"), (passing(two), r"two\(one, other\)"),
                            (Tools.add_one, r"add_one\(self, item\)")):
            with self.subTest(what=what):
                self.assertRaisesRegex(TypeError, shown + " can be no node.*functools.partial", rm.Graph().add, what)
        self.assertRaisesRegex(TypeError, "can be no node", lambda: rm.Graph().add(abs) >> two)

    def test_at_node_takes_further_parameters(self):
        @rm.node
        def by_name(*, item=4):
            yield item

        @rm.node
        @passing
        def two(one, other: int):
            return one + other

        @functools.wraps(upto)
        def decorated():
            yield 6

        self.assertEqual((run(by_name(item=9)), run(by_name())), ([9], [4]))
        self.assertEqual(run(two(other=3), [1]), [4])
        self.assertRaisesRegex(TypeError, "other must be int, not str", two, other="x")
        self.assertRaisesRegex(TypeError, r"two\.__init__\(\) missing", two)
        self.assertEqual(run(rm.node(decorated)()), [6])


class Odd(unittest.TestCase):
    def test_functions_in_c(self):
        values = [[3, 1], [5]]
        for what, wanted in ((min, [1, 5]), (operator.itemgetter(0), [3, 5]), (len, [2, 1])):
            self.assertEqual(run(what, values), wanted)
            self.assertEqual(run(rm.node(what)(), values), wanted)
        self.assertEqual((run(str.upper, ["a"]), run(rm.node(str.upper)(), ["a"]), run("x".join, [["a", "b"]])), (["A"], ["A"], ["axb"]))

    def test_functions_of_numpy(self):
        np = numpy()
        self.assertEqual((run(np.sqrt, [4]), run(rm.node(np.sqrt)(), [9]), run(np.sum, [[1, 2]])), ([2], [3], [3]))

    def test_mocks(self):
        mock = unittest.mock
        for what in (mock.Mock(return_value=7), mock.MagicMock(return_value=7), mock.AsyncMock(return_value=7)):
            self.assertEqual(run(what, [1, 2]), [7, 7])
            self.assertEqual([call.args for call in what.call_args_list], [(1,), (2,)])
        with_process = mock.Mock()
        with_process.process = lambda item: item * 2
        self.assertEqual(run(with_process, [1, 2]), [2, 4])
        self.assertEqual(run(mock.Mock(spec=Tools().add_one, return_value=3), [1]), [3])

    def test_objects_that_answer(self):
        class Proxy:
            def __init__(self, of):
                self.of = of

            def __getattr__(self, name):
                return getattr(self.of, name)

        class Angry:
            def __getattr__(self, name):
                raise KeyError(name)

        class Minus:
            def process(self, item):
                return -item

        self.assertEqual(run(Proxy(Minus()), [1]), [-1])
        self.assertRaisesRegex(TypeError, "a node is", rm.Graph().add, Angry())

        class Unspeakable:
            def __repr__(self):
                raise RuntimeError

        self.assertRaisesRegex(TypeError, "not an object of Unspeakable", rm.Graph().add, Unspeakable())

    def test_signatures_that_are_wrong(self):
        def fine(item, factor=2):
            return item * factor

        for signature in ("text", 5, None, object()):
            fine.__signature__ = signature
            self.assertEqual((run(fine, [3]), run(rm.node(fine)(factor=3), [3])), ([6], [9]))

        def takes_anything(*args, **kwargs):
            return args[0]

        takes_anything.__signature__ = "text"
        self.assertEqual(run(takes_anything, [3]), [3])

        class Called:
            __signature__ = 7

            def __call__(self, item):
                return item

        self.assertEqual((run(Called(), [3]), run(rm.node(Called())(), [4])), ([3], [4]))

    def test_positional_only_parameters(self):
        @rm.node
        def scale(item, factor, offset=1, /, more=0):
            return item * factor + offset + more

        @rm.node
        async def later(item, factor=2, /):
            return item * factor

        @rm.node(source=True)
        def upto(n, /):
            yield from range(n)

        self.assertEqual(run(scale(factor=3, more=10), [1]), [14])
        self.assertEqual((run(later(factor=5), [1]), run(upto(n=2))), ([5], [0, 1]))

        @rm.node
        class Gain:
            def __init__(self, factor: int = 1, /):
                self.factor = factor

            def process(self, item):
                return item * self.factor

        self.assertEqual((run(Gain(3), [2]), run(Gain, [2])), ([6], [2]))
        self.assertEqual((Gain(3).config, Gain().config), (None, {}))

    def test_names_of_our_own(self):
        @rm.node
        def clash(item, _self=1, _params=2, __=3, _default_0=4, _function=5, _bound=6, _types=7, __dict=8):
            return [_self, _params, __, _default_0, _function, _bound, _types, __dict]

        self.assertEqual(run(clash(_self=9), [0]), [[9, 2, 3, 4, 5, 6, 7, 8]])

    def test_parameters_that_have_no_names(self):
        for function, stars in ((lambda item, *rest: 0, r"not \*rest"), (lambda item, **more: 0, r"not \*\*more")):
            self.assertRaisesRegex(TypeError, stars, rm.node, function)
        for what in (5, classmethod(abs)):
            self.assertRaisesRegex(TypeError, "of a function or a class", rm.node, what)

    def test_defaults_need_not_fit_annotations(self):
        @rm.node
        def cut(item, size: int = None, names: "list[str]" = ()):
            return [size, list(names)]

        self.assertEqual((run(cut(), [0]), run(cut(size=None), [0]), run(cut(size=2), [0])), ([[None, []]], [[None, []]], [[2, []]]))
        self.assertRaisesRegex(TypeError, "size must be int, not str", cut, size="2")


def graph_of(what, **fields):
    graph = rm.Graph()
    graph.add(what, id="n", **fields)
    return graph


class Classes(unittest.TestCase):
    def check(self, kind):
        made = kind(factor=3)
        self.assertEqual((run(made, [2]), run(kind, [2], params={"factor": 4}), made.config), ([6], [8], {"factor": 3}))
        self.assertRaisesRegex(TypeError, "factor must be int, not str", kind, factor="x")
        self.assertEqual((kind.__name__, kind.__doc__, isinstance(made, kind)), ("Gain", "Gains.", True))

    def test_dataclasses(self):
        for options in ({}, {"frozen": True}, {"slots": True}, {"frozen": True, "slots": True}, {"frozen": True, "eq": False, "kw_only": True}):
            with self.subTest(options=options):
                class Gain:
                    """Gains."""
                    factor: int = 1

                    def process(self, item):
                        return item * self.factor

                Gain.__annotations__ = {"factor": int}
                self.check(rm.node(dataclasses.dataclass(**options)(Gain)))

    def test_slots(self):
        class Gain:
            """Gains."""
            __slots__ = ("factor",)

            def __init__(self, factor: int = 1):
                self.factor = factor

            def process(self, item):
                return item * self.factor

        self.check(rm.node(Gain))

    def test_a_frozen_node_without_the_decorator(self):
        @dataclasses.dataclass(frozen=True)
        class Gain(rm.Node):
            factor: int = 2

            def process(self, item):
                return item * self.factor

        gain = Gain(3)
        self.assertEqual((run(gain, [2]), gain.name), ([6], "n"))

    def test_a_metaclass_that_makes_objects(self):
        class Once(type):
            made: dict = {}

            def __call__(cls, *args, **params):
                return Once.made.setdefault(cls, super().__call__(*args, **params))

        @rm.node
        class Gain(metaclass=Once):
            """Gains."""

            def __init__(self, factor: int = 1):
                self.factor = factor

            def process(self, item):
                return item * self.factor

        self.assertIs(Gain(5), Gain(6))
        self.assertEqual((run(Gain(5), [2]), Gain().config), ([10], {"factor": 5}))

    def test_generic_classes(self):
        class Gain[T]:
            def process(self, item: T) -> T:
                return item

        self.assertEqual((run(Gain[int], [1]), run(Gain, [1]), run(list[int], [[1]])), ([1], [1], [[1]]))

    def test_a_class_that_makes_something_else(self):
        class Makes(type):
            def __call__(cls, *args):
                return 5

        class Kind(metaclass=Makes):
            def process(self, item):
                return item

        with self.assertRaises(rm.NodeError) as raised:
            run(Kind, [1])
        self.assertRegex(str(raised.exception), r"calling \S*Kind\S* gave an object of type 'int', which has no process\(item\)")

    def test_a_parameter_called_config(self):
        @rm.node
        class Reader:
            def __init__(self, config: str = "a"):
                self.config = config

            def process(self, item):
                return self.config

        Reader.__module__, Reader.__qualname__ = "nodes_of_this_test", "Reader"
        module = types.ModuleType("nodes_of_this_test")
        module.Reader = Reader
        with unittest.mock.patch.dict("sys.modules", nodes_of_this_test=module):
            self.assertEqual(graph_of(Reader(config="b")).to_dict()["nodes"][0]["params"], {"config": "b"})
            self.assertEqual(run(Reader(config="b"), [0]), ["b"])

    def test_no_process(self):
        class Empty(rm.Node):
            pass

        for what in (Empty, Empty(), rm.Node()):
            self.assertRaisesRegex(TypeError, r"an object with process\(\)", rm.Graph().add, what)


if __name__ == "__main__":
    unittest.main()
