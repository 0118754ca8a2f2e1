"""The kinds of nodes that random graphs are made of: what the manifest says of one, and what it does, in Python and
without the runtime. A kind is total: it has an answer for every value that it may meet, if only a failure.

A kind is a class with
    arguments(rnd)   its parameters, plain JSON (they stand in a graph, so that a graph can be saved and shrunk)
    entry()          what the manifest says of it, beside id and policy
    process(value)   yields what it emits for an item, and raises Failure or Done where it fails or wants no more
    flush()          yields what it emits at the end
A streaming kind (is_streaming) has instead body(), a generator that yields READ to get the next item (END after the
last one) or what it emits. A source (generates) has generate(), which yields what it gives without input.
"""

import json

READ, END = object(), object()


class Failure(Exception):
    """The item fails with this code."""

    def __init__(self, code="python"):
        super().__init__(code)
        self.code = code


class Done(Exception):
    """Nothing more is wanted."""


class Endless:
    """Stands for all the values that an endless generator would still give."""


ENDLESS = Endless()

# A predicate on any value, the same in the nodes and here.
CHOSEN = "def chosen(x, modulus, rest):\n    return sum(map(ord, repr(x))) % modulus == rest\n"


def chosen(x, choice):
    return sum(map(ord, repr(x))) % choice[0] == choice[1]


def returned(x):
    """What an item gives whose process returns x."""
    if x is not None:
        yield x


def number(x):
    return isinstance(x, int) and not isinstance(x, bool)


class Kind:
    native = is_async = streaming = generates = endless = stateful = fails = False
    takes_input = True
    weight = 1

    def __init__(self, id, args):
        self.id, self.args, self.calls, self.seen = id, args, 0, {}
        self.start()

    @staticmethod
    def arguments(rnd):
        return {}

    def start(self):
        """Sets what it remembers between items."""

    def process(self, x):
        yield x

    def flush(self):
        return
        yield

    def choice(self):
        return ", ".join(map(str, self.args["choice"]))


def choose(rnd):
    modulus = rnd.randint(2, 7)
    return [modulus, rnd.randrange(modulus)]


# ---- Native nodes ----------------------------------------------------------------------------------------------


class Native(Kind):
    native = True
    type = "PassThrough"

    def entry(self):
        return {"node_type": self.type, **({"params": self.args} if self.args else {})}


class Pass(Native):
    weight = 3


class Add(Native):
    type = "AddNode"

    @staticmethod
    def arguments(rnd):
        return {"addend": rnd.randint(1, 9)}

    def change(self, x):
        return x + self.args["addend"]

    def process(self, x):
        if isinstance(x, list):
            yield [self.change(v) if number(v) else v for v in x]
        else:
            yield self.change(x) if number(x) else x


class Multiply(Add):
    type = "MultiplyNode"

    @staticmethod
    def arguments(rnd):
        return {"factor": rnd.randint(-2, 3)}

    def change(self, x):
        return x * self.args["factor"]


class Filter(Native):
    """Of "ne" and "exists" everything is total; "ge" fails on what is no number."""

    type = "Filter"
    fails = True

    @staticmethod
    def arguments(rnd):
        operation = rnd.choice(["ne", "eq", "exists", "truthy", "ge", "lt"])
        return {"operation": operation, "value": rnd.randint(-3, 5)}

    def process(self, x):
        operation, value = self.args["operation"], self.args["value"]
        if operation in ("ge", "lt") and not number(x):
            raise Failure("type")
        holds = {
            "ne": lambda: not (number(x) and x == value),
            "eq": lambda: number(x) and x == value,
            "exists": lambda: True,
            "truthy": lambda: bool(x),
            "ge": lambda: x >= value,
            "lt": lambda: x < value,
        }[operation]()
        if holds:
            yield x


class Divide(Native):
    """Fails on every number, passes the rest."""

    type = "CalculatorNode"
    fails = True
    weight = 0.5

    @staticmethod
    def arguments(rnd):
        return {"operation": "modulo", "operand": rnd.choice([0, 3])}

    def process(self, x):
        if number(x) and self.args["operand"] == 0:
            raise Failure("arithmetic")
        yield x % self.args["operand"] if number(x) else x


class Upper(Native):
    type = "UppercaseTransform"
    fails = True
    weight = 0.5

    def process(self, x):
        if not isinstance(x, str):
            raise Failure("type")
        yield x.upper()


