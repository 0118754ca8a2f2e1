"""A server in trouble: no descriptors, floods of the log, token files that were written elsewhere."""
import os
import resource
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from random import Random

import grpc
from server import CLOSE, LIMIT, Server, chunk, common, execution, execution_pb2_grpc, init, kinds, manifest, node, of_json, streaming_pb2_grpc

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
                end = time.monotonic() + LIMIT
                while execute(channel).WhichOneof("outcome") != "result":  # the server closes the former connections by and by
                    self.assertLess(time.monotonic(), end)
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


class Soak(unittest.TestCase):
    def descriptors(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def test_streams_that_are_dropped_leave_nothing(self):
        server = Server()
        self.addCleanup(server.stop)
        with grpc.insecure_channel(server.address) as channel:
            stub = streaming_pb2_grpc.StreamingPipelineServiceStub(channel)
            execute(channel)
            before = self.descriptors(server)
            for number in range(2000):
                responses = stub.StreamPipeline(iter([init(DOUBLE), chunk(0, 1)]), timeout=LIMIT)
                if number % 2 == 0:
                    next(responses)
                responses.cancel()
            for _ in range(1000):  # wholly written, in any state when the connection goes
                stub.StreamPipeline(iter([init(DOUBLE), chunk(0, 1), chunk(1, 1), CLOSE]), timeout=LIMIT)
        with grpc.insecure_channel(server.address) as channel:
            self.assertEqual(execute(channel).WhichOneof("outcome"), "result")
            while self.descriptors(server) > before:  # the former connection closes by and by
                execute(channel)
        self.assertEqual(server.stop(), 0)

    def test_connections_that_break(self):
        server = Server()
        self.addCleanup(server.stop)
        host, port = server.address.rsplit(":", 1)
        random = Random(1)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
        for _ in range(300):
            with socket.create_connection((host, int(port))) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a RST
                connection.sendall((preface + random.randbytes(200))[:random.randrange(250)])
        with grpc.insecure_channel(server.address) as channel:
            self.assertEqual(execute(channel).WhichOneof("outcome"), "result")
        self.assertEqual(server.stop(), 0)


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
