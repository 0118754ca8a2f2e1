"""Code of users for type checkers; nobody runs it. Where a line is wrong, both checkers must say so: an error that is not
reported makes its comment superfluous, which is an error itself."""
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type

import numpy
import remotemedia as rm
import remotemedia_runtime
from tqdm import tqdm  # type: ignore[import-untyped]

pipeline = rm.Pipeline.from_file("voice.json")
assert_type(pipeline, rm.Pipeline)
assert_type(rm.Pipeline.from_dict({"version": "v1"}, arrays="numpy"), rm.Pipeline)
assert_type(rm.Pipeline.from_json(b"{}"), rm.Pipeline)
rm.Pipeline.from_json("{}", arrays="torch")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
rm.Pipeline.from_dict("{}")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(pipeline.run([1, 2, 3]), dict[str, list[Any]])
assert_type(pipeline.run({"a": range(3)}, timeout=1.5, metrics=True), dict[str, list[Any]])
pipeline.run(numpy.zeros(3))
pipeline.run(progress=True)
pipeline.run(progress=tqdm)
pipeline.run(progress=functools.partial(tqdm, desc="items"))
pipeline.run(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pipeline.run([1], timeout="1 s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pipeline.run([1], 2.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pipeline.run([1], progress=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
assert_type(pipeline.metrics, dict[str, dict[str, int]] | None)
assert_type(pipeline.diagram("dot"), str)

with pipeline.stream(iter([1]), ahead=4) as results:
    assert_type(results, rm.Run)
    assert_type(next(results), Any)
    results.cancel()
as_iterator: Iterator[object] = pipeline.stream()


class Bar:
    def update(self, n: int, /) -> None: ...
    def close(self) -> None: ...


def make_bar(*, total: int | None) -> Bar:
    return Bar()


async def items() -> AsyncIterator[int]:
    yield 1


async def on_a_loop() -> None:
    assert_type(await pipeline.arun(items(), progress=make_bar), dict[str, list[Any]])
    coroutine: Coroutine[Any, Any, dict[str, list[Any]]] = pipeline.arun([1])
    await coroutine
    assert_type(pipeline.astream(items()), AsyncGenerator[Any])
    async for item in pipeline.astream({"a": items(), "b": [1]}, timeout=5):
        assert_type(item, Any)
    pipeline.run(items())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await remotemedia_runtime.execute_pipeline_with_input("{}", [1], enable_metrics=True), Any)


class Counter:
    def process(self, item: int) -> int:
        return item


class Source:
    def generate(self) -> Iterator[int]:
        yield 1


graph = rm.Graph("t")
first = graph.add(rm.nodes.Multiply(factor=2))
assert_type(first, rm.Place)
assert_type(first >> graph.add(abs) >> graph.add(Counter) >> graph.add(Counter()), rm.Place)
[graph.add("PassThrough", on_error="skip"), graph.add(Source())] >> graph.add(rm.nodes.Merge())
first["out"] >> [graph.add(rm.nodes.AudioFormat(format="int16")), graph.add(str.upper)]
assert_type(first >> rm.nodes.Take(count=1), rm.Place)
assert_type([first, first] >> graph.add(Counter), rm.Place)
first >> Counter() >> [abs, len]
graph.add(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(Bar())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
first >> "b"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
assert_type(graph.to_dict(), dict[str, Any])
assert_type(graph.pipeline(arrays="numpy"), rm.Pipeline)

assert_type(rm.nodes.Take(count=3), rm.Step)
rm.nodes.Take()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
rm.nodes.Take(cuont=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
rm.nodes.Take(count="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
rm.nodes.AudioFormat(format="int17")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
rm.nodes.Misspelt()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


@rm.node
def scale(item: float, factor: float = 2.0) -> float:
    return item * factor


@rm.node
async def ask(item: str, *, times: int) -> str:
    return item * times


@rm.node(max_in_flight=8)
async def later(item: str, times: int = 1) -> str:
    return item * times


@rm.node(source=True)
def numbers(count: int = 3) -> Iterator[int]:
    yield from range(count)


@rm.node
class Kept:
    def __init__(self, start: int = 0) -> None:
        self.start = start

    def process(self, item: int) -> int:
        return item + self.start


assert_type(scale(factor=3.0), rm.Node)
graph.add(scale) >> graph.add(scale(factor=1)) >> graph.add(ask(times=2)) >> graph.add(later(times=2))
graph.add(numbers(count=5)) >> graph.add(Kept(start=1))
assert_type(Kept(start=5), Kept)
assert_type(scale.function(2.0, 3.0), float)
scale(factor="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
scale(fact=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
ask()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
later(times="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
numbers(item=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class Loud(rm.Node):
    arrays = "numpy"

    def process(self, item: object) -> object:
        return rm.Packet(item, port="loud", metadata={"by": self.name})


class Words(rm.Node):
    def process(self, line: str) -> Iterator[str]:
        yield from line.split()


class Later(rm.Node):
    async def process(self, item: int) -> int:
        return item


graph.add(Loud()) >> graph.add(Words) >> graph.add(Later())
tensor = rm.Tensor([[0.5]], dtype="float32", sample_rate=16000)
assert_type(tensor.shape, tuple[int, ...])
assert_type(tensor.sample_rate, int | None)
numpy.asarray(tensor)
memoryview(tensor)
tensor.shape = (1,)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

try:
    pipeline.run()
except rm.ManifestError as error:
    assert_type(error.code, str | None)
    assert_type(error.pointer, str | None)
    as_value_error: ValueError = error
except rm.NodeError as error:
    assert_type(error.item, int | None)
    assert_type(error.results, dict[str, list[Any]] | None)
    as_runtime_error: RuntimeError = error
except rm.Timeout as error:
    as_timeout: TimeoutError = error
