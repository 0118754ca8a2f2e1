"""Server reflection, as ordinary clients use it."""
import tempfile
import unittest

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2 as reflection
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from server import LIMIT, Server, ServiceTest, execution

SERVICES = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
            "remotemedia.v1.PipelineControl", "remotemedia.v1.PipelineExecutionService", "remotemedia.v1.StreamingPipelineService"]


class Reflection(ServiceTest):
    def ask(self, version="v1", **request):
        call = self.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                          request_serializer=reflection.ServerReflectionRequest.SerializeToString,
                                          response_deserializer=reflection.ServerReflectionResponse.FromString)
        asked = reflection.ServerReflectionRequest(**request)
        (response,) = call(iter([asked]), timeout=LIMIT)
        self.assertEqual(response.original_request, asked)
        return response

    def test_a_client_with_nothing_but_reflection(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.assertEqual(sorted(database.get_services()), SERVICES)
        pool = DescriptorPool(database)
        methods = pool.FindServiceByName("remotemedia.v1.StreamingPipelineService").methods_by_name
        self.assertTrue(methods["StreamPipeline"].client_streaming)
        fields = pool.FindMessageTypeByName("remotemedia.v1.ExecuteRequest").fields_by_name
        self.assertEqual({name: field.number for name, field in fields.items()},
                         {field.name: field.number for field in execution.ExecuteRequest.DESCRIPTOR.fields})

    def test_symbols(self):
        for symbol, file in (("remotemedia.v1.DataBuffer", "remotemedia/v1/common.proto"), ("remotemedia.v1.StreamControl.Command", "remotemedia/v1/streaming.proto"),
                             ("remotemedia.v1.DataBuffer.audio", "remotemedia/v1/common.proto"), ("remotemedia.v1.NodeState", "remotemedia/v1/control.proto"),
                             ("remotemedia.v1.PipelineControl.Attach", "remotemedia/v1/control.proto"), ("grpc.health.v1.Health", "grpc/health/v1/health.proto")):
            for version in ("v1", "v1alpha"):
                files = [FileDescriptorProto.FromString(data)
                         for data in self.ask(version, file_containing_symbol=symbol).file_descriptor_response.file_descriptor_proto]
                self.assertEqual(files[0].name, file)
                self.assertEqual({name for f in files for name in f.dependency} - {f.name for f in files}, set())

    def test_files(self):
        names = [FileDescriptorProto.FromString(data).name for data in
                 self.ask(file_by_filename="remotemedia/v1/streaming.proto").file_descriptor_response.file_descriptor_proto]
        self.assertEqual(sorted(names), [f"remotemedia/v1/{name}.proto" for name in ("common", "execution", "streaming")])

    def test_what_is_not_there(self):
        for request, code in (({"file_containing_symbol": "remotemedia.v1.None"}, 5), ({"file_containing_symbol": ""}, 5), ({"file_by_filename": "x"}, 5),
                              ({"file_containing_symbol": "remotemedia.v1"}, 5), ({"file_containing_symbol": "remotemedia.v1.DataBuffer.none"}, 5),
                              ({"file_containing_extension": reflection.ExtensionRequest(containing_type="a", extension_number=1)}, 5),
                              ({"all_extension_numbers_of_type": "none"}, 5), ({}, 3)):
            self.assertEqual(self.ask(**request).error_response.error_code, code, request)
        self.assertEqual(self.ask(all_extension_numbers_of_type="remotemedia.v1.DataBuffer").WhichOneof("message_response"),
                         "all_extension_numbers_response")

    def test_many_questions_in_one_call(self):
        stub = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        asked = [reflection.ServerReflectionRequest(list_services="")] * 100
        self.assertEqual(len(list(stub.ServerReflectionInfo(iter(asked), timeout=LIMIT))), 100)
        raw = self.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        with self.assertRaises(grpc.RpcError) as caught:
            list(raw(iter([b"\xff"]), timeout=LIMIT))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)


class Token(unittest.TestCase):
    def test_reflection_needs_the_token(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            with grpc.insecure_channel(server.address) as channel:
                stub = reflection_pb2_grpc.ServerReflectionStub(channel)
                asked = [reflection.ServerReflectionRequest(list_services="")]
                with self.assertRaises(grpc.RpcError) as caught:
                    list(stub.ServerReflectionInfo(iter(asked), timeout=LIMIT))
                self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
                self.assertEqual(len(list(stub.ServerReflectionInfo(iter(asked), metadata=[("authorization", "Bearer secret")], timeout=LIMIT))), 1)
