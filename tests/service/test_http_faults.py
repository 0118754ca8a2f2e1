"""HTTP: connections that break, and bytes that are no HTTP."""
import contextlib
import os
import random
import resource
import socket
import struct
import unittest

from http_server import LIMIT, HttpTest, Server, Stream, all_of, head_of

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status_of(data):
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else None


class Bytes(HttpTest):
    def answer(self, data, half=False):
        with self.server.connect() as connected:
            with contextlib.suppress(ConnectionError):
                connected.sendall(data)
                if half:
                    connected.shutdown(socket.SHUT_WR)
            return all_of(connected)

    def test_requests_in_pieces_and_in_a_row(self):
        with self.server.connect() as connected:
            for i in range(len(GET)):
                connected.sendall(GET[i:i + 1])
            self.assertEqual(head_of(connected)[0], 200)
        got = self.answer(GET * 50, half=True)
        self.assertEqual(got.count(b"HTTP/1.1 200 OK"), 50)

    def test_what_is_no_http(self):
        for data in (b"\r\n\r\nrubbish\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /healthz\r\n\r\n", b"GET  /healthz HTTP/1.1\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n",
                     b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1",
                     b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                     b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
                     b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"):
            with self.subTest(data):
                self.assertEqual(status_of(self.answer(data)), 400)

    def test_heads_that_are_too_long(self):
        for data, expected in ((b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n", 414), (b"GET / HTTP/1.1\r\nX: " + b"a" * 17000 + b"\r\n\r\n", 431),
                               (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", 431), (b"GET / HTTP/1.1\r\n" + b"x" * 20000, 431)):
            self.assertEqual(status_of(self.answer(data)), expected)

    def test_random_bytes(self):
        letters = random.Random(5)
        for _ in range(200):
            data = bytearray(GET if letters.random() < 0.5 else b"POST /v1/pipelines/same:stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n0\r\n\r\n")
            for _ in range(letters.randrange(1, 5)):
                data[letters.randrange(len(data))] = letters.randrange(256)
            self.answer(bytes(data), half=True)
        self.server.wait_for_quiet()
        self.assertEqual(self.server.run("chain", [1])[0], 200)

    def test_other_hosts_and_origins(self):
        for headers, expected in (({"Host": "evil.example"}, 403), ({"Host": "127.0.0.1.evil.example"}, 403), ({"Host": "localhost"}, 200),
                                  ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
                                  ({"Origin": f"http://{self.server.address}"}, 200), ({"Origin": f"https://{self.server.address}"}, 403)):
            status, got, _ = self.server.request("GET", "/healthz", headers=headers)
            self.assertEqual((status, got["Access-Control-Allow-Origin"]), (expected, None), headers)


class Broken(HttpTest):
    """Connections that break: the server goes on, and holds nothing."""

    def test_connections_opened_and_dropped(self):
        descriptors = self.server.metrics()["process_open_fds"]
        for i in range(1000):
            connected = self.server.connect()
            if i % 3 == 1:
                connected.sendall(GET[:i % len(GET)])
            if i % 3 == 2:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connected.sendall(GET)
            connected.close()
        self.server.wait_for_quiet()
        self.assertLessEqual(self.server.metrics()["process_open_fds"], descriptors)

    def test_resets_at_any_moment(self):
        request = b"POST /v1/pipelines/chain:run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n{\"inputs\": [1]}"
        for cut in range(0, len(request) + 1, 3):
            connected = self.server.connect()
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connected.sendall(request[:cut])
            connected.close()
        self.server.wait_for_quiet()

    def test_a_request_that_ends_in_the_middle(self):
        for data in (GET[:20], b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{}"):
            with self.server.connect() as connected:
                connected.sendall(data)
                connected.shutdown(socket.SHUT_WR)
                self.assertEqual(all_of(connected), b"")
        self.server.wait_for_quiet()

    def test_an_answer_before_the_body_is_read(self):
        with self.server.connect() as connected:
            connected.sendall(b"POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                connected.sendall(bytes(100000))
            self.assertEqual(status_of(all_of(connected)), 404)


class Slow(unittest.TestCase):
    def test_clients_that_take_too_long(self):
        server = Server("--client-timeout", "200ms")
        self.addCleanup(server.stop)
        beginnings = (GET[:10], b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", GET[:-2])
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(Stream(server, "same"))
            stream.send("1\n")
            lines = stream.lines()
            next(lines)
            connected = [stack.enter_context(server.connect()) for _ in beginnings]
            for data, each in zip(beginnings, connected):
                each.sendall(data)
            for each in connected:
                self.assertEqual(status_of(all_of(each)), 408)
            silent = stack.enter_context(server.connect())
            self.assertEqual(all_of(silent), b"")
            stream.send("2\n")  # a stream may rest for longer
            self.assertEqual(next(lines)["value"], 2)
            drip = stack.enter_context(server.connect())
            drip.settimeout(0.05)
            drip.sendall(b"GET /")
            answer = None
            while answer is None:  # a byte now and then does not help
                drip.sendall(b"G")
                with contextlib.suppress(TimeoutError):
                    answer = drip.recv(4096)
            self.assertEqual(status_of(answer), 408)
        server.wait_for_quiet()
        self.assertEqual(server.stop(), 0)

    def test_an_answer_that_nobody_reads(self):
        server = Server("--client-timeout", "100ms")
        self.addCleanup(server.stop)
        body = b'{"inputs": ["' + b"x" * (8 << 20) + b'"]}'
        with server.connect() as connected:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connected.sendall(b"POST /v1/pipelines/same:run HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            server.wait_for(lambda m: m["remotemedia_sessions"] == 0 and m["remotemedia_http_connections"] == 1)
        self.assertEqual(server.stop(), 0)


class Descriptors(unittest.TestCase):
    def test_the_server_recovers_when_they_run_out(self):
        server = Server(begin=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120)))
        self.addCleanup(server.stop)
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(socket.create_connection((server.host, server.port), timeout=LIMIT)) for _ in range(150)]
            ended = [connected for connected in held[120:] if all_of(connected) == b""]  # dropped, not left waiting
            self.assertEqual(len(ended), 30)
        server.wait_for(lambda m: m["remotemedia_http_connections"] == 1)
        status, document = server.run("chain", [1])
        self.assertEqual(status, 200, document)
        self.assertGreaterEqual(server.metrics()["remotemedia_http_dropped_total"], 30)
        self.assertEqual(server.stop(), 0)
