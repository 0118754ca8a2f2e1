import datetime
import os
import subprocess
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Concatenate, Literal, Protocol, Self, final, overload

from . import nodes as nodes
from .core.node import Node as Node

__all__ = ["Node", "Packet", "Tensor"]

# ---- Where pip has installed the package

__version__: str

_Arrays = Literal["tensor", "numpy"] | None
_Items = Iterable[Any] | Mapping[str, Iterable[Any]] | None
_AsyncItems = _Items | AsyncIterable[Any] | Mapping[str, Iterable[Any] | AsyncIterable[Any]]

class _Bar(Protocol):
    def update(self, n: int, /) -> object: ...
    def close(self) -> object: ...

class _MakesBar(Protocol):
    def __call__(self, *, total: int | None) -> _Bar: ...

_Progress = bool | _MakesBar | None

@final
class Run(Iterator[Any]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def close(self) -> None: ...
    def cancel(self) -> None: ...

class Pipeline:
    @classmethod
    def from_json(cls, text: str | bytes, *, arrays: _Arrays = "tensor", sandbox: Sandbox | None = None) -> Self: ...
    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, arrays: _Arrays = "tensor", sandbox: Sandbox | None = None) -> Self: ...
    @classmethod
    def from_dict(cls, manifest: dict[str, Any], *, arrays: _Arrays = "tensor", sandbox: Sandbox | None = None) -> Self: ...
    def run(
        self, input: _Items = None, *, timeout: float | None = None, metrics: bool = False, progress: _Progress = None
    ) -> dict[str, list[Any]]: ...
    def stream(
        self,
        input: _Items = None,
        *,
        timeout: float | None = None,
        metrics: bool = False,
        ahead: int = 0,
        progress: _Progress = None,
    ) -> Run: ...
    async def arun(
        self, input: _AsyncItems = None, *, timeout: float | None = None, metrics: bool = False, progress: _Progress = None
    ) -> dict[str, list[Any]]: ...
    def astream(
        self, input: _AsyncItems = None, *, timeout: float | None = None, metrics: bool = False, progress: _Progress = None
    ) -> AsyncGenerator[Any]: ...
    def diagram(self, format: Literal["mermaid", "dot"] = "mermaid", /) -> str: ...
    @property
    def metrics(self) -> dict[str, dict[str, int]] | None: ...
    @property
    def graph_info(self) -> dict[str, Any] | None: ...
    @property
    def failures(self) -> list[dict[str, Any]] | None: ...
    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]: ...

class Step:
    node_type: str
    params: dict[str, Any]
    def __init__(self, node_type: str, params: dict[str, Any]) -> None: ...

_Path = str | bytes | os.PathLike[str]
_Paths = _Path | Iterable[_Path]
_Seconds = float | datetime.timedelta | None

class Sandbox:
    def __init__(
        self,
        *,
        memory: int | str | None = None,
        timeout: _Seconds = None,
        fuel: int | str | None = None,
        output: int | str | None = "1 GiB",
        log: int | str | None = "1 MiB",
        read: _Paths | Mapping[str, str] = (),
        write: _Paths | Mapping[str, str] = (),
        env: str | Iterable[str] | Mapping[str, str] = (),
        path: _Paths = (),
        seed: int | None = None,
        cache: _Path | None = None,
        loading: _Seconds = 60,
        compiling: _Seconds = 300,
        instances: int = 0,
    ) -> None: ...
    def pipeline(
        self, what: dict[str, Any] | str | bytes | os.PathLike[str] | Graph, *, arrays: _Arrays = None
    ) -> Pipeline: ...
    def command(
        self,
        *words: _Path,
        input: str | bytes | IO[Any] = b"",
        stdout: IO[Any] | None = None,
        stderr: IO[Any] | None = None,
        wasm: _Path | None = None,
    ) -> subprocess.CompletedProcess[bytes]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Sandbox: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Place:
    graph: Graph
    id: str
    port: str | None
    __iter__: None  # ports are asked for by name
    __contains__: None
    def __init__(self, graph: Graph, id: str, port: str | None = None) -> None: ...
    def __getitem__(self, port: str) -> Place: ...
    @overload
    def __rshift__(self, other: Sequence[Place | _Added]) -> list[Place]: ...
    @overload
    def __rshift__(self, other: Place | _Added) -> Place: ...
    def __rrshift__(self, others: Sequence[Place | _Added] | _Added) -> Place: ...

