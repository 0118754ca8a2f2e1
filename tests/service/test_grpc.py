"""gRPC: whole runs, streams, and what is wrong with them."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import threading
import unittest

import grpc
from grpc.health.v1 import health_pb2 as health
from server import (CANCEL, CLOSE, LIMIT, Server, ServiceTest, chunk, common, control, execution, execution_pb2_grpc, init, kinds, manifest,
                    node, of_json, results, streaming, streaming_pb2_grpc)

PASS = manifest(node("pass", "PassThrough"))
CHAIN = manifest(node("a", "MultiplyNode", factor=2), node("b", "AddNode", addend=1), connections=["a > b"])


def audio(samples, format=1, letter="f", channels=1, rate=16000, **more):
    data = struct.pack(f"<{len(samples)}{letter}", *samples)
    return common.AudioBuffer(samples=data, sample_rate=rate, channels=channels, format=format,
                              num_samples=more.pop("num_samples", len(samples) // (channels or 1)), **more)


def video(width, height, format=1, pixels=None, **more):
    return common.VideoFrame(width=width, height=height, format=format, pixel_data=bytes(range(256)) * 9 if pixels is None else pixels, **more)


class Runs(ServiceTest):
    def output(self, buffer, of=PASS, key="output"):
        response = self.execute(of, {"input": buffer})
        self.assertEqual(response.WhichOneof("outcome"), "result", response)
        return response.result.data_outputs[key]

    def failure(self, *arguments, **more):
        response = self.execute(*arguments, **more)
        self.assertEqual(response.WhichOneof("outcome"), "error", response)
        return response.error, json.loads(response.error.context)

    def test_version(self):
        info = self.executor.GetVersion(execution.VersionRequest(client_version="1")).version_info
        self.assertEqual(info.protocol_version, "v1")
        self.assertIn("MultiplyNode", info.supported_node_types)

    def test_a_run(self):
        result = self.execute(CHAIN, {"input": of_json(20)}).result
        self.assertEqual(json.loads(result.data_outputs["output"].json.json_payload), 41)
        self.assertEqual(result.status, execution.ExecutionResult().status + 1)
        self.assertEqual({r.node_id: r.status for r in result.node_results}, {"a": 1, "b": 1})
        self.assertEqual(result.metrics.node_metrics["a"].items_processed, 1)
        self.assertGreater(result.metrics.wall_time_ms, 0)

    def test_several_outputs_and_addressed_inputs(self):
        two = manifest(node("x", "MultiplyNode", factor=2), node("y", "MultiplyNode", factor=3))
        outputs = self.execute(two, {"x": of_json(1), "y": of_json(2)}).result.data_outputs
        self.assertEqual({k: json.loads(v.json.json_payload) for k, v in outputs.items()}, {"x": 2, "y": 6})
        outputs = self.execute(two, {"input": of_json(1)}).result.data_outputs
        self.assertEqual({k: json.loads(v.json.json_payload) for k, v in outputs.items()}, {"x": 2, "y": 3})

    def test_several_results_of_one_output(self):
        source = manifest(node("s", "SimpleSource", count=3, value=7))
        self.assertEqual(json.loads(self.execute(source).result.data_outputs["output"].json.json_payload), [7, 7, 7])

    def test_audio_of_every_format(self):
        for format, letter in ((1, "f"), (2, "h"), (3, "i")):
            for channels in (1, 2):
                for frames in (0, 4, 1000):
                    sent = audio([0, 1, -1, 2] * (frames * channels // 4), format, letter, channels)
                    self.assertEqual(self.output(common.DataBuffer(audio=sent)).audio, sent)

    def test_tensors(self):
        sent = common.TensorBuffer(data=struct.pack("<6f", *range(6)), shape=[2, 3], dtype=1)
        got = self.output(common.DataBuffer(tensor=sent)).numpy
        self.assertEqual((got.data, list(got.shape), got.dtype, list(got.strides)), (sent.data, [2, 3], "float32", [12, 4]))
        fortran = common.NumpyBuffer(data=struct.pack("<6d", *range(6)), shape=[2, 3], dtype="float64", strides=[8, 16])
        got = self.output(common.DataBuffer(numpy=fortran)).numpy
        self.assertEqual(struct.unpack("<6d", got.data), (0, 2, 4, 1, 3, 5))

    def test_text_bytes_json_and_metadata(self):
        text = self.output(common.DataBuffer(text=common.TextBuffer(text_data="große".encode(), encoding="utf-8")))
        self.assertEqual(text.text.text_data.decode(), "große")
        data = self.output(common.DataBuffer(binary=common.BinaryBuffer(data=b"\0\xff"), metadata={"who": "me"}))
        self.assertEqual((data.binary.data, dict(data.metadata)), (b"\0\xff", {"who": "me"}))
        value = {"a": [1, 2.5, None, 1 << 80]}
        self.assertEqual(json.loads(self.output(of_json(value)).json.json_payload), value)

    def test_video(self):
        for format, size in ((1, 18), (2, 24), (3, 9), (4, 6), (5, 9), (6, 9)):
            width, height = (3, 2) if format in (1, 2, 4) else (2, 3)
            if format in (3, 5, 6):
                width, height, size = 2, 4, 12
            sent = video(width, height, format, bytes(range(size)), frame_number=7, timestamp_us=40000, is_keyframe=True)
            got = self.output(common.DataBuffer(video=sent, metadata={"who": "me"}))
            self.assertEqual((got.video, dict(got.metadata)), (sent, {"who": "me"}))
        sent = video(640, 480, 255, b"some bytes", codec=2, frame_number=1)
        self.assertEqual(self.output(common.DataBuffer(video=sent)).video, sent)
        changed = self.output(common.DataBuffer(video=video(2, 2, 4, bytes(4))), manifest(node("m", "MultiplyNode", factor=2)))
        self.assertNotEqual(changed.WhichOneof("data_type"), None)

    def test_texts_beside_the_data(self):
        for sent in (common.DataBuffer(text=common.TextBuffer(text_data=b"hi", encoding="utf-8", language="en", channel="tty")),
                     common.DataBuffer(binary=common.BinaryBuffer(data=b"x", mime_type="image/png"), metadata={"a": "b"}),
                     common.DataBuffer(json=common.JsonData(json_payload="[1]", schema_type="list"))):
            self.assertEqual(self.output(sent), sent)
        sent = common.DataBuffer(tensor=common.TensorBuffer(data=bytes(4), shape=[1], dtype=1, layout="N"))
        self.assertEqual(dict(self.output(sent).metadata), {"layout": "N"})  # numpy has no such field

    def test_buffers_that_are_wrong(self):
        tensor = common.TensorBuffer
        numpy = common.NumpyBuffer
        for buffer, says in (
                (common.DataBuffer(), "no data"),
                (common.DataBuffer(audio=audio([1.0], channels=0, num_samples=1)), "channels"),
                (common.DataBuffer(audio=audio([1.0], rate=0)), "sample_rate"),
                (common.DataBuffer(audio=audio([1.0, 2.0, 3.0], channels=2)), "samples"),
                (common.DataBuffer(audio=audio([1.0], num_samples=2)), "num_samples"),
                (common.DataBuffer(audio=audio([1.0], format=9)), "format"),
                (common.DataBuffer(tensor=tensor(data=b"123", shape=[1], dtype=1)), "shape"),
                (common.DataBuffer(tensor=tensor(data=b"", shape=[1 << 62, 1 << 62], dtype=1)), "shape"),
                (common.DataBuffer(tensor=tensor(data=b"", shape=[0] * 65, dtype=1)), "dimensions"),
                (common.DataBuffer(tensor=tensor(data=b"1234", shape=[1])), "dtype"),
                (common.DataBuffer(numpy=numpy(data=b"12345678", shape=[1], dtype="float65")), "float65"),
                (common.DataBuffer(numpy=numpy(data=b"12345678", shape=[2], dtype="float32", strides=[400])), "strides"),
                (common.DataBuffer(numpy=numpy(data=b"12345678", shape=[2], dtype="float32", strides=[-4])), "strides"),
                (common.DataBuffer(numpy=numpy(data=b"12345678", shape=[2], dtype="float32", strides=[3])), "strides"),
                (common.DataBuffer(text=common.TextBuffer(text_data=b"\xff")), "UTF-8"),
                (common.DataBuffer(text=common.TextBuffer(text_data=b"a", encoding="latin-1")), "latin-1"),
                (common.DataBuffer(json=common.JsonData(json_payload="{")), ""),
                (common.DataBuffer(video=common.VideoFrame()), "video.format"),
                (common.DataBuffer(video=video(3, 2, pixels=bytes(6))), "video.pixel_data"),
                (common.DataBuffer(video=video(3, 2, 5, bytes(9))), "i420 cannot have"),
                (common.DataBuffer(video=video(0, 2, pixels=b"")), "0x2"),
                (common.DataBuffer(video=video(2, 2, 255, b"x", codec=0)), "video.codec"),
                (common.DataBuffer(video=video(2, 2, 7, b"x")), "video.format"),
                (common.DataBuffer(control=common.ControlMessage(segment_id="x")), "control"),
                (common.DataBuffer(binary=common.BinaryBuffer(data=b"x", mime_type="a/b"), metadata={"mime_type": "c/d"}), "differ"),
                (common.DataBuffer(file=common.FileBuffer(path="/etc/passwd")), "--files")):
            with self.subTest(says):
                error, _ = self.failure(PASS, {"input": buffer})
                self.assertIn(says, error.message)

    def test_manifests_that_are_wrong(self):
        for of, code, pointer in (
                (manifest(node("a", "MultiplyNode", facto=2)), "unknown_parameter", "/nodes/0/params/facto"),
                (manifest(node("a", "Multiplyer")), "unknown_node_type", "/nodes/0/node_type"),
                (manifest(), None, None),
                (manifest(node("a", "PassThrough"), node("a", "PassThrough")), "duplicate_id", "/nodes/1/id"),
                (execution.PipelineManifest(version="v2", nodes=[node("a", "PassThrough")]), "unsupported_version", "/version"),
                (manifest(execution.NodeManifest(id="a", node_type="PassThrough", params="{")), "parse", "/nodes/0/params"),
                (manifest(execution.NodeManifest(id="a", node_type="PassThrough", params="3")), "type", "/nodes/0/params"),
                (manifest(node("a", "PassThrough"), connections=["a > z"]), "unknown_node", "/connections/0/to")):
            error, context = self.failure(of, {"input": of_json(1)})
            self.assertEqual(error.error_type, common.ERROR_TYPE_VALIDATION, error)
            if code is not None:
                self.assertEqual((context["code"], context.get("pointer")), (code, pointer))

    def test_the_failure_of_a_node(self):
        error, context = self.failure(manifest(node("up", "UppercaseTransform")), {"input": of_json(3)})
        self.assertEqual((error.error_type, error.failing_node_id, context["code"], context["item"]),
                         (common.ERROR_TYPE_TYPE_VALIDATION, "up", "type", 0))

    def test_requests_that_are_wrong(self):
        self.assertIn("client_version", self.failure(PASS, version="")[0].message)
        self.assertIn("manifest", self.failure(None)[0].message)
        self.assertIn("unknown", self.failure(CHAIN, {"a": of_json(1), "zz": of_json(2)})[1]["code"])
        raw = self.channel.unary_unary("/remotemedia.v1.PipelineExecutionService/ExecutePipeline")
        with self.assertRaises(grpc.RpcError) as caught:
            raw(b"\xff\xff\xff")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_texts_have_no_nul(self):
        for wrong in (manifest(node("p", "PassThrough\0Evil")), manifest(node("p\0", "PassThrough")),
                      manifest(execution.NodeManifest(id="p", node_type="MultiplyNode", params='{"factor": 2}\0x'))):
            with self.assertRaises(grpc.RpcError) as caught:
                self.execute(wrong, {"input": of_json(1)})
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        with self.assertRaises(grpc.RpcError):
            self.execute(PASS, {"input": common.DataBuffer(json=common.JsonData(json_payload="1\0garbage"))})
        with self.assertRaises(grpc.RpcError):
            self.execute(PASS, {"input": common.DataBuffer(binary=common.BinaryBuffer(data=b"x"), metadata={"a\0": "b"})})
        self.output(common.DataBuffer(binary=common.BinaryBuffer(data=b"\0\xff")))  # bytes are no text

    def test_hints_that_are_not_known(self):
        error, context = self.failure(manifest(execution.NodeManifest(id="p", node_type="PassThrough", runtime_hint=99)), {"input": of_json(1)})
        self.assertEqual(context["pointer"], "/nodes/0/runtime_hint")

    def test_samples_are_limited(self):
        error, _ = self.failure(PASS, {"input": common.DataBuffer(audio=audio([0.0] * 101))},
                                limits=common.ResourceLimits(max_audio_samples=100))
        self.assertIn("max_audio_samples", error.message)

    def test_methods_that_are_not_there(self):
        for path in ("/remotemedia.v1.PipelineExecutionService/Nothing", "/other.Service/ExecutePipeline"):
            with self.assertRaises(grpc.RpcError) as caught:
                self.channel.unary_unary(path)(b"", timeout=LIMIT)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_messages_that_are_too_large(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.execute(PASS, {"input": common.DataBuffer(binary=common.BinaryBuffer(data=bytes(11 << 20)))})
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.output(common.DataBuffer(binary=common.BinaryBuffer(data=bytes(3 << 20))))

    def test_limits(self):
        endless = manifest(node("s", "SimpleSource", count=1 << 60), node("t", "Take", count=1 << 59), connections=["s > t"])
        error, context = self.failure(endless, limits=common.ResourceLimits(max_timeout_ms=50))
        self.assertEqual((error.error_type, context["code"]), (common.ERROR_TYPE_RESOURCE_LIMIT, "timeout"))
        big = common.DataBuffer(binary=common.BinaryBuffer(data=bytes(100000)))
        self.assertIn("max_memory_bytes", self.failure(PASS, {"input": big}, limits=common.ResourceLimits(max_memory_bytes=50000))[0].message)
        self.assertEqual(self.execute(PASS, {"input": big}, common.ResourceLimits(max_memory_bytes=200000)).WhichOneof("outcome"), "result")

    def test_strangers_use_no_files_and_no_python(self):
        error, context = self.failure(manifest(node("f", "FileLines", path="/etc/passwd")))
        self.assertEqual(context["pointer"], "/nodes/0/params/path")
        self.assertIn("server", error.message)
        error, _ = self.failure(manifest(node("p", "Python", code="def process(x): return x")), {"input": of_json(1)})
        self.assertEqual(error.error_type, common.ERROR_TYPE_VALIDATION)
        inside = execution.NodeManifest(id="p", node_type="Python", params='{"code": "def process(x): return x"}', runtime_hint=3)
        error, context = self.failure(manifest(inside), {"input": of_json(1)})
        self.assertIn("--sandbox", context["hint"])
        error, context = self.failure(manifest(node("w", "wasm:/tmp/none.wasm")), {"input": of_json(1)})
        self.assertIn("file of the server", error.message)

    def test_many_at_once(self):
        got = {}

        def run(i):
            got[i] = [json.loads(self.execute(CHAIN, {"input": of_json(n)}).result.data_outputs["output"].json.json_payload)
                      for n in range(50)]

        threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, {i: [2 * n + 1 for n in range(50)] for i in range(8)})


class Streams(ServiceTest):
    def error_of(self, responses):
        (error,) = [r.error for r in responses if r.WhichOneof("response") == "error"]
        self.assertEqual(kinds(responses)[-2:], ["error", "closed"])
        return error, json.loads(error.context)

    def test_a_stream(self):
        got = self.stream([init(CHAIN), *(chunk(i, i) for i in range(3)), CLOSE])
        self.assertEqual(kinds(got), ["ready", "result", "result", "result", "closed"])
        self.assertEqual([(r.sequence, list(r.data_outputs), json.loads(r.data_outputs["b"].json.json_payload)) for r in results(got)],
                         [(0, ["b"], 1), (1, ["b"], 3), (2, ["b"], 5)])
        self.assertEqual((got[0].ready.session_id, got[0].ready.recommended_chunk_size), (got[-1].closed.session_id, 4096))
        self.assertEqual(got[-1].closed.reason, "closed: 3 chunks, 3 results")

    def test_the_end_of_the_requests_is_a_close(self):
        self.assertEqual(len(results(self.stream([init(CHAIN), chunk(5, 1)]))), 1)
        self.assertEqual(kinds(self.stream([init(CHAIN)])), ["ready", "closed"])

    def test_a_result_comes_before_the_next_chunk(self):
        asked = threading.Semaphore(0)

        def requests():
            yield init(CHAIN)
            for i in range(20):
                yield chunk(i, i)
                self.assertTrue(asked.acquire(timeout=LIMIT))
            yield CLOSE

        got = []
        for response in self.streamer.StreamPipeline(requests(), timeout=LIMIT):
            got.append(response)
            if response.WhichOneof("response") == "result":
                asked.release()
        self.assertEqual([r.sequence for r in results(got)], list(range(20)))

    def test_audio_chunks(self):
        level = manifest(node("level", "AudioLevel"))
        sent = [streaming.StreamRequest(audio_chunk=streaming.AudioChunk(node_id="level", buffer=audio([0.5] * 320), sequence=i,
                                                                         timestamp_ms=20 * i)) for i in range(5)]
        got = results(self.stream([init(level), *sent, CLOSE]))
        self.assertEqual(len(got), 5)

    def test_nothing_is_lost_by_a_client_that_reads_late(self):
        sent = 5000
        started = threading.Event()

        def requests():
            yield init(CHAIN)
            for i in range(sent):
                yield chunk(i, i)
                if i == 100:
                    started.set()
            yield CLOSE

        responses = self.streamer.StreamPipeline(requests(), timeout=LIMIT)
        self.assertTrue(started.wait(LIMIT))
        got = list(responses)
        self.assertEqual([r.sequence for r in results(got)], list(range(sent)))
        self.assertEqual(kinds(got)[-1], "closed")
        self.assertGreater(kinds(got).count("metrics"), 100)

    def test_what_a_flush_gives_comes_before_closed(self):
        batch = manifest(node("batch", "Batch", size=4))
        got = results(self.stream([init(batch), *(chunk(i, i) for i in range(6)), CLOSE]))
        self.assertEqual([json.loads(r.data_outputs["batch"].json.json_payload) for r in got], [[0, 1, 2, 3], [4, 5]])
        self.assertEqual([r.sequence for r in got][1], 5)

    def test_cancel(self):
        got = self.stream([init(CHAIN), chunk(0, 0), CANCEL])
        self.assertEqual(kinds(got)[-1], "closed")
        self.assertTrue(got[-1].closed.reason.startswith("cancelled"), got[-1])

    def test_a_client_that_goes_away(self):
        for _ in range(50):
            responses = self.streamer.StreamPipeline(iter([init(CHAIN), chunk(0, 0)]), timeout=LIMIT)
            next(responses)
            responses.cancel()
        self.assertEqual(len(results(self.stream([init(CHAIN), chunk(0, 0), CLOSE]))), 1)

    def test_sequences(self):
        for second in (0, 2, 7):
            error, context = self.error_of(self.stream([init(CHAIN), chunk(0, 1), chunk(second, 1), CLOSE]))
            self.assertIn(f"sequence {second}; the next one is 1", error.message)
            self.assertEqual((error.error_type, context["sequence"]), (common.ERROR_TYPE_VALIDATION, second))

    def test_each_source_counts_by_itself(self):
        two = manifest(node("x", "MultiplyNode", factor=2), node("y", "MultiplyNode", factor=3))
        requests = [chunk(sequence, sequence, node_id) for sequence, node_id in ((4, "x"), (5, "x"), (4, "y"), (6, "x"), (5, "y"))]
        got = [(r.sequence, key, json.loads(r.data_outputs[key].json.json_payload))
               for r in results(self.stream([init(two), *requests, CLOSE])) for key in r.data_outputs]
        self.assertEqual(sorted(got), [(4, "x", 8), (4, "y", 12), (5, "x", 10), (5, "y", 15), (6, "x", 12)])

    def test_the_order_of_messages(self):
        for requests, says in (([chunk(0, 1)], "first message must be init"), ([], "first message must be init"),
                               ([init(CHAIN), init(CHAIN)], "second time"), ([init(CHAIN), control(0)], "no command"), ([init(CHAIN), control(9)], "no command"),
                               ([init(CHAIN), streaming.StreamRequest()], "empty"),
                               ([init(CHAIN), streaming.StreamRequest(data_chunk=streaming.DataChunk())], "no buffer"),
                               ([init(CHAIN, version="")], "client_version"), ([streaming.StreamRequest(init=streaming.StreamInit())], "")):
            error, _ = self.error_of(self.stream(requests))
            self.assertIn(says, error.message)

    def test_the_failure_of_a_node_has_its_sequence(self):
        upper = manifest(node("up", "UppercaseTransform"))
        got = self.stream([init(upper), chunk(10, "a"), chunk(11, 5), chunk(12, "b"), CLOSE])
        self.assertEqual([r.sequence for r in results(got)], [10])
        error, context = self.error_of(got)
        self.assertEqual((error.failing_node_id, context["sequence"]), ("up", 11))

    def test_a_manifest_that_is_wrong(self):
        error, context = self.error_of(self.stream([init(manifest(node("a", "Multiplyer")))]))
        self.assertEqual((error.error_type, context["pointer"]), (common.ERROR_TYPE_VALIDATION, "/nodes/0/node_type"))

    def test_limits(self):
        some = common.ResourceLimits(max_audio_samples=100)
        level = manifest(node("level", "AudioLevel"))
        error, _ = self.error_of(self.stream([init(level, resource_limits=some), chunk(0, common.DataBuffer(audio=audio([0.0] * 101)))]))
        self.assertIn("max_audio_samples", error.message)
        held = threading.Event()

        def requests():
            yield init(CHAIN, resource_limits=common.ResourceLimits(max_timeout_ms=50))
            held.wait(LIMIT)

        responses = self.streamer.StreamPipeline(requests(), timeout=LIMIT)
        got = list(responses)
        held.set()
        self.assertEqual(self.error_of(got)[1]["code"], "timeout")

    def test_memory_is_limited(self):
        """A client that does not read: its items wait for room, and none is lost."""
        data = common.DataBuffer(binary=common.BinaryBuffer(data=bytes(100000)))
        some = common.ResourceLimits(max_memory_bytes=250000)
        got = self.stream([init(PASS, resource_limits=some), *(chunk(i, data) for i in range(200)), CLOSE])
        self.assertEqual([r.sequence for r in results(got)], list(range(200)))
        two = manifest(node("x", "PassThrough"), node("y", "PassThrough"), node("m", "Merge"), connections=["x > m", "y > m"])
        error, context = self.error_of(self.stream([init(two, resource_limits=some), *(chunk(i, data, "x") for i in range(5)), CLOSE]))
        self.assertIn("max_memory_bytes", error.message)

    def test_named_buffers(self):
        two = manifest(node("x", "MultiplyNode", factor=2), node("y", "MultiplyNode", factor=3))

        def named(sequence, node_id="", **buffers):
            return streaming.StreamRequest(data_chunk=streaming.DataChunk(
                node_id=node_id, sequence=sequence, named_buffers={key: of_json(value) for key, value in buffers.items()}))

        got = [(r.sequence, key, json.loads(r.data_outputs[key].json.json_payload))
               for r in results(self.stream([init(two), named(0, x=1, y=2), named(1, x=3), named(1, y=4), CLOSE])) for key in r.data_outputs]
        self.assertEqual(sorted(got), [(0, "x", 2), (0, "y", 6), (1, "x", 6), (1, "y", 12)])
        both = named(0, x=1)
        both.data_chunk.buffer.CopyFrom(of_json(1))
        for wrong, says in ((named(0, "x", x=1), "node_id and named_buffers"), (both, "buffer and named_buffers"), (named(0, z=1), "z")):
            self.assertIn(says, self.error_of(self.stream([init(two), wrong, CLOSE]))[0].message)

    def test_inputs_of_init_come_first(self):
        got = self.stream([init(CHAIN, data_inputs={"a": of_json(7)}), chunk(0, 1), CLOSE])
        self.assertEqual([(r.sequence, json.loads(r.data_outputs["b"].json.json_payload)) for r in results(got)], [(0, 15), (0, 3)])


class Ends(unittest.TestCase):
    def test_what_is_in_progress_ends_first(self):
        server = Server()
        self.addCleanup(server.stop)
        go_on, begun = threading.Event(), threading.Event()

        def requests():
            yield init(PASS)
            yield chunk(0, 0)
            go_on.wait(LIMIT)
            yield chunk(1, common.DataBuffer(binary=common.BinaryBuffer(data=bytes(3 << 20))))  # takes a while to be sent
            yield CLOSE

        with grpc.insecure_channel(server.address) as channel:
            responses = streaming_pb2_grpc.StreamingPipelineServiceStub(channel).StreamPipeline(requests(), timeout=LIMIT)
            self.assertEqual([next(responses).WhichOneof("response") for _ in range(2)], ["ready", "result"])
            server.signal()
            with self.assertRaises(grpc.RpcError):  # nobody else is taken
                while True:
                    with grpc.insecure_channel(server.address) as other:
                        execution_pb2_grpc.PipelineExecutionServiceStub(other).GetVersion(execution.VersionRequest(), timeout=LIMIT)
            go_on.set()
            self.assertEqual(kinds(responses), ["result", "closed"])
        self.assertEqual(server.stop(), 0)

    def test_what_does_not_end_is_cut_off(self):
        server = Server("--drain-timeout", "100ms")
        self.addCleanup(server.stop)
        held = threading.Event()
        self.addCleanup(held.set)

        def requests():
            yield init(CHAIN)
            held.wait(LIMIT)

        with grpc.insecure_channel(server.address) as channel:
            responses = streaming_pb2_grpc.StreamingPipelineServiceStub(channel).StreamPipeline(requests(), timeout=LIMIT)
            next(responses)
            server.signal()
            rest = list(responses)
            self.assertEqual((kinds(rest), rest[0].error.error_type), (["error", "closed"], common.ERROR_TYPE_RESOURCE_LIMIT))
            self.assertIn("the server ends", rest[0].error.message)
            held.set()
        self.assertEqual(server.stop(), 1)

    def test_too_many_sessions(self):
        server = Server("--max-sessions", "1")
        self.addCleanup(server.stop)
        held = threading.Event()

        def requests():
            yield init(CHAIN)
            held.wait(LIMIT)

        with grpc.insecure_channel(server.address) as channel:
            stub = streaming_pb2_grpc.StreamingPipelineServiceStub(channel)
            responses = stub.StreamPipeline(requests(), timeout=LIMIT)
            next(responses)
            refused = list(stub.StreamPipeline(iter([init(CHAIN)]), timeout=LIMIT))
            self.assertEqual((kinds(refused), refused[0].error.error_type), (["error", "closed"], common.ERROR_TYPE_RESOURCE_LIMIT))
            held.set()
            self.assertEqual(kinds(responses), ["closed"])
            self.assertEqual(kinds(stub.StreamPipeline(iter([init(CHAIN)]), timeout=LIMIT)), ["ready", "closed"])
        self.assertEqual(server.stop(), 0)


class Files(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.place = pathlib.Path(cls.folder.name)
        (cls.place / "in/deep").mkdir(parents=True)
        (cls.place / "in/deep/a.bin").write_bytes(b"0123456789")
        (cls.place / "outside").write_bytes(b"secret")
        (cls.place / "in/link").symlink_to("../outside")
        (cls.place / "in/inner").symlink_to("deep/a.bin")
        os.mkfifo(cls.place / "in/pipe")
        cls.options = ("--files", cls.place / "in", "--max-message", "1M")
        super().setUpClass()

    def test_files(self):
        for path, more, data in (("deep/a.bin", {}, b"0123456789"), (str(self.place / "in/deep/a.bin"), {}, b"0123456789"),
                                 ("inner", {"offset": 3}, b"3456789"), ("deep/a.bin", {"offset": 3, "length": 2, "size": 10}, b"34"),
                                 ("deep/../deep/a.bin", {"offset": 10}, b"")):
            sent = common.FileBuffer(path=path, mime_type="x/y", filename="a.bin", **more)
            got = self.execute(PASS, {"input": common.DataBuffer(file=sent)}).result.data_outputs["output"]
            self.assertEqual((got.binary.data, got.binary.mime_type, dict(got.metadata)), (data, "x/y", {"filename": "a.bin"}))

    def test_what_is_refused(self):
        with open(self.place / "in/large", "wb") as file:
            file.truncate(2 << 20)
        for path, more, says in (("../outside", {}, "no file below"), ("link", {}, "no file below"), (str(self.place / "outside"), {}, "no file below"),
                                 ("/etc/passwd", {}, "no file below"), ("none", {}, "no file below"), ("", {}, "file.path"), ("deep", {}, "ordinary"),
                                 ("pipe", {}, "ordinary"), ("inner", {"size": 11}, "file.size"), ("inner", {"offset": 11}, "past its end"),
                                 ("inner", {"offset": 1, "length": 1 << 63}, "past its end"), ("inner", {"stream_id": "s"}, "stream_id"), ("large", {}, "more than")):
            response = self.execute(PASS, {"input": common.DataBuffer(file=common.FileBuffer(path=path, **more))})
            self.assertIn(says, response.error.message)


class Strangers(unittest.TestCase):
    def test_other_machines_need_a_token(self):
        with self.assertRaisesRegex(AssertionError, "--token-file"):
            Server(address="0.0.0.0:0")

    def test_every_method_needs_the_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".tokens") as file:
            file.write("# who\nsecret-one\nsecret-two\n")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            with grpc.insecure_channel(server.address) as channel:
                executor = execution_pb2_grpc.PipelineExecutionServiceStub(channel)
                streamer = streaming_pb2_grpc.StreamingPipelineServiceStub(channel)
                calls = [lambda **m: executor.GetVersion(execution.VersionRequest(), **m),
                         lambda **m: executor.ExecutePipeline(execution.ExecuteRequest(), **m),
                         lambda **m: list(streamer.StreamPipeline(iter([init(CHAIN)]), **m)),
                         lambda **m: channel.unary_unary("/no.such/Method")(b"", **m)]
                for call in calls:
                    for wrong in (None, "", "secret-one", "Bearer ", "Bearer secret", "Bearer secret-one ", "bearer secret-one"):
                        metadata = [("authorization", wrong)] if wrong is not None else None
                        with self.assertRaises(grpc.RpcError) as caught:
                            call(metadata=metadata, timeout=LIMIT)
                        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
                for right in ("Bearer secret-one", "Bearer secret-two"):
                    calls[0](metadata=[("authorization", right)], timeout=LIMIT)
            self.assertEqual(server.stop(), 0)


class Secured(unittest.TestCase):
    """TLS, with certificates made for the test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.make("server", "127.0.0.1")
        cls.make("client", "client")
        cls.make("stranger", "stranger")

    @classmethod
    def make(cls, name, subject):
        """A certificate that is its own authority."""
        place = f"{cls.folder.name}/{name}"
        names = "IP:127.0.0.1" if name == "server" else f"DNS:{subject}"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", place + ".key", "-out", place + ".crt", "-subj", f"/CN={subject}", "-addext", f"subjectAltName={names}"],
                       check=True, capture_output=True)

    def file(self, name):
        return f"{self.folder.name}/{name}"

    def bytes_of(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def version(self, server, **credentials):
        given = grpc.ssl_channel_credentials(**credentials) if credentials else None
        with grpc.secure_channel(server.address, given) if given else grpc.insecure_channel(server.address) as channel:
            return execution_pb2_grpc.PipelineExecutionServiceStub(channel).GetVersion(execution.VersionRequest(), timeout=LIMIT)

    def test_tls(self):
        server = Server("--tls-cert", self.file("server.crt"), "--tls-key", self.file("server.key"))
        self.addCleanup(server.stop)
        self.assertEqual(self.version(server, root_certificates=self.bytes_of("server.crt")).version_info.protocol_version, "v1")
        for wrong in ({}, {"root_certificates": self.bytes_of("stranger.crt")}):
            with self.assertRaises(grpc.RpcError) as caught:
                self.version(server, **wrong)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(server.stop(), 0)

    def test_certificates_of_clients(self):
        server = Server("--tls-cert", self.file("server.crt"), "--tls-key", self.file("server.key"),
                        "--tls-client-ca", self.file("client.crt"))
        self.addCleanup(server.stop)
        roots = self.bytes_of("server.crt")
        self.version(server, root_certificates=roots, private_key=self.bytes_of("client.key"),
                     certificate_chain=self.bytes_of("client.crt"))
        for wrong in ({}, {"private_key": self.bytes_of("stranger.key"), "certificate_chain": self.bytes_of("stranger.crt")}):
            with self.assertRaises(grpc.RpcError) as caught:
                self.version(server, root_certificates=roots, **wrong)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(server.stop(), 0)

    def test_what_does_not_go_together(self):
        for options, says in ((["--tls-cert", "x"], "go together"), (["--sandbox", "--trust-code"], "exclude each other"), (["--tls-client-ca", "x"], "needs --tls-cert"),
                              (["--tls-cert", self.file("none"), "--tls-key", self.file("server.key")], "none"),
                              (["--tls-cert", self.file("server.key"), "--tls-key", self.file("server.crt")], "certificates"),
                              (["--token-file", self.file("none")], "none"), (["--token-file", "/dev/null"], "no token")):
            with self.assertRaisesRegex(AssertionError, says):
                Server(*options)


class Health(ServiceTest):
    def check(self, service=""):
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=health.HealthCheckRequest.SerializeToString,
                                        response_deserializer=health.HealthCheckResponse.FromString)
        return call(health.HealthCheckRequest(service=service), timeout=LIMIT).status

    def test_check(self):
        for service in ("", "remotemedia.v1.PipelineExecutionService"):
            self.assertEqual(self.check(service), health.HealthCheckResponse.SERVING)
        with self.assertRaises(grpc.RpcError) as caught:
            self.check("nobody")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
