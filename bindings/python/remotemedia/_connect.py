"""Runs on a server, `remotemedia serve`, by gRPC."""
import importlib
import json
import os

from ._errors import Cancelled, Error, Timeout, failure
from ._messages import decode, encode

_VERSION = "1"
_AUDIO = {"float32": 1, "int16": 2, "int32": 3}
_AUDIO_NAMES = {number: name for name, number in _AUDIO.items()}
_HINTS = {"rust_python": 1, "cpython": 2, "cpython_wasm": 3, "auto": 4}
_KNOWN = {"": {"version", "metadata", "nodes", "connections"}, "metadata": {"name", "description", "created_at"},
          "node": {"id", "node_type", "params", "is_streaming", "capabilities", "host", "runtime_hint"}, "connection": {"from", "to"}}
_CLOSE = {"control": {"command": 1}}
_GRACE = 5  # seconds for the server to tell that a time is over


def connect(address, *, token=None, tls=None):
    """Connects to a server, "HOST:PORT", that `remotemedia serve` runs; needs the package grpcio: pip install remotemedia[grpc].

    token: sent with every call. tls: None is no TLS; True trusts the usual authorities; bytes are those to trust, in PEM; a
    dict has root_certificates, private_key and certificate_chain.
    """
    return Connection(address, token, tls)


class Connection:
    """A server: run, stream, arun and astream do there what a Pipeline does here. A context manager; connect() makes it."""

    def __init__(self, address, token, tls):
        try:
            grpc = importlib.import_module("grpc")
        except ModuleNotFoundError:
            raise ModuleNotFoundError("remotemedia.connect needs the package grpcio: pip install remotemedia[grpc]", name="grpc") from None
        self._grpc = grpc
        self._address = address
        self._metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        self._credentials = None
        if tls is not None and tls is not False:
            given = tls if isinstance(tls, dict) else {"root_certificates": tls} if isinstance(tls, bytes) else {}
            self._credentials = grpc.ssl_channel_credentials(**given)
        self._channel = self._open(grpc)

    def _open(self, module):
        options = [("grpc.max_receive_message_length", -1)]  # the server limits what comes
        if self._credentials is not None:
            return module.secure_channel(self._address, self._credentials, options)
        return module.insecure_channel(self._address, options)

    def close(self):
        """Ends the connection, and what still runs."""
        self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.close()

    def __repr__(self):
        return f"<remotemedia.Connection {self._address}>"

    def version(self):
        """{"protocol_version", "runtime_version", "supported_node_types"} of the server."""
        call = self._method(self._channel, "unary_unary", "PipelineExecutionService/GetVersion", "VersionRequest", "VersionResponse")
        try:
            return call({"client_version": _VERSION}, metadata=self._metadata)["version_info"]
        except self._grpc.RpcError as error:
            raise _failed(error) from None

    def run(self, what, input=None, *, timeout=None):
        """Runs `what` on the server to the end and returns {node id: [results]} of the output nodes.

        what: a manifest as a dict, JSON text, a path or a Graph. input, timeout, errors: as for Pipeline.run. Nothing of
        `what` is checked here; the server refuses what it does not allow.
        """
        manifest, input = _read(what, input)
        if input is None:
            return self._generate(manifest, timeout)
        results = {node: [] for node in _outputs(manifest)}
        pairs = _Results(self, manifest, input, timeout)
        try:
            for node, value in pairs:
                results.setdefault(node, []).append(value)
        except Error as error:
            error.results = results
            raise
        except KeyboardInterrupt:  # may have struck inside grpc, which then keeps locks of the channel
            self._channel = self._open(self._grpc)
            raise
        finally:
            pairs.close()
        return results

    def stream(self, what, input, *, timeout=None):
        """Gives the results as they come: an iterator, and a context manager that ends the run.

        A thread reads the input, as far ahead as the server has room. With several output nodes a result is a pair
        (node id, value). what, input, timeout and errors: as for run().
        """
        manifest, input = _read(what, input)
        several = len(_outputs(manifest)) > 1
        return _Results(self, manifest, input, timeout, (lambda pair: pair) if several else (lambda pair: pair[1]))

    async def arun(self, what, input=None, *, timeout=None):
        """As run(), on the caller's event loop; input may be an asynchronous iterable."""
        manifest, input = _read(what, input)
        if input is None:
            import asyncio

            return await asyncio.to_thread(self._generate, manifest, timeout)
        results = {node: [] for node in _outputs(manifest)}
        async for node, value in self._apairs(manifest, input, timeout):
            results.setdefault(node, []).append(value)
        return results

    async def astream(self, what, input, *, timeout=None):
        """As stream(), on the caller's event loop; an asynchronous iterator. input may be an asynchronous iterable."""
        manifest, input = _read(what, input)
        several = len(_outputs(manifest)) > 1
        pairs = self._apairs(manifest, input, timeout)
        try:
            async for node, value in pairs:
                yield (node, value) if several else value
        finally:
            await pairs.aclose()

    async def _apairs(self, manifest, input, timeout):
        import asyncio

        aio = importlib.import_module("grpc.aio")
        async with self._open(aio) as channel:
            requests = _Requests(manifest, input, timeout)
            call = self._stream(channel)(requests.asynchronous(), metadata=self._metadata, timeout=_deadline(timeout))
            requests.cancel = call.cancel
            try:
                async for response in call:
                    for pair in _pairs(response):
                        yield pair
            except (aio.AioRpcError, asyncio.CancelledError) as error:
                if requests.failure is not None:
                    raise requests.failure from None
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise _failed(error) from None
            finally:
                call.cancel()

    def _generate(self, manifest, timeout):
        call = self._method(self._channel, "unary_unary", "PipelineExecutionService/ExecutePipeline", "ExecuteRequest", "ExecuteResponse")
        request = {"manifest": manifest, "client_version": _VERSION, "resource_limits": _limits(timeout)}
        try:
            response = call(request, metadata=self._metadata, timeout=_deadline(timeout))
        except self._grpc.RpcError as error:
            raise _failed(error) from None
        if "error" in response:
            raise _error(response["error"])
        result = response.get("result", {})
        counts = {each["node_id"]: json.loads(each.get("output_metadata", "{}")).get("out", 1) for each in result.get("node_results", ())}
        outputs = _outputs(manifest)
        results = {node: [] for node in outputs}
        for key, buffer in result.get("data_outputs", {}).items():
            node = outputs[0] if len(outputs) == 1 else key
            value = _value_of(buffer)
            results[node] = value if counts.get(node, 1) > 1 else [value]
        return results

    def _stream(self, channel):
        return self._method(channel, "stream_stream", "StreamingPipelineService/StreamPipeline", "StreamRequest", "StreamResponse")

    @staticmethod
    def _method(channel, kind, path, request, response):
        return getattr(channel, kind)(f"/remotemedia.v1.{path}", request_serializer=lambda fields: encode(request, fields),
                                      response_deserializer=lambda data: decode(response, data))