class _Processes(Protocol):
    @property
    def process(self) -> Callable[..., Any]: ...

class _Generates(Protocol):
    @property
    def generate(self) -> Callable[..., Any]: ...

_Added = Step | type | Callable[..., Any] | _Processes | _Generates

class Graph:
    name: str
    def __init__(self, name: str = "pipeline") -> None: ...
    def add(
        self, what: str | _Added, /, id: str | None = None, **fields: Any
    ) -> Place: ...
    def connect(self, source: Place, target: Place, **fields: Any) -> None: ...
    def to_dict(self) -> dict[str, Any]: ...
    def pipeline(self, *, arrays: _Arrays = None, sandbox: Sandbox | None = None) -> Pipeline: ...
    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]: ...

class _NodeType[**P, R](Protocol):
    """The class that @node makes of a function: called, it takes the function's parameters after the item."""

    __name__: str
    @property
    def function(self) -> Callable[..., R]: ...
    def __call__(self, *args: P.args, **params: P.kwargs) -> Node: ...

@overload
def node[C: type](what: C, /) -> C: ...  # type: ignore[overload-overlap]
@overload
def node[**P, R](what: Callable[Concatenate[Any, P], R], /) -> _NodeType[P, R]: ...
@overload
def node[**P, R](what: None = None, /, *, source: Literal[True], **options: Any) -> Callable[[Callable[P, R]], _NodeType[P, R]]: ...
@overload
def node(what: None = None, /, *, source: Literal[False] = False, **options: Any) -> _MakesNode: ...

class _MakesNode(Protocol):
    @overload
    def __call__[C: type](self, what: C, /) -> C: ...  # type: ignore[overload-overlap]
    @overload
    def __call__[**P, R](self, what: Callable[Concatenate[Any, P], R], /) -> _NodeType[P, R]: ...

class Error(Exception):
    document: dict[str, Any]
    results: dict[str, list[Any]] | None
    def __init__(self, message: str = "", document: dict[str, Any] | None = None) -> None: ...
    @property
    def code(self) -> str | None: ...
    @property
    def hint(self) -> str | None: ...
    @property
    def node(self) -> str | None: ...
    @property
    def pointer(self) -> str | None: ...
    @property
    def item(self) -> int | None: ...

class ManifestError(Error, ValueError): ...
class NodeError(Error, RuntimeError): ...
class Timeout(Error, TimeoutError): ...
class Cancelled(Error): ...

# ---- Everywhere

@final
class Packet:
    value: object
    port: int | str | None
    timestamp: float | None
    metadata: Mapping[str, object] | None
    def __new__(
        cls,
        value: object,
        *,
        port: int | str | None = None,
        timestamp: float | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> Self: ...

@final
class Tensor:
    def __new__(
        cls,
        source: object,
        shape: int | Sequence[int] | None = None,
        dtype: str | None = None,
        *,
        sample_rate: int | None = None,
        channel_layout: int | None = None,
        timestamp: float | None = None,
        duration: float | None = None,
    ) -> Self: ...
    @classmethod
    def from_buffer(
        cls,
        source: object,
        shape: int | Sequence[int] | None = None,
        dtype: str | None = None,
        *,
        sample_rate: int | None = None,
        channel_layout: int | None = None,
        timestamp: float | None = None,
        duration: float | None = None,
    ) -> Tensor: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def ndim(self) -> int: ...
    @property
    def sample_rate(self) -> int | None: ...
    @property
    def channels(self) -> int | None: ...
    @property
    def channel_layout(self) -> int | None: ...
    @property
    def timestamp(self) -> float | None: ...
    @property
    def duration(self) -> float | None: ...
    def tolist(self) -> list[Any]: ...
    def __array__(self, dtype: object = None, copy: bool | None = None) -> object: ...
    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: object, /) -> object: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
