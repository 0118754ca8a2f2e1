from collections.abc import Mapping, Sequence

from .core.node import Node as Node

__all__ = ["Node", "Packet", "Tensor"]

class Packet:
    value: object
    port: int | str | None
    timestamp: float | None
    metadata: Mapping[str, object] | None
    def __init__(
        self,
        value: object,
        *,
        port: int | str | None = None,
        timestamp: float | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None: ...

class Tensor:
    def __init__(
        self,
        source: object,
        shape: int | Sequence[int] | None = None,
        dtype: str | None = None,
        *,
        sample_rate: int | None = None,
        channel_layout: int | None = None,
        timestamp: float | None = None,
        duration: float | None = None,
    ) -> None: ...
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
    def tolist(self) -> list: ...
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
    def __getitem__(self, key: object) -> object: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
