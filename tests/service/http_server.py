"""A server of HTTP for a test, and small clients for it."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

LIMIT = 60 * float(os.environ.get("RM_SLOWNESS", "1"))


def manifest(*nodes, connections=()):
    """A manifest of nodes and of "a > b > c" chains."""
    edges = []
    for chain in connections:
        ids = [part.strip() for part in chain.split(">")]
        edges += [{"from": a, "to": b} for a, b in zip(ids, ids[1:])]
    return {"version": "v1", "metadata": {"name": "test"}, "nodes": list(nodes), "connections": edges}


def node(id, node_type, **params):
    return {"id": id, "node_type": node_type, **({"params": params} if params else {})}


PIPELINES = {
    "same": manifest(node("same", "PassThrough")),
    "chain": manifest(node("a", "MultiplyNode", factor=2), node("b", "AddNode", addend=1), connections=["a > b"]),
    "two": manifest(node("x", "MultiplyNode", factor=2), node("y", "MultiplyNode", factor=3)),
    "batch": manifest(node("batch", "Batch", size=4)),
    "upper": manifest(node("up", "UppercaseTransform")),
    "level": manifest(node("level", "AudioLevel")),
    "take": manifest(node("take", "Take", count=2)),
    "source": manifest(node("s", "SimpleSource", count=3, value=7)),
    "endless": manifest(node("s", "SimpleSource", count=1 << 60), node("t", "Take", count=1 << 59), connections=["s > t"]),
    "wide": manifest(node("w", "SimpleSource", count=1 << 40, value="x" * 1000), node("s", "PassThrough"), connections=["w > s"]),
    "bytes": manifest(node("b", "Python", code="def process(x):\n    return b'x' if x == 2 else x")),
    "python": manifest(node("p", "Python", code="def process(x):\n    return x + 1")),
}


class Server:
    """`remotemedia serve` on a free port."""

    def __init__(self, *options, address="127.0.0.1:0", pipelines=PIPELINES, begin=None):
        self.folder = tempfile.TemporaryDirectory()
        self.log = ""
        for name, of in pipelines.items():
            pathlib.Path(self.folder.name, name + ".json").write_text(of if isinstance(of, str) else json.dumps(of))
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.environ["RM_PROGRAM"], "serve", "--http", address, "--pipelines", self.folder.name, *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True, preexec_fn=begin)
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {}
        if said.get("status") != "serving":
            self.process.wait(LIMIT)
            self.close()
            raise AssertionError(f"serve has ended with {self.process.returncode}: {line}{self.log}")
        self.address = said["http"]
        self.host, _, port = self.address.rpartition(":")
        self.port = int(port)

    def close(self):
        self.process.stdout.close()
        self.errors.seek(0)
        self.log = self.errors.read()
        self.errors.close()
        self.folder.cleanup()

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def stop(self):
        """The exit code after SIGTERM."""
        if self.process.returncode is not None and self.errors.closed:
            return self.process.returncode
        if self.process.poll() is None:
            self.signal()
        try:
            return self.process.wait(LIMIT)
        finally:
            self.process.kill()
            self.close()

    def connect(self):
        connected = socket.create_connection((self.host, self.port), timeout=LIMIT)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def request(self, method, path, body=None, headers=()):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=LIMIT)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def json(self, method, path, body=None, headers=()):
        """(status, what the body says)"""
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        status, _, text = self.request(method, path, data, headers)
        return status, json.loads(text)

    def run(self, pipeline, inputs):
        return self.json("POST", f"/v1/pipelines/{pipeline}:run", {"inputs": inputs})

    def metrics(self):
        """{name with labels: value}"""
        text = self.request("GET", "/metrics")[2].decode()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}

    def wait_for(self, condition):
        """Asks until `condition` of the metrics holds."""
        end = time.monotonic() + LIMIT
        while not condition(self.metrics()):
            if time.monotonic() > end:
                raise AssertionError(f"never: {self.metrics()}")

    def wait_for_quiet(self, connections=1):
        """Until there is no session, and no connection but that of the one that asks."""
        self.wait_for(lambda m: m["remotemedia_sessions"] == 0 and m["remotemedia_http_connections"] <= connections)


class HttpTest(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options)

    @classmethod
    def tearDownClass(cls):
        code, log = cls.server.stop(), cls.server.log
        if code != 0:
            raise AssertionError(f"serve ended with {code}: {log}")

    def refused(self, status, code, method, path, body=None, headers=(), server=None):
        """The error document of a request that is refused."""
        got, document = (server or self.server).json(method, path, body, headers)
        self.assertEqual((got, document["status"], document["error"]["code"]), (status, "error", code), document)
        return document["error"]


def head_of(connected):
    """(status, headers, what came behind the head)"""
    data = b""
    while b"\r\n\r\n" not in data:
        got = connected.recv(65536)
        if not got:
            raise AssertionError(f"the connection ended: {data}")
        data += got
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}, rest


def all_of(connected):
    """What comes until the other side ends; None where it resets the connection before anything."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while got := connected.recv(65536):
            data += got
    return data


class Stream:
    """A request whose body is sent, and whose answer is read, as the test goes on."""

    def __init__(self, server, pipeline, headers="", version="1.1"):
        self.socket = server.connect()
        self.socket.sendall(f"POST /v1/pipelines/{pipeline}:stream HTTP/{version}\r\nHost: {server.address}\r\n{headers}"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())
        self.left = b""
        self.status = self.headers = None

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")

    def begin(self):
        if self.status is None:
            self.status, self.headers, self.left = head_of(self.socket)

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise AssertionError(f"the answer ended: {self.left}")
        self.left += got

    def chunk(self):
        """The next chunk; b"": the last one."""
        self.begin()
        while b"\r\n" not in self.left:
            self.more()
        size, _, self.left = self.left.partition(b"\r\n")
        size = int(size, 16)
        while len(self.left) < size + 2:
            self.more()
        data, self.left = self.left[:size], self.left[size + 2:]
        return data

    def lines(self):
        """The lines of the answer, as they come."""
        text = b""
        while True:
            data = self.chunk()
            if not data:
                return
            text += data
            *whole, text = text.split(b"\n")
            yield from (json.loads(line) for line in whole)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
