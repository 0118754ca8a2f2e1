"""WebSocket: audio as binary messages, items as texts."""
import base64
import json
import os
import select
import socket
import struct
import tempfile
import unittest

import websockets.exceptions
from http_server import LIMIT, HttpTest, Server, all_of, head_of
from websockets.sync.client import connect

KEY = base64.b64encode(b"0123456789abcdef").decode()


def samples(count, letter="f", value=0.5):
    return struct.pack(f"<{count}{letter}", *[value] * count)


class WebSockets(HttpTest):
    def open(self, pipeline, **more):
        return connect(f"ws://{self.server.address}/v1/pipelines/{pipeline}", open_timeout=LIMIT, close_timeout=LIMIT,
                       compression=None, max_size=None, **more)

    def rest(self, client):
        """(messages until the end, close code)"""
        got = []
        try:
            while True:
                data = client.recv(LIMIT)
                got.append(json.loads(data) if isinstance(data, str) else data)
        except websockets.exceptions.ConnectionClosed:
            return got, client.close_code

    def test_items(self):
        with self.open("chain") as client:
            client.send("{}")
            for i in range(50):
                client.send(str(i))
                self.assertEqual(json.loads(client.recv(LIMIT)), {"sink": "b", "item": i, "value": 2 * i + 1})
            client.send("")
            self.assertEqual(self.rest(client), ([{"status": "success", "items": 50, "results": 50}], 1000))

    def test_audio(self):
        with self.open("level") as client:
            client.send('{"sample_rate": 16000, "channels": 1, "format": "f32"}')
            for i in range(5):
                client.send(samples(320))
                self.assertEqual(json.loads(client.recv(LIMIT))["item"], i)
            client.send("")
            self.assertEqual(self.rest(client)[1], 1000)

    def test_audio_comes_back_as_it_was(self):
        for format, letter in (("f32", "f"), ("i16", "h"), ("i32", "i")):
            for channels in (1, 2):
                with self.open("same") as client:
                    client.send(json.dumps({"sample_rate": 48000, "channels": channels, "format": format}))
                    for frames in (0, 1, 960, 100000):
                        sent = samples(frames * channels, letter, 1)
                        client.send(sent)
                        about = json.loads(client.recv(LIMIT))
                        self.assertEqual(about["audio"], {"sample_rate": 48000, "channels": channels, "format": format, "frames": frames})
                        self.assertEqual(client.recv(LIMIT), sent)
                    client.send("")
                    self.assertEqual(self.rest(client)[1], 1000)

    def test_a_source(self):
        with self.open("two") as client:
            client.send('{"source": "y"}')
            client.send("1")
            client.send("")
            self.assertEqual([got.get("value") for got in self.rest(client)[0]], [3, None])

    def test_messages_in_fragments(self):
        with self.open("same") as client:
            client.send(["{", "}"])
            client.send(['"', "gr", "ößer", '"'])
            client.ping()
            client.send("")
            self.assertEqual([got.get("value") for got in self.rest(client)[0]], ["größer", None])

    def test_greetings_that_are_wrong(self):
        for greeting in ("[]", "1", "{", '{"rate": 1}', '{"sample_rate": 0}', '{"sample_rate": 1.5}', '{"sample_rate": 8000, "channels": 256}',
                         '{"sample_rate": 8000, "format": "f64"}', '{"channels": 1}', '{"format": "f32"}', '{"source": 1}', "", b"\0\0\0\0"):
            with self.open("same") as client:
                client.send(greeting)
                got, code = self.rest(client)
                self.assertEqual((code, [g["status"] for g in got]), (1008, ["error"]), greeting)

    def test_items_that_are_wrong(self):
        for greeting, wrong, expected, says in (("{}", "{", 1007, ""), ("{}", b"\0\0\0\0", 1003, "sample_rate"),
                                                ('{"sample_rate": 8000}', b"\0\0\0", 1007, "3 bytes")):
            with self.open("same") as client:
                client.send(greeting)
                client.send("1")
                client.send(wrong)
                got, code = self.rest(client)
                self.assertEqual((code, got[0]["value"], got[-1]["status"], got[-1]["items"]), (expected, 1, "error", 1))
                self.assertIn(says, got[-1]["error"]["message"])

    def test_the_failure_of_a_node(self):
        with self.open("upper") as client:
            for message in ("{}", '"a"', "5"):
                client.send(message)
            got, code = self.rest(client)
            self.assertEqual((code, got[0]["value"], got[-1]["error"]["item"]), (1011, "A", 1))

    def test_a_message_after_the_end(self):
        with self.open("same") as client:
            client.send("{}")
            try:
                for _ in range(1000):
                    client.send("")
            except websockets.exceptions.ConnectionClosed:
                pass
            self.assertIn(self.rest(client)[1], (1000, 1008))
        self.server.wait_for_quiet()

    def test_messages_that_are_too_large(self):
        with self.open("same") as client:
            client.send("{}")
            try:
                client.send(b"x" * (11 << 20))
            except websockets.exceptions.ConnectionClosed:
                pass
            self.assertEqual(self.rest(client)[1], 1009)
        self.server.wait_for_quiet()

    def test_nothing_is_lost_by_a_client_that_reads_late(self):
        sent = samples(4000)
        with self.open("same", max_queue=1) as client:
            client.send('{"sample_rate": 16000}')
            for _ in range(100):
                client.send(sent)
            client.send("")
            got, code = self.rest(client)
            self.assertEqual((code, got[1::2], got[-1]["results"]), (1000, [sent] * 100, 100))

    def test_clients_that_go_away(self):
        for way in ("close", "abort"):
            clients = [self.open("same") for _ in range(20)]
            for client in clients:
                client.send("{}")
                client.send("1")
                client.recv(LIMIT)
            self.assertEqual(self.server.metrics()["remotemedia_sessions"], 20)
            for client in clients:
                if way == "abort":
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.socket.close()
                else:
                    client.close()
            self.server.wait_for_quiet()

    def upgrade(self, extra="", pipeline="same", version=13, key=KEY):
        connected = self.server.connect()
        connected.sendall((f"GET /v1/pipelines/{pipeline} HTTP/1.1\r\nHost: {self.server.address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           f"Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n").encode())
        return connected

    def test_upgrades_that_are_wrong(self):
        for connected, expected in ((self.upgrade(version=8), 426), (self.upgrade(key="short"), 400), (self.upgrade(pipeline="none"), 404),
                                    (self.upgrade("Origin: http://evil.example\r\n"), 403)):
            with connected:
                self.assertEqual(head_of(connected)[0], expected)
        self.refused(426, "usage", "GET", "/v1/pipelines/same")

    def test_frames_that_are_wrong(self):
        for frame, code in ((b"\x81\x01a", 1002),  # not masked
                            (b"\xf1\x81\0\0\0\0a", 1002), (b"\x83\x80\0\0\0\0", 1002), (b"\x89\xfe\0\x80\0\0\0\0", None),
                            (b"\x81\x82\0\0\0\0\xc3\x28", 1007), (b"\x80\x81\0\0\0\0a", 1002)):
            with self.upgrade() as connected:
                self.assertEqual(head_of(connected)[0], 101)
                connected.sendall(frame)
                got = all_of(connected)
                told = struct.unpack(">H", got[2:4])[0] if got[1] else None
                self.assertEqual((got[0], told), (0x88, code), (frame, got))
        self.server.wait_for_quiet()

    def test_pings_of_a_client_that_does_not_read(self):
        """The server reads no more of them while their pongs wait."""
        ping, most = b"\x89\xfd" + bytes(4) + b"p" * 125, 64 << 20
        with self.upgrade() as connected:
            self.assertEqual(head_of(connected)[0], 101)
            connected.setblocking(False)
            sent, many = 0, ping * 1000
            while sent < most and select.select([], [connected], [], 2 * LIMIT / 60)[1]:
                sent += connected.send(many[sent % len(ping):])
            self.assertLess(sent, most)
            got, whole = 0, sent // len(ping) * (2 + 125)
            while got < whole:
                select.select([connected], [], [])
                got += len(connected.recv(1 << 20))
        self.server.wait_for_quiet()

    def test_random_bytes(self):
        for seed in range(50):
            with self.upgrade() as connected:
                head_of(connected)
                connected.sendall(os.urandom(200))
                connected.shutdown(socket.SHUT_WR)
                all_of(connected)
        self.server.wait_for_quiet()


class Tokens(unittest.TestCase):
    def test_a_token_as_protocol(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret\n")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            url = f"ws://{server.address}/v1/pipelines/same"
            for wrong in (None, ["remotemedia.v1"], ["remotemedia.v1", "bearer.wrong"], ["bearer."]):
                with self.assertRaises(websockets.exceptions.InvalidStatus):
                    connect(url, subprotocols=wrong, open_timeout=LIMIT)
            with connect(url, subprotocols=["remotemedia.v1", "bearer.secret"], open_timeout=LIMIT) as client:
                self.assertEqual(client.subprotocol, "remotemedia.v1")
            with connect(url, additional_headers={"Authorization": "Bearer secret"}, open_timeout=LIMIT):
                pass
            self.assertEqual(server.stop(), 0)
