"""Code of clients that does not return: it holds up nobody else, and ends when its time is over."""
import json
import threading
import unittest

import grpc
from server import LIMIT, Server, chunk, common, execution, execution_pb2_grpc, init, kinds, manifest, node, of_json, streaming_pb2_grpc

ENDLESS = manifest(node("p", "Python", code="def process(x):\n    while True:\n        pass"))
LOADS_ENDLESSLY = manifest(node("p", "Python", code="while True:\n    pass"))
DOUBLE = manifest(node("a", "MultiplyNode", factor=2))
STUCK = 5  # more than the server has threads at first


class Stuck(unittest.TestCase):
    def begin(self, *options):
        self.server = Server("--trust-code", *options)
        self.addCleanup(self.server.stop)
        channel = grpc.insecure_channel(self.server.address)
        self.addCleanup(channel.close)
        self.executor = execution_pb2_grpc.PipelineExecutionServiceStub(channel)
        self.streamer = streaming_pb2_grpc.StreamingPipelineServiceStub(channel)
        self.held = threading.Event()
        self.addCleanup(self.held.set)

    def execute(self, of, **limits):
        return self.executor.ExecutePipeline(execution.ExecuteRequest(
            manifest=of, data_inputs={"input": of_json(21)}, client_version="1", resource_limits=common.ResourceLimits(**limits)), timeout=LIMIT)

    def stuck(self):
        """A stream whose node has a chunk, from which it does not return."""
        def requests():
            yield init(ENDLESS)
            yield chunk(0, 0)
            self.held.wait(LIMIT)

        responses = self.streamer.StreamPipeline(requests(), timeout=LIMIT)
        self.assertEqual(next(responses).WhichOneof("response"), "ready")
        return responses

    def test_others_go_on(self):
        self.begin()
        streams = [self.stuck() for _ in range(STUCK)]
        for _ in range(20):
            self.assertEqual(json.loads(self.execute(DOUBLE).result.data_outputs["output"].json.json_payload), 42)
        for stream in streams:
            stream.cancel()
        self.assertEqual(self.server.stop(), 0)  # all of them have ended: nothing was cut off

    def test_its_time_is_limited(self):
        self.begin()
        for of in (ENDLESS, LOADS_ENDLESSLY):
            context = json.loads(self.execute(of, max_timeout_ms=100).error.context)
            self.assertEqual(context["code"], "timeout")
        self.assertEqual(self.server.stop(), 0)

    def test_the_server_ends_all_the_same(self):
        self.begin("--drain-timeout", "100ms")
        streams = [self.stuck() for _ in range(STUCK)]
        self.server.signal()
        for stream in streams:
            rest = list(stream)
            self.assertEqual(kinds(rest), ["error", "closed"])
            self.assertIn("the server ends", rest[0].error.message)
        self.assertEqual(self.server.stop(), 1)
        self.assertIn("drain timeout", self.server.log)
