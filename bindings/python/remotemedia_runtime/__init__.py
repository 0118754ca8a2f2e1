"""The functions of an earlier package of this name, on the package `remotemedia`."""
from collections.abc import Coroutine
from typing import Any

import remotemedia as _remotemedia
from remotemedia import _runtime

__all__ = ["execute_pipeline", "execute_pipeline_with_input", "get_runtime_version", "is_available"]


def execute_pipeline(manifest_json: str, enable_metrics: bool = False) -> Coroutine[Any, Any, Any]:
    """Runs a manifest whose sources generate, or that has its input beside it; a coroutine, which returns its outputs.

    One output node's results stand alone: its only result, or the list of them. With several: {node id: results}.
    With enable_metrics: {"outputs": ..., "metrics": {node id: {...}}, "graph_info": {...}}.
    Raises what remotemedia.Pipeline.arun raises.
    """
    made: Coroutine[Any, Any, Any] = _runtime.coroutine(_run(manifest_json, None, enable_metrics))
    return made


def execute_pipeline_with_input(manifest_json: str, inputs: list[Any], enable_metrics: bool = False) -> Coroutine[Any, Any, Any]:
    """The same for a list of input items."""
    made: Coroutine[Any, Any, Any] = _runtime.coroutine(_run(manifest_json, inputs, enable_metrics))
    return made


async def _run(manifest_json: str, inputs: list[Any] | None, enable_metrics: bool) -> Any:
    pipeline = _remotemedia.Pipeline.from_json(manifest_json)
    results = await pipeline.arun(inputs, metrics=enable_metrics)
    by_node = {name: values[0] if len(values) == 1 else values for name, values in results.items()}
    outputs = next(iter(by_node.values())) if len(by_node) == 1 else by_node
    if not enable_metrics:
        return outputs
    return {"outputs": outputs, "metrics": pipeline.metrics, "graph_info": pipeline.graph_info}


def get_runtime_version() -> str:
    """The version of the runtime, such as "0.1.0"."""
    return str(_runtime.version()["version"])


def is_available() -> bool:
    """Whether pipelines can run: always, where this package is installed."""
    return True