class Take(Native):
    type = "Take"
    stateful = True
    weight = 2

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.choice([0, 1, 1, 2, 3, 4, 12])}

    def process(self, x):
        self.calls += 1
        if self.calls <= self.args["count"]:
            yield x
        if self.calls >= self.args["count"]:
            raise Done


class Skip(Native):
    type = "Skip"
    stateful = True

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.randint(0, 3)}

    def process(self, x):
        self.calls += 1
        if self.calls > self.args["count"]:
            yield x


class Batch(Native):
    type = "Batch"
    stateful = True

    @staticmethod
    def arguments(rnd):
        return {"size": rnd.randint(1, 4), "drop_remainder": rnd.random() < 0.2}

    def start(self):
        self.held = []

    def process(self, x):
        self.held.append(x)
        if len(self.held) == self.args["size"]:
            whole, self.held = self.held, []
            yield whole

    def flush(self):
        if self.held and not self.args["drop_remainder"]:
            yield self.held


class Window(Native):
    type = "Window"
    stateful = True

    @staticmethod
    def arguments(rnd):
        return {"size": rnd.randint(1, 3), "hop": rnd.randint(1, 4), "partial": rnd.random() < 0.5}

    def start(self):
        self.held, self.skip, self.news = [], 0, False

    def process(self, x):
        size, hop = self.args["size"], self.args["hop"]
        if self.skip > 0:
            self.skip -= 1
            return
        self.held.append(x)
        self.news = True
        if len(self.held) == size:
            shown = list(self.held)
            del self.held[: min(hop, size)]
            self.skip, self.news = max(hop - size, 0), False
            yield shown

    def flush(self):
        if self.args["partial"] and self.news:
            yield list(self.held)


class Echo(Native):
    type = "Echo"
    stateful = True
    weight = 0.5

    def process(self, x):
        self.calls += 1
        yield {"input": x, "counter": self.calls, "node": "Echo"}


class Merge(Native):
    """The model drives it with put() and leave(), since it needs to know which node gave a value for which item."""

    type = "Merge"
    stateful = True
    fails = True
    weight = 2
    merges = True

    @staticmethod
    def arguments(rnd):
        return {"several": rnd.choice(["error", "list", "list", "first", "last"])}

    def start(self):
        self.sources, self.map = [], {}

    def put(self, source, x):
        several = self.args["several"]
        if source in self.map:
            if several == "error":
                raise Failure("value")
            if several == "list":
                self.map[source].append(x)
            elif several == "last":
                self.map[source] = x
        else:
            self.map[source] = [x] if several == "list" else x

    def leave(self):
        """The map of an item, when no more can come for it."""
        if self.map:
            whole = {source: self.map[source] for source in self.sources if source in self.map}
            self.map = {}
            yield whole

    def flush(self):
        yield from self.leave()


# What nodes count: opened, closed, begun, ended.
LIFE = """import sys
life = sys.__dict__.setdefault('life', [0, 0, 0, 0])
"""
# Gives the counts, and the tasks of asyncio that are left, and begins anew.
PROBE = """import gc, sys
def process(x):
    gc.collect()
    life = sys.__dict__.pop('life', [0, 0, 0, 0])
    tasks = getattr(sys.modules.get('_asyncio'), '_scheduled_tasks', ())
    return [*life, sum(not task.done() for task in tasks)]
"""

# ---- Python nodes that work on one item -------------------------------------------------------------------------


class Python(Kind):
    """`code` is formatted with the arguments and {choice}."""

    code = "def process(x):\n    return x\n"

    def entry(self):
        code = self.code
        for name, value in self.args.items():
            code = code.replace("{" + name + "}", ", ".join(map(str, value)) if name == "choice" else repr(value))
        if "chosen(" in code:
            code = CHOSEN + code
        if "asyncio." in code:
            code = "import asyncio\n" + code
        more = {"is_streaming": True} if self.streaming else {}
        return {"node_type": "Python", "params": {"code": code}, **more}

    def process(self, x):
        yield from returned(x)


class PyPass(Python):
    pass


class PyWrap(Python):
    code = "def process(x):\n    return [x]\n"

    def process(self, x):
        yield [x]


class PyDrop(Python):
    code = "def process(x):\n    return None if chosen(x, {choice}) else x\n"

    @staticmethod
    def arguments(rnd):
        return {"choice": choose(rnd)}

    def process(self, x):
        if not chosen(x, self.args["choice"]):
            yield from returned(x)


