"""HTTP: streams, in which the request and its answer go on at the same time."""
import json
import socket
import struct
import subprocess
import threading
import unittest

from http_server import LIMIT, HttpTest, Server, Stream, all_of, head_of


class Streams(HttpTest):
    def whole(self, pipeline, text, headers=()):
        """(status, content type, lines)"""
        status, got, body = self.server.request("POST", f"/v1/pipelines/{pipeline}:stream", text, headers)
        return status, got["Content-Type"], [json.loads(line) for line in body.splitlines()] if status == 200 and "jsonl" in got["Content-Type"] else body.decode()

    def test_a_whole_stream(self):
        status, kind, lines = self.whole("chain", "1\n\n 2 \r\n3")
        self.assertEqual((status, kind), (200, "application/jsonl"))
        self.assertEqual(lines, [{"sink": "b", "item": 0, "value": 3}, {"sink": "b", "item": 1, "value": 5},
                                 {"sink": "b", "item": 2, "value": 7}, {"status": "success", "items": 3, "results": 3}])
        self.assertEqual(self.whole("chain", "")[2], [{"status": "success", "items": 0, "results": 0}])

    def test_events(self):
        status, kind, text = self.whole("chain", "1\n", {"Accept": "text/html, text/event-stream;q=0.9"})
        self.assertEqual((status, kind), (200, "text/event-stream"))
        self.assertEqual(text, 'event: result\ndata: {"sink":"b","item":0,"value":3}\n\n'
                               'event: end\ndata: {"status":"success","items":1,"results":1}\n\n')
        self.assertIn("event: error\n", self.whole("upper", "5\n", {"Accept": "text/event-stream"})[2])

    def test_a_result_comes_before_the_next_item(self):
        with Stream(self.server, "chain") as stream:
            lines = None
            for i in range(100):
                stream.send(f"{i}\n")
                lines = lines or stream.lines()
                self.assertEqual(next(lines), {"sink": "b", "item": i, "value": 2 * i + 1})
            stream.end()
            self.assertEqual(list(lines), [{"status": "success", "items": 100, "results": 100}])

    def test_an_item_may_come_in_pieces(self):
        with Stream(self.server, "same") as stream:
            for letter in '"größer"\n[1,\t2]\n':
                stream.send(letter)
            stream.end()
            self.assertEqual([line.get("value") for line in stream.lines()], ["größer", [1, 2], None])

    def test_the_connection_serves_the_next_request(self):
        with Stream(self.server, "same") as stream:
            for _ in range(3):
                stream.send("1\n")
                stream.end()
                self.assertEqual(len(list(stream.lines())), 2)
                stream.status = None
                stream.socket.sendall(f"POST /v1/pipelines/same:stream HTTP/1.1\r\nHost: {self.server.address}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    def test_what_a_flush_gives_comes_before_the_end(self):
        self.assertEqual(self.whole("batch", "0\n1\n2\n3\n4\n5\n")[2],
                         [{"sink": "batch", "item": 3, "value": [0, 1, 2, 3]}, {"sink": "batch", "value": [4, 5]},
                          {"status": "success", "items": 6, "results": 2}])

    def test_a_pipeline_that_wants_no_more(self):
        with Stream(self.server, "take") as stream:
            stream.send("1\n2\n3\n")
            self.assertEqual([line.get("value") for line in stream.lines()], [1, 2, None])
            self.assertEqual(all_of(stream.socket), b"")
        self.server.wait_for_quiet()

    def test_nothing_is_lost_by_a_client_that_reads_late(self):
        sent = 10000
        item = json.dumps("x" * 5000)  # more than both sockets hold
        with Stream(self.server, "same") as stream:
            done = threading.Event()

            def send():
                for _ in range(sent // 100):
                    stream.send((item + "\n") * 100)
                stream.end()
                done.set()

            thread = threading.Thread(target=send)
            thread.start()
            self.assertFalse(done.wait(0.3 * LIMIT / 60))  # the server stops reading
            held = self.server.metrics()["process_resident_memory_bytes"]
            lines = list(stream.lines())
            thread.join()
        self.assertEqual([line.get("item") for line in lines], [*range(sent), None])
        self.assertEqual(lines[-1], {"status": "success", "items": sent, "results": sent})
        self.assertLess(held, 200 << 20)

    def test_a_client_that_does_not_read_stops_the_pipeline(self):
        with self.server.connect() as connected:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            connected.sendall(f"POST /v1/pipelines/same:stream HTTP/1.1\r\nHost: {self.server.address}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            connected.settimeout(0.5)
            line = json.dumps("x" * 100000).encode() + b"\n"
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 1 << 30:
                    connected.sendall(b"%x\r\n%s\r\n" % (len(line), line))
                    sent += len(line)
            self.assertLess(sent, 64 << 20)
            self.assertEqual(self.server.run("chain", [1])[0], 200)
        self.server.wait_for_quiet()

    def test_lines_that_are_wrong(self):
        for body, code, says in (('1\n{"a"\n2\n', "parse", "line 2"), (b'1\n"\xff"\n', "parse", "line 2"), ("1\n[1] 2\n", "parse", "line 2"),
                                 ("1\n" + "[" * 300 + "\n", "limit", "line 2")):
            status, _, lines = self.whole("chain", body)
            self.assertEqual((status, lines[0]["value"], lines[-1]["status"], lines[-1]["error"]["code"]), (200, 3, "error", code))
            self.assertEqual((lines[-1]["items"], lines[-1]["results"], lines[-1]["error"]["item"]), (1, 1, 1))
            self.assertIn(says, lines[-1]["error"]["message"])
        self.assertEqual(self.whole("chain", b"\xff\n")[2][0]["error"]["code"], "parse")

    def test_the_failure_of_a_node_ends_the_stream(self):
        lines = self.whole("upper", '"a"\n5\n"b"\n')[2]
        self.assertEqual([lines[0]["value"], lines[-1]["error"]["node"], lines[-1]["error"]["item"]], ["A", "up", 1])

    def test_chunks_that_are_wrong(self):
        for wrong in (b"zz\r\n", b"5\r\n1\n2\n345", b"-1\r\n", b"ffffffffffffffffff\r\n"):
            with Stream(self.server, "same") as stream:
                stream.send("1\n")
                lines = stream.lines()
                self.assertEqual(next(lines)["value"], 1)
                stream.socket.sendall(wrong + b"\r\n")
                last = list(lines)[-1]
                self.assertEqual((last["status"], last["error"]["code"]), ("error", "parse"))
                self.assertEqual(all_of(stream.socket), b"")
        self.server.wait_for_quiet()

    def test_lines_are_limited(self):
        with Stream(self.server, "same") as stream:
            stream.send('1\n"')
            try:
                for _ in range(12):
                    stream.send("x" * (1 << 20))
            except ConnectionError:
                pass
            last = list(stream.lines())[-1]
            self.assertEqual((last["error"]["code"], last["items"]), ("limit", 1))

    def test_old_clients_get_no_chunks(self):
        body = b"1\n2\n"
        with self.server.connect() as connected:
            connected.sendall(b"POST /v1/pipelines/chain:stream HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            status, headers, rest = head_of(connected)
            text = rest + all_of(connected)
        self.assertEqual((status, headers.get("transfer-encoding"), headers["connection"]), (200, None, "close"))
        self.assertEqual(len(text.splitlines()), 3)

    def test_curl(self):
        url = f"http://{self.server.address}/v1/pipelines/chain:stream"
        with subprocess.Popen(["curl", "-sN", "-T", ".", "-X", "POST", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as curl:
            for i in range(3):
                curl.stdin.write(b"%d\n" % i)
                curl.stdin.flush()
                self.assertEqual(json.loads(curl.stdout.readline())["value"], 2 * i + 1)
            curl.stdin.close()
            self.assertEqual(json.loads(curl.stdout.readline())["status"], "success")


class Gone(HttpTest):
    """Clients that go away."""

    def begun(self):
        stream = Stream(self.server, "same")
        stream.send("1\n")
        self.assertEqual(next(stream.lines())["value"], 1)
        return stream

    def test_in_the_middle_of_a_stream(self):
        for way in ("close", "reset", "half"):
            with self.subTest(way):
                streams = [self.begun() for _ in range(20)]
                self.assertEqual(self.server.metrics()["remotemedia_sessions"], 20)
                for stream in streams:
                    if way == "reset":
                        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if way == "half":
                        stream.socket.shutdown(socket.SHUT_WR)
                    else:
                        stream.close()
                self.server.wait_for_quiet(21 if way == "half" else 1)
                for stream in streams:
                    stream.close()
                self.server.wait_for_quiet()

    def test_during_an_endless_run(self):
        for pipeline in ("endless", "wide"):
            with self.server.connect() as connected:
                connected.sendall(f"POST /v1/pipelines/{pipeline}:run HTTP/1.1\r\nHost: {self.server.address}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
                self.server.wait_for(lambda m: m["remotemedia_sessions"] == 1)
            self.server.wait_for_quiet()

    def test_with_an_answer_that_nobody_reads(self):
        before = self.server.metrics()["process_resident_memory_bytes"]
        for _ in range(10):
            stream = Stream(self.server, "same")
            stream.send('"' + "x" * (1 << 20) + '"\n')
            stream.send('"' + "x" * (1 << 20) + '"\n')
            stream.close()
        self.server.wait_for_quiet()
        self.assertLess(self.server.metrics()["process_resident_memory_bytes"] - before, 100 << 20)
