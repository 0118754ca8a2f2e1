"""A server in trouble: no descriptors, floods of the log, token files that were written elsewhere."""
import resource
import socket
import subprocess
import tempfile
import threading
import unittest

import grpc
from server import LIMIT, Server, common, execution, execution_pb2_grpc, init, kinds, manifest, node, of_json, streaming_pb2_grpc

DOUBLE = manifest(node("a", "MultiplyNode", factor=2))
DESCRIPTORS = 128


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS // 2, DESCRIPTORS))


def execute(channel):
    return execution_pb2_grpc.PipelineExecutionServiceStub(channel).ExecutePipeline(
        execution.ExecuteRequest(manifest=DOUBLE, data_inputs={"input": of_json(1)}, client_version="1"), timeout=LIMIT, wait_for_ready=True)


class Descriptors(unittest.TestCase):
    def connect(self, server, count):
        host, port = server.address.rsplit(":", 1)
        for _ in range(count):
            connection = socket.create_connection((host, int(port)))
            self.addCleanup(connection.close)
            yield connection

    def until_refused(self, channel):
        """The server takes the connections by and by."""
        refused = execute(channel)
        while refused.WhichOneof("outcome") == "result":
            refused = execute(channel)
        self.assertEqual(refused.error.error_type, common.ERROR_TYPE_RESOURCE_LIMIT)
        self.assertIn("descriptors", refused.error.message)

    def test_connections_are_taken_again(self):
        server = Server(begin=few_descriptors)
        self.addCleanup(server.stop)
        with grpc.insecure_channel(server.address) as channel:
            self.assertEqual(execute(channel).WhichOneof("outcome"), "result")
            held = list(self.connect(server, DESCRIPTORS // 2))  # more than the soft limit
            self.assertEqual(execute(channel).WhichOneof("outcome"), "result")
            held += self.connect(server, DESCRIPTORS // 2)
            self.until_refused(channel)
            for connection in held:
                connection.close()
        for _ in range(3):
            with grpc.insecure_channel(server.address) as channel:
                self.assertEqual(execute(channel).WhichOneof("outcome"), "result")
        self.assertEqual(server.stop(), 0)

    def test_streams_are_refused(self):
        server = Server(begin=few_descriptors)
        self.addCleanup(server.stop)
        go_on = threading.Event()

        def requests():
            go_on.wait(LIMIT)
            yield init(DOUBLE)

        with grpc.insecure_channel(server.address) as channel:
            execute(channel)
            responses = streaming_pb2_grpc.StreamingPipelineServiceStub(channel).StreamPipeline(requests(), timeout=LIMIT)
            list(self.connect(server, DESCRIPTORS))
            self.until_refused(channel)
            go_on.set()
            responses = list(responses)
            self.assertEqual((kinds(responses), responses[0].error.error_type), (["error", "closed"], common.ERROR_TYPE_RESOURCE_LIMIT))


class Logs(unittest.TestCase):
    def test_clients_cannot_flood_the_log(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-keyout", f"{folder}/key", "-out", f"{folder}/crt", "-subj", "/CN=x"], check=True, capture_output=True)
            server = Server("--tls-cert", f"{folder}/crt", "--tls-key", f"{folder}/key")
            self.addCleanup(server.stop)
            host, port = server.address.rsplit(":", 1)
            for _ in range(1000):  # each is no TLS
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 20)
                    try:
                        while connection.recv(1000):
                            pass
                    except ConnectionError:
                        pass
            self.assertEqual(server.stop(), 0)
            self.assertLess(server.log.count("\n"), 900)
            self.assertIn("more lines", server.log)


class Tokens(unittest.TestCase):
    def test_lines_end_in_any_way(self):
        with tempfile.NamedTemporaryFile("wb", suffix=".tokens") as file:
            file.write(b"  # who\r\n one \t\r\ntwo\r\n\r\n\t\r\nthree")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            with grpc.insecure_channel(server.address) as channel:
                stub = execution_pb2_grpc.PipelineExecutionServiceStub(channel)
                for token in ("one", "two", "three"):
                    stub.GetVersion(execution.VersionRequest(), metadata=[("authorization", f"Bearer {token}")], timeout=LIMIT)
                for wrong in ("", "  # who", "# who", "one two"):
                    with self.assertRaises(grpc.RpcError):
                        stub.GetVersion(execution.VersionRequest(), metadata=[("authorization", f"Bearer {wrong}")], timeout=LIMIT)
            self.assertEqual(server.stop(), 0)