class PyEveryOther(Python):
    stateful = True
    code = """class Node:
    n = 0
    def process(self, x):
        self.n += 1
        return x if self.n % 2 else None
"""

    def process(self, x):
        self.calls += 1
        if self.calls % 2:
            yield from returned(x)


class PyYield(Python):
    """0 to 3 values for an item."""

    weight = 2
    code = "def process(x):\n    for i in range({count} - chosen(x, {choice})):\n        yield [i, x] if i else x\n"

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.randint(1, 3), "choice": choose(rnd)}

    def process(self, x):
        for i in range(self.args["count"] - chosen(x, self.args["choice"])):
            yield [i, x] if i else x


class PyYieldNull(Python):
    """A null that is yielded is a value."""

    weight = 0.5
    code = "def process(x):\n    yield None\n    yield x\n"

    def process(self, x):
        yield None
        yield x


class PyFlush(Python):
    """Counts, and says so at the end, in one value or in several."""

    stateful = True
    weight = 2
    code = """class Node:
    n = 0
    def process(self, x):
        self.n += 1
        return x
    def flush(self):
        if {count} == 1:
            return f'{self.name} {self.n}'
        return ([self.n, i] for i in range({count}))
"""

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.choice([1, 1, 0, 2, 3])}

    def process(self, x):
        self.calls += 1
        yield from returned(x)

    def flush(self):
        if self.args["count"] == 1:
            yield f"{self.id} {self.calls}"
        else:
            yield from ([self.calls, i] for i in range(self.args["count"]))


class PyFlushFails(Python):
    """Its flush yields once and fails."""

    fails = stateful = True
    weight = 0.3
    code = """class Node:
    def process(self, x):
        return x
    def flush(self):
        yield 'last'
        raise ValueError('flush')
"""

    def flush(self):
        yield "last"
        raise Failure


class PyHold(Python):
    """Keeps every item until the end."""

    stateful = True
    code = """class Node:
    def __init__(self):
        self.held = []
    def process(self, x):
        self.held.append(x)
    def flush(self):
        yield from self.held
"""

    def start(self):
        self.held = []

    def process(self, x):
        self.held.append(x)
        return
        yield

    def flush(self):
        yield from self.held


class PyFail(Python):
    fails = True
    code = "def process(x):\n    if chosen(x, {choice}):\n        raise ValueError('chosen')\n    return x\n"

    @staticmethod
    def arguments(rnd):
        return {"choice": choose(rnd)}

    def process(self, x):
        if chosen(x, self.args["choice"]):
            raise Failure
        yield from returned(x)


class PyFailNth(Python):
    fails = stateful = True
    code = """class Node:
    n = 0
    def process(self, x):
        self.n += 1
        if self.n == {nth}:
            raise ValueError('nth')
        return x
"""

    @staticmethod
    def arguments(rnd):
        return {"nth": rnd.choice([1, 2, 3, 5, 9])}

    def process(self, x):
        self.calls += 1
        if self.calls == self.args["nth"]:
            raise Failure
        yield from returned(x)


class PyYieldFail(Python):
    """Yields, fails on chosen values, yields again."""

    fails = True
    code = """def process(x):
    for i in range({before}):
        yield [i, x]
    if chosen(x, {choice}):
        raise ValueError('chosen')
    yield x
"""

    @staticmethod
    def arguments(rnd):
        return {"before": rnd.randint(1, 2), "choice": choose(rnd)}

    def process(self, x):
        for i in range(self.args["before"]):
            yield [i, x]
        if chosen(x, self.args["choice"]):
            raise Failure
        yield x


class PyFlaky(Python):
    """Fails at the first attempts at a value and then succeeds."""

    fails = flaky = True
    code = """seen = {}
def process(x):
    key = repr(x)
    seen[key] = seen.get(key, 0) + 1
    if seen[key] <= {failures}:
        raise ValueError(seen[key])
    return x
"""

    @staticmethod
    def arguments(rnd):
        return {"failures": rnd.randint(1, 3)}

    def process(self, x):
        key = repr(x)
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] <= self.args["failures"]:
            raise Failure
        yield from returned(x)


class PyYieldFlaky(PyFlaky):
    code = """seen = {}
def process(x):
    key = repr(x)
    seen[key] = seen.get(key, 0) + 1
    yield x
    if seen[key] <= {failures}:
        raise ValueError(seen[key])
    yield ['ok']
"""

    def process(self, x):
        key = repr(x)
        self.seen[key] = self.seen.get(key, 0) + 1
        yield x
        if self.seen[key] <= self.args["failures"]:
            raise Failure
        yield ["ok"]


