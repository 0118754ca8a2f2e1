"""HTTP: tokens, TLS, and pages of other origins."""
import contextlib
import json
import os
import socket
import ssl
import subprocess
import tempfile
import unittest

from http_server import LIMIT, PIPELINES, Server, Stream, all_of, head_of

PATHS = (("GET", "/metrics"), ("GET", "/openapi.json"), ("GET", "/v1/status"), ("GET", "/v1/version"), ("GET", "/v1/pipelines"),
         ("POST", "/v1/run"), ("POST", "/v1/pipelines/chain:run"), ("POST", "/v1/pipelines/chain:stream"), ("GET", "/v1/pipelines/chain"),
         ("GET", "/nothing"), ("PUT", "/v1/run"), ("POST", "/v1/pipelines/none:run"), ("OPTIONS", "/v1/run"))


class Starts(unittest.TestCase):
    """What keeps the server from starting; none of it may make it wait."""

    def refused(self, *options):
        done = subprocess.run([os.environ["RM_PROGRAM"], "serve", "--http", "127.0.0.1:0", *options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr.decode(errors="replace")

    def test_files_that_are_no_manifests(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkfifo(f"{folder}/pipe.json")
            self.assertIn("pipe.json' is no regular file", self.refused("--pipelines", folder))
        with tempfile.TemporaryDirectory() as folder:
            with open(os.fsencode(folder) + b"/b\xff.json", "w") as file:
                json.dump(PIPELINES["same"], file)
            self.assertIn("not UTF-8", self.refused("--pipelines", folder))

    def test_a_token_with_nul(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"a\0b\n")
            file.flush()
            self.assertIn("NUL", self.refused("--token-file", file.name))


class Tokens(unittest.TestCase):
    def test_every_path_needs_the_token(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("# who\nsecret-one\nsecret-two\n")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            for method, path in PATHS:
                for wrong in (None, "", "secret-one", "Bearer ", "Bearer secret", "Bearer secret-one ,", "bearer secret-one", "Basic c2VjcmV0"):
                    headers = {} if wrong is None else {"Authorization": wrong}
                    status, got, body = server.request(method, path, headers=headers)
                    self.assertEqual((status, got["WWW-Authenticate"]), (401, "Bearer"), (method, path, wrong))
                    self.assertEqual(json.loads(body)["error"]["code"], "usage")
            for right in ("Bearer secret-one", "Bearer secret-two"):
                self.assertEqual(server.json("POST", "/v1/pipelines/chain:run", {"inputs": [1]}, {"Authorization": right})[0], 200)
            for path in ("/healthz", "/readyz", "/"):  # probes have none, and the page has no data
                self.assertEqual(server.request("GET", path)[0], 200)
            self.assertEqual(server.stop(), 0)

    def test_other_machines_may_call_with_a_token(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret\n")
            file.flush()
            server = Server("--token-file", file.name, address="0.0.0.0:0")
            self.addCleanup(server.stop)
            server.host = "127.0.0.1"
            self.assertEqual(server.request("GET", "/", headers={"Authorization": "Bearer secret", "Host": "any.example"})[0], 200)
            self.assertEqual(server.stop(), 0)


class Cors(unittest.TestCase):
    def test_one_origin(self):
        server = Server("--cors", "https://app.example")
        self.addCleanup(server.stop)
        ours, theirs = {"Origin": "https://app.example"}, {"Origin": "https://app.example.evil"}
        status, headers, _ = server.request("POST", "/v1/pipelines/chain:run", '{"inputs": [1]}', ours)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"], headers["Vary"]), (200, "https://app.example", "Origin"))
        self.assertEqual(server.request("POST", "/v1/pipelines/chain:run", '{"inputs": [1]}', theirs)[0], 403)
        status, headers, body = server.request("OPTIONS", "/v1/run", headers={**ours, "Access-Control-Request-Method": "POST"})
        self.assertEqual((status, headers["Access-Control-Allow-Methods"], body), (204, "GET, POST", b""))
        self.assertEqual(server.request("OPTIONS", "/v1/run", headers={**theirs, "Access-Control-Request-Method": "POST"})[0], 403)
        self.assertEqual(server.stop(), 0)

    def test_all_origins(self):
        server = Server("--cors", "*")
        self.addCleanup(server.stop)
        status, headers, _ = server.request("GET", "/v1/version", headers={"Origin": "https://any.example"})
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (200, "*"))
        self.assertEqual(server.stop(), 0)


class Secured(unittest.TestCase):
    """TLS, with certificates made for the test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for name in ("server", "client", "stranger"):
            place = f"{cls.folder.name}/{name}"
            names = "IP:127.0.0.1" if name == "server" else f"DNS:{name}"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-keyout", place + ".key", "-out", place + ".crt", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"],
                           check=True, capture_output=True)

    def file(self, name):
        return f"{self.folder.name}/{name}"

    def server(self, *options):
        server = Server("--tls-cert", self.file("server.crt"), "--tls-key", self.file("server.key"), *options)
        self.addCleanup(server.stop)
        plain = server.connect

        def connect(root="server", client=None):
            context = ssl.create_default_context(cafile=self.file(root + ".crt"))
            if client:
                context.load_cert_chain(self.file(client + ".crt"), self.file(client + ".key"))
            connected = plain()
            try:
                return context.wrap_socket(connected, server_hostname="127.0.0.1")
            except BaseException:
                connected.close()
                raise

        server.plain, server.connect = plain, connect
        return server

    def version(self, server, **who):
        with server.connect(**who) as connected:
            connected.sendall(b"GET /v1/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return head_of(connected)[0]

    def test_tls(self):
        server = self.server()
        self.assertEqual(self.version(server), 200)
        with self.assertRaises(ssl.SSLError):
            self.version(server, root="stranger")
        with server.plain() as connected:  # no TLS
            connected.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotIn(b"HTTP", all_of(connected))
        done = subprocess.run(["curl", "-sS", "--cacert", self.file("server.crt"), f"https://{server.address}/healthz"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(done.stdout), {"status": "alive"})
        self.assertEqual(server.stop(), 0)

    def test_streams_and_backpressure(self):
        server = self.server()
        with Stream(server, "same") as stream:
            stream.send("0\n")
            lines = stream.lines()
            self.assertEqual(next(lines)["value"], 0)
            big = json.dumps("x" * 100000) + "\n"
            for i in range(20):
                stream.send(big * 3)
            stream.end()
            self.assertEqual([line.get("item") for line in lines], [*range(1, 61), None])
        self.assertEqual(server.stop(), 0)

    def test_handshakes_that_break(self):
        server = self.server("--client-timeout", "300ms")
        for data in (b"\x16\x03\x01", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"rubbish" * 100):
            for half in (False, True):
                with server.plain() as connected:
                    with contextlib.suppress(OSError):
                        connected.sendall(data)
                        if half:
                            connected.shutdown(socket.SHUT_WR)
                    all_of(connected)
        self.assertEqual(self.version(server), 200)
        self.assertEqual(server.stop(), 0)

    def test_certificates_of_clients(self):
        server = self.server("--tls-client-ca", self.file("client.crt"))
        self.assertEqual(self.version(server, client="client"), 200)
        for wrong in (None, "stranger"):
            with self.assertRaises((ssl.SSLError, ConnectionError, AssertionError)):
                self.version(server, client=wrong)
        self.assertEqual(server.stop(), 0)

    def test_keys_that_do_not_belong(self):
        for certificate, key in (("server.crt", "stranger.key"), ("server.key", "server.crt"), ("server.key", "server.key")):
            with self.assertRaisesRegex(AssertionError, "TLS"):
                Server("--tls-cert", self.file(certificate), "--tls-key", self.file(key))