Connection.__module__ = connect.__module__ = "remotemedia"  # where users find them


class _Results:
    """The results of a stream; pairs (node id, value), through `shape`."""

    def __init__(self, connection, manifest, input, timeout, shape=lambda pair: pair):
        self._requests = _Requests(manifest, input, timeout)
        self._error_type = connection._grpc.RpcError
        self._shape = shape
        self._ready = []
        self._call = connection._stream(connection._channel)(self._requests.synchronous(), metadata=connection._metadata,
                                                             timeout=_deadline(timeout))
        self._requests.cancel = self._call.cancel

    def __iter__(self):
        return self

    def __next__(self):
        try:
            while not self._ready:
                self._ready = list(_pairs(next(self._call)))
        except self._error_type as error:
            self._requests.stop()
            if self._requests.failure is not None:
                raise self._requests.failure from None
            raise _failed(error) from None
        except (StopIteration, Error):
            self._requests.stop()
            raise
        return self._shape(self._ready.pop(0))

    def cancel(self):
        """Makes a call in progress in another thread end with Cancelled."""
        self._call.cancel()

    def close(self):
        """Ends the run; results that were not taken are dropped."""
        self._requests.stop()
        self._call.cancel()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.close()


class _Requests:
    """What a stream sends: the manifest, the items, the end."""

    def __init__(self, manifest, input, timeout):
        self._init = {"init": {"manifest": manifest, "client_version": _VERSION, "resource_limits": _limits(timeout)}}
        self._input = input
        self._stopped = False
        self.cancel = lambda: None
        self.failure = None  # of the caller's iterable

    def stop(self):
        self._stopped = True

    def _lanes(self):
        return self._input.items() if isinstance(self._input, dict) else [("", self._input)]

    def synchronous(self):
        yield self._init
        try:
            lanes = {node: iter(items) for node, items in self._lanes()}
            sequence = 0
            while lanes and not self._stopped:  # an item of each in turn, so that none runs ahead
                for node in list(lanes):
                    try:
                        item = next(lanes[node])
                    except StopIteration:
                        del lanes[node]
                        continue
                    yield _chunk(node, sequence, item)
                sequence += 1
        except GeneratorExit:  # the call has ended
            raise
        except BaseException as error:
            self.failure = error
            self.cancel()
            return
        yield _CLOSE

    async def asynchronous(self):
        yield self._init
        try:
            async for chunk in self._asynchronous_chunks():
                yield chunk
        except Exception as error:
            self.failure = error
            self.cancel()
            return
        yield _CLOSE

    async def _asynchronous_chunks(self):
        lanes = {node: items.__aiter__() if hasattr(items, "__aiter__") else iter(items) for node, items in self._lanes()}
        sequence = 0
        while lanes:
            for node in list(lanes):
                lane = lanes[node]
                try:
                    item = await lane.__anext__() if hasattr(lane, "__anext__") else next(lane)
                except (StopIteration, StopAsyncIteration):
                    del lanes[node]
                    continue
                yield _chunk(node, sequence, item)
            sequence += 1