class PyLife(Python):
    """Counts how often it was opened and closed; PROBE tells."""

    life = True
    code = LIFE + """class Node:
    def initialize(self):
        life[0] += 1
    def process(self, x):
        return x
    def cleanup(self):
        life[1] += 1
"""


class PyYieldLife(Python):
    """Counts the generators that began and ended."""

    life = True
    code = LIFE + """def process(x):
    try:
        life[2] += 1  # inside, since a cancelled run interrupts between lines
        yield x
        yield [x]
    finally:
        life[3] += 1
"""

    def process(self, x):
        yield x
        yield [x]


class PyEndless(Python):
    endless = True
    code = "def process(x):\n    while True:\n        yield x\n"

    def process(self, x):
        while True:
            yield x


# ---- Asynchronous ones ------------------------------------------------------------------------------------------

SLEEPS = [[0], [0], [0, 0], [0.001], [0.002, 0.001, 0], [0.001, 0]]


class Async(Python):
    """Sleeps as its argument `sleeps` says, one time after the other, by the number of the call."""

    is_async = True
    code = """calls = 0
async def process(x):
    global calls
    calls += 1
    await asyncio.sleep({sleeps}[calls % len({sleeps})])
    return x
"""

    @staticmethod
    def arguments(rnd):
        return {"sleeps": rnd.choice(SLEEPS)}


class AsyncPass(Async):
    weight = 2


class AsyncAtOnce(Async):
    """Returns without waiting."""

    code = "async def process(x):\n    return x\n"

    @staticmethod
    def arguments(rnd):
        return {}


class AsyncDrop(Async):
    code = """async def process(x):
    await asyncio.sleep({sleeps}[0])
    return None if chosen(x, {choice}) else x
"""

    @staticmethod
    def arguments(rnd):
        return {"sleeps": rnd.choice(SLEEPS), "choice": choose(rnd)}

    process = PyDrop.process


class AsyncLate(Async):
    """The chosen items take longer, so that later ones are ready before."""

    weight = 2
    code = """async def process(x):
    await asyncio.sleep(0.003 * {slow} if chosen(x, {choice}) else 0)
    return [x]
"""

    @staticmethod
    def arguments(rnd):
        return {"slow": 1, "choice": choose(rnd)}

    def process(self, x):
        yield [x]


class AsyncFail(Async):
    fails = True
    code = """async def process(x):
    await asyncio.sleep({sleeps}[0])
    if chosen(x, {choice}):
        raise ValueError('chosen')
    return x
"""
    arguments = AsyncDrop.arguments
    process = PyFail.process


class AsyncFlaky(Async):
    fails = flaky = True
    code = """seen = {}
async def process(x):
    key = repr(x)
    seen[key] = attempt = seen.get(key, 0) + 1
    await asyncio.sleep(0)
    if attempt <= {failures}:
        raise ValueError(attempt)
    return x
"""
    arguments = PyFlaky.arguments
    process = PyFlaky.process


class AsyncTimeout(Async):
    """Chosen items sleep for much longer than its timeout."""

    fails = times_out = True
    weight = 0.3
    code = """async def process(x):
    await asyncio.sleep(10 if chosen(x, {choice}) else 0)
    return x
"""

    @staticmethod
    def arguments(rnd):
        return {"choice": choose(rnd)}

    def process(self, x):
        if chosen(x, self.args["choice"]):
            raise Failure("timeout")
        yield from returned(x)


class AsyncYield(Async):
    weight = 2
    code = """async def process(x):
    for i in range({count}):
        await asyncio.sleep({sleeps}[0])
        yield [i, x] if i else x
"""

    @staticmethod
    def arguments(rnd):
        return {"sleeps": rnd.choice(SLEEPS), "count": rnd.randint(0, 3)}

    def process(self, x):
        for i in range(self.args["count"]):
            yield [i, x] if i else x


class AsyncYieldFail(Async):
    fails = True
    code = """async def process(x):
    for i in range({before}):
        yield [i, x]
    await asyncio.sleep(0)
    if chosen(x, {choice}):
        raise ValueError('chosen')
    yield x
"""
    arguments = PyYieldFail.arguments
    process = PyYieldFail.process


class AsyncYieldFlaky(Async):
    fails = flaky = True
    code = """seen = {}
async def process(x):
    key = repr(x)
    seen[key] = attempt = seen.get(key, 0) + 1
    yield x
    await asyncio.sleep(0)
    if attempt <= {failures}:
        raise ValueError(attempt)
    yield ['ok']
"""
    arguments = PyFlaky.arguments
    process = PyYieldFlaky.process


