"""The functions of an earlier package of this name, on the package `remotemedia`."""
import remotemedia as _remotemedia
from remotemedia._runtime import coroutine as _coroutine

__all__ = ["execute_pipeline", "execute_pipeline_with_input", "get_runtime_version", "is_available"]


def execute_pipeline(manifest_json, enable_metrics=False):
    """Runs a manifest whose sources generate, or that has its input beside it; returns its outputs.

    One output node's results stand alone: its only result, or the list of them. With several: {node id: results}.
    With enable_metrics: {"outputs": ..., "metrics": {node id: {...}}, "graph_info": {...}}.
    """
    return _coroutine(_run(manifest_json, None, enable_metrics))


def execute_pipeline_with_input(manifest_json, inputs, enable_metrics=False):
    """The same for a list of input items."""
    return _coroutine(_run(manifest_json, inputs, enable_metrics))


async def _run(manifest_json, inputs, enable_metrics):
    pipeline = _remotemedia.Pipeline.from_json(manifest_json)
    results = await pipeline.arun(inputs, metrics=enable_metrics)
    outputs = {name: values[0] if len(values) == 1 else values for name, values in results.items()}
    if len(outputs) == 1:
        outputs = next(iter(outputs.values()))
    if not enable_metrics:
        return outputs
    return {"outputs": outputs, "metrics": pipeline.metrics, "graph_info": pipeline.graph_info}


def get_runtime_version():
    """The version of the runtime, such as "0.1.0"."""
    from remotemedia import _runtime

    return _runtime.version()["version"]


def is_available():
    """Whether pipelines can run: always, where this package is installed."""
    return True