def _chunk(node, sequence, item):
    return {"data_chunk": {"node_id": node, "buffer": _buffer_of(item), "sequence": sequence}}


def _pairs(response):
    if "error" in response:
        raise _error(response["error"])
    for node, buffer in response.get("result", {}).get("data_outputs", {}).items():
        yield node, _value_of(buffer)


def _limits(timeout):
    return {"max_timeout_ms": max(1, round(timeout * 1000))} if timeout is not None else {}


def _deadline(timeout):
    return timeout + _GRACE if timeout is not None else None


# ---- Failures


def _error(response):
    document = json.loads(response.get("context") or "{}")
    document.setdefault("message", response.get("message", ""))
    document.setdefault("code", "internal")
    return failure(document)


def _failed(error):
    """The exception for a call that did not come to an end."""
    name, text = error.code().name, error.details() or ""
    if name == "DEADLINE_EXCEEDED":
        return Timeout("the server did not answer in time", {"code": "timeout"})
    if name == "CANCELLED":
        return Cancelled("the run was cancelled", {"code": "cancelled"})
    return Error(f"{name}: {text}", {"code": "limit" if name == "RESOURCE_EXHAUSTED" else "io"})


# ---- Manifests


def _document(what):
    """The manifest, and the items that stand beside it."""
    if hasattr(what, "to_dict"):
        what = what.to_dict()
    elif isinstance(what, (bytes, str)) and what.lstrip()[:1] in ("{", b"{"):
        what = json.loads(what)
    elif not isinstance(what, dict):
        with open(os.fspath(what), "rb") as file:
            what = json.load(file)
    if "manifest" in what and "nodes" not in what:
        return what["manifest"], what.get("input_data")
    return what, None


def _check(place, kind, given):
    unknown = set(given) - _KNOWN[kind]
    if unknown:
        name = sorted(unknown)[0]
        raise failure({"code": "unsupported", "message": f"'{name}' cannot be sent to a server: the protocol has no field for it",
                       "pointer": f"{place}/{name}"})


def _read(what, input):
    """The message of the manifest, and the items."""
    document, beside = _document(what)
    _check("", "", document)
    _check("/metadata", "metadata", document.get("metadata", {}))
    made = {"version": document.get("version", ""), "metadata": document.get("metadata", {}), "nodes": [], "connections": []}
    for index, node in enumerate(document.get("nodes", ())):
        _check(f"/nodes/{index}", "node", node)
        sent = {key: value for key, value in node.items() if value is not None}
        if "params" in sent:
            sent["params"] = json.dumps(sent["params"])
        if "runtime_hint" in sent:
            sent["runtime_hint"] = _HINTS.get(sent["runtime_hint"], 99)
        made["nodes"].append(sent)
    for index, connection in enumerate(document.get("connections", ())):
        _check(f"/connections/{index}", "connection", connection)
        made["connections"].append(dict(connection))
    return made, beside if input is None else input


def _outputs(manifest):
    """The ids of nodes with nothing behind them."""
    used = {connection.get("from", "").split(".")[0] for connection in manifest["connections"]}
    return [node.get("id", "") for node in manifest["nodes"] if node.get("id") not in used]


# ---- Values


def _is_array(value):
    return isinstance(value, _tensor()) or hasattr(value, "__array_interface__")


def _tensor():
    from . import Tensor

    return Tensor


def _buffer_of(item):
    if isinstance(item, str):
        return {"text": {"text_data": item.encode(), "encoding": "utf-8"}}
    if isinstance(item, (bytes, bytearray, memoryview)):
        return {"binary": {"data": bytes(item)}}
    if not _is_array(item):
        return {"json": {"json_payload": json.dumps(item)}}
    tensor = item if isinstance(item, _tensor()) else _tensor()(item)
    data = memoryview(tensor).tobytes()
    if tensor.sample_rate is not None and tensor.dtype in _AUDIO:
        return {"audio": {"samples": data, "sample_rate": tensor.sample_rate, "channels": tensor.channels,
                          "format": _AUDIO[tensor.dtype], "num_samples": tensor.shape[0]}}
    return {"numpy": {"data": data, "shape": tensor.shape, "dtype": tensor.dtype, "c_contiguous": True}}


def _value_of(buffer):
    Tensor = _tensor()
    if "json" in buffer:
        return json.loads(buffer["json"].get("json_payload", "null"))
    if "text" in buffer:
        return buffer["text"].get("text_data", b"").decode()
    if "binary" in buffer:
        return buffer["binary"].get("data", b"")
    if "audio" in buffer:
        audio = buffer["audio"]
        return Tensor.from_buffer(audio.get("samples", b""), (audio.get("num_samples", 0), audio["channels"]), _AUDIO_NAMES[audio["format"]],
                                  sample_rate=audio["sample_rate"])
    if "numpy" in buffer:
        array = buffer["numpy"]
        return Tensor.from_buffer(array.get("data", b""), tuple(array.get("shape", ())), array["dtype"])
    raise Error("the server sent a kind of data that is not known here", {"code": "unsupported"})