class AsyncFlush(Async):
    stateful = True
    code = """class Node:
    n = 0
    async def process(self, x):
        self.n += 1
        await asyncio.sleep({sleeps}[0])
        return x
    async def flush(self):
        await asyncio.sleep(0)
        return [self.n]
"""

    def process(self, x):
        self.calls += 1
        yield from returned(x)

    def flush(self):
        yield [self.calls]


class AsyncLife(Async):
    life = True
    code = LIFE + """class Node:
    async def initialize(self):
        life[0] += 1
    async def process(self, x):
        try:
            life[2] += 1
            await asyncio.sleep({sleeps}[0])
            return x
        finally:
            life[3] += 1
    async def cleanup(self):
        await asyncio.sleep(0)
        life[1] += 1
"""


class AsyncYieldLife(AsyncLife):
    code = LIFE + """async def process(x):
    try:
        life[2] += 1  # inside, since a cancelled run interrupts between lines
        yield x
        await asyncio.sleep({sleeps}[0])
        yield [x]
    finally:
        life[3] += 1
"""

    def process(self, x):
        yield x
        yield [x]


class AsyncEndless(Async):
    endless = True
    code = "async def process(x):\n    while True:\n        await asyncio.sleep(0)\n        yield x\n"

    @staticmethod
    def arguments(rnd):
        return {}

    process = PyEndless.process


# ---- Streaming ones ---------------------------------------------------------------------------------------------


class Streaming(Python):
    streaming = stateful = True

    def body(self):
        while (x := (yield READ)) is not END:
            yield x


class StreamEach(Streaming):
    code = "def process(stream):\n    for x in stream:\n        yield [x]\n"

    def body(self):
        while (x := (yield READ)) is not END:
            yield [x]


class StreamTwice(Streaming):
    code = "def process(stream):\n    for x in stream:\n        yield x\n        yield [x]\n"

    def body(self):
        while (x := (yield READ)) is not END:
            yield x
            yield [x]


class StreamSum(Streaming):
    """The running count of what it has read, and something at the end."""

    code = """def process(stream):
    n = 0
    for x in stream:
        n += 1
        yield [n, x]
    yield ['end', n]
"""

    def body(self):
        n = 0
        while (x := (yield READ)) is not END:
            n += 1
            yield [n, x]
        yield ["end", n]


class StreamPairs(Streaming):
    code = "def process(stream):\n    for x in stream:\n        yield [x, next(stream, None)]\n"

    def body(self):
        while (x := (yield READ)) is not END:
            y = yield READ
            yield [x, None if y is END else y]
            if y is END:
                return


class StreamList(Streaming):
    """A plain function: one value at the end."""

    code = "def process(stream):\n    return list(stream)\n"

    def body(self):
        whole = []
        while (x := (yield READ)) is not END:
            whole.append(x)
        yield whole


class StreamFirst(Streaming):
    """Stops reading early."""

    weight = 1.5
    code = """def process(stream):
    for n, x in enumerate(stream, 1):
        yield x
        if n == {count}:
            return
"""

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.randint(1, 4)}

    def body(self):
        n = 0
        while (x := (yield READ)) is not END:
            n += 1
            yield x
            if n == self.args["count"]:
                return


class StreamFlush(StreamFirst):
    """Has a flush, too; its stream ends before."""

    code = """class Node:
    n = 0
    def process(self, stream):
        for x in stream:
            self.n += 1
            yield x
            if self.n == {count}:
                return
        yield 'end'
    def flush(self):
        return ['flush', self.n]
"""

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.choice([1, 2, 4, 1000])}

    def body(self):
        while (x := (yield READ)) is not END:
            self.calls += 1
            yield x
            if self.calls == self.args["count"]:
                return
        yield "end"

    def flush(self):
        yield ["flush", self.calls]


class StreamOne(Streaming):
    """A plain function that returns early, with what it has read."""

    code = "def process(stream):\n    return [next(stream, None) for _ in range({count})]\n"

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.randint(1, 3)}

    def body(self):
        whole, x = [], None
        for _ in range(self.args["count"]):
            if x is not END:
                x = yield READ
            whole.append(None if x is END else x)
        yield whole


class StreamItself(Streaming):
    code = "def process(stream):\n    return stream\n"


