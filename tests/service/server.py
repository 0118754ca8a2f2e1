"""A server for a test, and messages for it."""
import json
import unittest

import grpc
from remotemedia.v1 import common_pb2 as common
from remotemedia.v1 import execution_pb2 as execution
from remotemedia.v1 import execution_pb2_grpc
from remotemedia.v1 import streaming_pb2 as streaming
from remotemedia.v1 import streaming_pb2_grpc
from serving import LIMIT, Server

class ServiceTest(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options)
        cls.channel = grpc.insecure_channel(cls.server.address)
        cls.executor = execution_pb2_grpc.PipelineExecutionServiceStub(cls.channel)
        cls.streamer = streaming_pb2_grpc.StreamingPipelineServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        code, log = cls.server.stop(), cls.server.log
        if code != 0:
            raise AssertionError(f"serve ended with {code}: {log}")

    def execute(self, manifest, inputs=None, limits=None, version="1", **more):
        return self.executor.ExecutePipeline(
            execution.ExecuteRequest(manifest=manifest, data_inputs=inputs or {}, client_version=version, resource_limits=limits),
            timeout=LIMIT, **more)

    def stream(self, requests, **more):
        return list(self.streamer.StreamPipeline(iter(requests), timeout=LIMIT, **more))


def node(id, node_type, **params):
    return execution.NodeManifest(id=id, node_type=node_type, params=json.dumps(params) if params else "")


def manifest(*nodes, connections=()):
    """A manifest of nodes and of "a > b > c" chains."""
    edges = []
    for chain in connections:
        ids = [part.strip() for part in chain.split(">")]
        edges += [execution.Connection(**{"from": a, "to": b}) for a, b in zip(ids, ids[1:])]
    return execution.PipelineManifest(version="v1", metadata=execution.ManifestMetadata(name="test"), nodes=nodes, connections=edges)


def of_json(value):
    return common.DataBuffer(json=common.JsonData(json_payload=json.dumps(value)))


def init(of, version="1", **more):
    return streaming.StreamRequest(init=streaming.StreamInit(manifest=of, client_version=version, **more))


def chunk(sequence, value, node_id="", **more):
    buffer = value if isinstance(value, common.DataBuffer) else of_json(value)
    return streaming.StreamRequest(data_chunk=streaming.DataChunk(node_id=node_id, buffer=buffer, sequence=sequence, **more))


def control(command):
    return streaming.StreamRequest(control=streaming.StreamControl(command=command))


CLOSE, CANCEL = control(1), control(2)


def kinds(responses):
    return [response.WhichOneof("response") for response in responses]


def results(responses):
    return [response.result for response in responses if response.WhichOneof("response") == "result"]