class StreamDrop(Streaming):
    code = "def process(stream):\n    for x in stream:\n        if not chosen(x, {choice}):\n            yield x\n"

    @staticmethod
    def arguments(rnd):
        return {"choice": choose(rnd)}

    def body(self):
        while (x := (yield READ)) is not END:
            if not chosen(x, self.args["choice"]):
                yield x


class StreamFail(Streaming):
    fails = True
    code = """def process(stream):
    for x in stream:
        yield x
        if chosen(x, {choice}):
            raise ValueError('chosen')
"""

    @staticmethod
    def arguments(rnd):
        return {"choice": choose(rnd)}

    def body(self):
        while (x := (yield READ)) is not END:
            yield x
            if chosen(x, self.args["choice"]):
                raise Failure


class StreamEndFails(Streaming):
    fails = True
    weight = 0.3
    code = "def process(stream):\n    for x in stream:\n        yield x\n    yield 'end'\n    raise ValueError('end')\n"

    def body(self):
        while (x := (yield READ)) is not END:
            yield x
        yield "end"
        raise Failure


class AsyncStreamEach(StreamEach):
    is_async = True
    code = """async def process(stream):
    async for x in stream:
        await asyncio.sleep({sleeps}[0])
        yield [x]
"""
    arguments = Async.arguments


class AsyncStreamPass(Streaming):
    is_async = True
    code = "async def process(stream):\n    async for x in stream:\n        yield x\n"


class AsyncStreamSum(StreamSum):
    is_async = True
    code = """async def process(stream):
    n = 0
    async for x in stream:
        n += 1
        yield [n, x]
        await asyncio.sleep({sleeps}[0])
    yield ['end', n]
"""
    arguments = Async.arguments


class AsyncStreamPairs(StreamPairs):
    is_async = True
    code = "async def process(stream):\n    async for x in stream:\n        yield [x, await anext(stream, None)]\n"


class AsyncStreamList(StreamList):
    is_async = True
    code = "async def process(stream):\n    return [x async for x in stream]\n"


class AsyncStreamFirst(StreamFirst):
    is_async = True
    code = """async def process(stream):
    n = 0
    async for x in stream:
        n += 1
        yield x
        await asyncio.sleep(0)
        if n == {count}:
            return
"""


class AsyncStreamOne(StreamOne):
    is_async = True
    code = "async def process(stream):\n    return [await anext(stream, None) for _ in range({count})]\n"


class AsyncStreamFail(StreamFail):
    is_async = True
    code = """async def process(stream):
    async for x in stream:
        await asyncio.sleep(0)
        yield x
        if chosen(x, {choice}):
            raise ValueError('chosen')
"""


# ---- Sources that generate --------------------------------------------------------------------------------------


class Source(Python):
    generates = True
    takes_input = False
    code = "def generate():\n    for i in range({count}):\n        yield i\n"

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.choice([0, 1, 2, 5, 80])}

    def generate(self):
        yield from range(self.args["count"])


class SourceAsync(Source):
    is_async = True
    code = """async def generate():
    for i in range({count}):
        await asyncio.sleep(0)
        yield i
"""


class SourceList(Source):
    code = "def generate():\n    return [[i] for i in range({count})]\n"

    def generate(self):
        yield from ([i] for i in range(self.args["count"]))


class SourceCalled(Source):
    takes_input = True
    code = """class Node:
    is_source = True
    n = 0
    def process(self, x):
        if x is not None:
            return x
        self.n += 1
        return self.n if self.n <= {count} else None
"""

    def generate(self):
        yield from range(1, self.args["count"] + 1)


class SourceNative(Native):
    type = "SimpleSource"
    generates = True
    takes_input = False

    @staticmethod
    def arguments(rnd):
        return {"count": rnd.choice([0, 1, 3, 70]), "value": rnd.choice([7, "s", [1]])}

    def generate(self):
        for _ in range(self.args["count"]):
            yield self.args["value"]


class SourceEndless(Source):
    endless = True
    code = "import itertools\ndef generate():\n    return itertools.count()\n"

    @staticmethod
    def arguments(rnd):
        return {}

    def generate(self):
        i = 0
        while True:
            yield i
            i += 1


def all_kinds(base=Kind):
    for kind in base.__subclasses__():
        if kind not in (Native, Python, Async, Streaming):
            yield kind
        yield from all_kinds(kind)


KINDS = {kind.__name__: kind for kind in all_kinds()}


def copied(value):
    """A private copy of a JSON value."""
    return json.loads(json.dumps(value))
