"""HTTP: pages, whole runs, and what is wrong with requests."""
import json
import subprocess
import tempfile
import threading
import unittest

from http_server import LIMIT, HttpTest, Server, Stream, manifest, node


class Pages(HttpTest):
    def test_probes(self):
        self.assertEqual(self.server.json("GET", "/healthz"), (200, {"status": "alive"}))
        self.assertEqual(self.server.json("GET", "/readyz"), (200, {"status": "ready"}))

    def test_version_and_pipelines(self):
        status, info = self.server.json("GET", "/v1/version")
        self.assertEqual((status, info["features"]["RM_PYTHON"]), (200, True))
        status, listed = self.server.json("GET", "/v1/pipelines?x=1")
        self.assertEqual((status, listed["pipelines"]), (200, sorted(listed["pipelines"])))
        self.assertIn("chain", listed["pipelines"])

    def test_head_has_no_body(self):
        status, headers, body = self.server.request("HEAD", "/healthz")
        self.assertEqual((status, headers["Content-Length"], body), (200, "19", b""))

    def test_paths_that_are_not_there(self):
        for path in ("/nothing", "/v1", "/v1/pipelines/", "/healthz/", "//healthz", "/v1/pipelines/chain:walk"):
            self.refused(404, "not_found", "GET", path)
        for path in ("/v1/pipelines/none:run", "/v1/pipelines/..%2fchain:run", "/v1/pipelines/:run"):
            self.refused(404, "not_found", "POST", path, {})
        for path in ("/%", "/%4", "/%zz", "/%00", "/%ff", "/" + "a" * 2000):
            self.refused(400, "parse", "GET", path)

    def test_methods_that_are_not_for_a_path(self):
        for method, path, allowed in (("POST", "/healthz", "GET, HEAD"), ("PUT", "/v1/run", "POST"), ("GET", "/v1/pipelines/chain:run", "POST"),
                                      ("DELETE", "/v1/pipelines/chain", "GET"), ("OPTIONS", "/v1/run", "POST"), ("PATCH", "/", "GET, HEAD")):
            status, headers, body = self.server.request(method, path)
            self.assertEqual((status, headers["Allow"], json.loads(body)["error"]["code"]), (405, allowed, "usage"))

    def test_a_path_may_be_encoded(self):
        self.assertEqual(self.server.json("POST", "/v1/pipelines/%63hain%3Arun", {"inputs": [1]})[0], 200)

    def test_metrics(self):
        before = self.server.metrics()
        self.server.run("chain", [1, 2])
        self.server.run("upper", [1])
        after = self.server.metrics()
        gained = {name: after[name] - before[name] for name in after}
        self.assertEqual(gained["remotemedia_http_items_total"], 3)
        self.assertEqual(gained["remotemedia_http_results_total"], 2)
        self.assertEqual(gained["remotemedia_http_sessions_total"], 2)
        self.assertEqual(gained["remotemedia_http_failures_total"], 1)
        self.assertEqual(gained['remotemedia_http_requests_total{status="2xx"}'], 2)
        self.assertEqual(gained['remotemedia_http_request_duration_seconds_bucket{le="+Inf"}'], 3)
        self.assertGreater(after["process_resident_memory_bytes"], 1 << 20)
        self.assertGreater(after["process_open_fds"], 3)


class Runs(HttpTest):
    def outputs(self, pipeline, inputs, **more):
        status, document = self.server.run(pipeline, inputs, **more)
        self.assertEqual((status, document["status"]), (200, "success"), document)
        return document["outputs"]

    def test_a_run(self):
        status, document = self.server.run("chain", [20, 2.5])
        self.assertEqual((status, document), (200, {
            "status": "success", "outputs": {"b": [41, 6.0]},
            "graph_info": {"node_count": 2, "source_count": 1, "sink_count": 1, "execution_order": ["a", "b"]}}))

    def test_several_sources_and_outputs(self):
        self.assertEqual(self.outputs("two", [1]), {"x": [2], "y": [3]})
        self.assertEqual(self.outputs("two", {"x": [1, 2], "y": [5]}), {"x": [2, 4], "y": [15]})
        self.assertEqual(self.outputs("two", {"y": []}), {"x": [], "y": []})

    def test_sources_generate_without_inputs(self):
        for body in ({}, {"inputs": None}):
            self.assertEqual(self.server.json("POST", "/v1/pipelines/source:run", body)[1]["outputs"], {"s": [7, 7, 7]})

    def test_values_stay_as_they_are(self):
        values = ["große", 1 << 80, -0.5, None, True, {"b": [1], "a": {}}, "\u0000", []]
        self.assertEqual(self.outputs("same", values), {"same": values})

    def test_arrays(self):
        array = {"__numpy__": True, "array": {"meta": {"shape": [1, 2], "dtype": "float32"}, "data": "zczMPQAAAEA="}}
        got = self.outputs("same", [array])["same"][0]
        self.assertEqual((got["array"]["data"], got["array"]["meta"]["shape"]), ("zczMPQAAAEA=", [1, 2]))
        self.assertEqual(self.outputs("same", [got]), {"same": [got]})
        status, document = self.server.json("POST", "/v1/pipelines/same:run?arrays=list", {"inputs": [array]})
        self.assertEqual(document["outputs"], {"same": [[[0.1, 2.0]]]})

    def test_python_of_the_operator(self):
        self.assertEqual(self.outputs("python", [1, 2]), {"p": [2, 3]})

    def test_a_manifest_of_the_client(self):
        double = manifest(node("d", "MultiplyNode", factor=2))
        status, document = self.server.json("POST", "/v1/run", {"manifest": double, "inputs": [4]})
        self.assertEqual((status, document["outputs"]), (200, {"d": [8]}))

    def test_strangers_use_no_files_and_no_python(self):
        error = self.refused(400, "unsupported", "POST", "/v1/run", {"manifest": manifest(node("f", "FileLines", path="/etc/passwd"))})
        self.assertEqual(error["pointer"], "/nodes/0/params/path")
        self.refused(400, "unknown_node_type", "POST", "/v1/run",
                     {"manifest": manifest(node("p", "Python", code="def process(x): return x")), "inputs": [1]})

    def test_requests_that_are_wrong(self):
        for path, body, code, says in (
                ("/v1/pipelines/chain:run", "", "parse", ""), ("/v1/pipelines/chain:run", "{", "parse", ""),
                ("/v1/pipelines/chain:run", b'{"inputs": ["\xff"]}', "parse", "UTF-8"),
                ("/v1/pipelines/chain:run", [1], "type", "JSON object"), ("/v1/pipelines/chain:run", {"input": [1]}, "unknown_field", "'input'"),
                ("/v1/pipelines/chain:run", '{"inputs": [1], "inputs": [2]}', "unknown_field", "twice"),
                ("/v1/pipelines/chain:run", {"inputs": 1}, "type", "list"), ("/v1/pipelines/chain:run", {"inputs": {"a": 1}}, "type", "list"),
                ("/v1/pipelines/chain:run", {"inputs": {"z": [1]}}, "unknown_node", "'z'"),
                ("/v1/pipelines/chain:run", {"manifest": {}, "inputs": []}, "unknown_field", "manifest"),
                ("/v1/pipelines/chain:run", '{"inputs":' + "[" * 300 + "]" * 300 + "}", "limit", ""),
                ("/v1/pipelines/same:run", {"inputs": [{"__numpy__": True, "array": {"meta": {"shape": [1], "dtype": "x"}, "data": ""}}]}, "value", ""),
                ("/v1/run", {}, "missing_field", "manifest"), ("/v1/run", {"manifest": 5}, "type", ""),
                ("/v1/run", {"manifest": manifest(node("a", "Multiplyer"))}, "unknown_node_type", "Multiplyer")):
            with self.subTest(body=body):
                self.assertIn(says, self.refused(400, code, "POST", path, body)["message"])

    def test_the_failure_of_a_node(self):
        status, document = self.server.run("upper", ["a", 5, "b"])
        self.assertEqual((status, document["status"], document["outputs"]), (500, "error", {"up": ["A"]}))
        self.assertEqual((document["error"]["node"], document["error"]["item"]), ("up", 1))

    def test_results_that_json_has_no_word_for(self):
        """Also where the pipeline has come to its end before its results are taken."""
        status, document = self.server.run("bytes", [1, 2, 3])
        self.assertEqual((status, document["outputs"]), (500, {"b": [1]}))
        self.assertEqual((document["error"]["code"], document["error"]["node"]), ("unsupported", "b"))
        self.assertIn("bytes", document["error"]["message"])

    def test_requests_that_are_too_large(self):
        error = self.refused(413, "limit", "POST", "/v1/pipelines/same:run", {"inputs": ["x" * (11 << 20)]})
        self.assertIn(str(10 << 20), error["message"])
        self.assertEqual(len(self.outputs("same", ["x" * (3 << 20)])["same"][0]), 3 << 20)

    def test_a_body_in_chunks(self):
        status, _, body = self.server.request("POST", "/v1/pipelines/chain:run", iter([b'{"inputs"', b": [1", b"]}"]))
        self.assertEqual((status, json.loads(body)["outputs"]), (200, {"b": [3]}))
        self.refused(413, "limit", "POST", "/v1/pipelines/same:run", None, server=_Chunks(self.server))

    def test_bodies_are_not_compressed(self):
        self.refused(415, "unsupported", "POST", "/v1/pipelines/chain:run", {"inputs": []}, {"Content-Encoding": "gzip"})

    def test_curl(self):
        done = subprocess.run(["curl", "-sS", "-H", "Expect: 100-continue", "-d", '{"inputs": [1]}',
                               f"http://{self.server.address}/v1/pipelines/chain:run"], capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(done.stdout)["outputs"], {"b": [3]})

    def test_many_at_once(self):
        got = {}

        def run(i):
            got[i] = [self.outputs("chain", [n])["b"] for n in range(50)]

        threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, {i: [[2 * n + 1] for n in range(50)] for i in range(8)})


class _Chunks:
    """Sends 11 MiB in chunks, whatever is asked for."""

    def __init__(self, server):
        self.server = server

    def json(self, method, path, body, headers):
        with self.server.connect() as connected:
            connected.sendall(f"{method} {path} HTTP/1.1\r\nHost: {self.server.address}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            try:
                for _ in range(11):
                    connected.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
            except ConnectionError:
                pass
            data = b""
            while got := connected.recv(65536):
                data += got
        head, _, text = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(text)


class Starts(unittest.TestCase):
    def test_pipelines_that_are_wrong(self):
        for of, says in (("{", "bad.json"), (manifest(node("a", "Multiplyer")), "bad.json.*Multiplyer"), ("[]", "bad.json")):
            with self.assertRaisesRegex(AssertionError, says):
                Server(pipelines={"bad": of})
        with self.assertRaisesRegex(AssertionError, "no-such-folder"):
            Server("--pipelines", "/no-such-folder")

    def test_options_that_do_not_go_together(self):
        for options, says in ((["--http", "here"], "HOST:PORT"), (["--http", "0.0.0.0:0"], "--token-file"),
                              (["--http", "127.0.0.1:99999999"], "99999999"), (["--access-log", "/no/such/folder"], "/no/such/folder")):
            with self.assertRaisesRegex(AssertionError, says):
                Server(*options)

    def test_an_address_in_use(self):
        server = Server()
        self.addCleanup(server.stop)
        with self.assertRaisesRegex(AssertionError, "cannot listen"):
            Server(address=server.address)

    def test_both_protocols(self):
        server = Server("--grpc", "127.0.0.1:0")
        self.addCleanup(server.stop)
        self.assertEqual(server.json("GET", "/readyz")[0], 200)
        self.assertEqual(server.stop(), 0)


class Ends(unittest.TestCase):
    def test_what_is_in_progress_ends_first(self):
        server = Server()
        self.addCleanup(server.stop)
        with Stream(server, "same") as stream:
            stream.send("1\n")
            lines = stream.lines()
            self.assertEqual(next(lines), {"sink": "same", "item": 0, "value": 1})
            server.signal()
            while server.json("GET", "/readyz")[0] == 200:
                pass
            self.assertEqual(server.json("GET", "/healthz")[0], 200)
            self.assertEqual(server.run("same", [1])[0], 503)
            stream.send("2\n" + json.dumps("x" * (3 << 20)))
            stream.end()
            self.assertEqual([line.get("item") for line in lines], [1, 2, None])
        self.assertEqual(server.stop(), 0)

    def test_what_does_not_end_is_cut_off(self):
        server = Server("--drain-timeout", "100ms")
        self.addCleanup(server.stop)
        with Stream(server, "same") as stream:
            stream.send("1\n")
            next(stream.lines())
            server.signal()
            self.assertEqual(server.process.wait(LIMIT), 1)

    def test_idle_connections_hold_nothing_up(self):
        server = Server()
        self.addCleanup(server.stop)
        with server.connect(), server.connect() as begun:
            begun.sendall(b"GET /heal")
            self.assertEqual(server.stop(), 0)


class Limits(unittest.TestCase):
    def test_sessions(self):
        server = Server("--max-sessions", "1")
        self.addCleanup(server.stop)
        with Stream(server, "same") as stream:
            stream.send("1\n")
            next(stream.lines())
            status, document = server.run("same", [1])
            self.assertEqual((status, document["error"]["code"]), (429, "limit"))
            stream.end()
            list(stream.lines())
        server.wait_for_quiet()
        self.assertEqual(server.run("same", [1])[0], 200)
        self.assertEqual(server.stop(), 0)

    def test_time(self):
        server = Server("--session-timeout", "50ms")
        self.addCleanup(server.stop)
        status, document = server.json("POST", "/v1/pipelines/endless:run", {})
        self.assertEqual((status, document["error"]["code"]), (504, "timeout"))
        self.assertEqual(server.stop(), 0)

    def test_messages(self):
        server = Server("--max-message", "1000")
        self.addCleanup(server.stop)
        self.assertEqual(server.run("same", ["x" * 1000])[0], 413)
        self.assertEqual(server.run("same", ["x" * 900])[0], 200)
        self.assertEqual(server.stop(), 0)


class AccessLog(unittest.TestCase):
    def test_lines(self):
        with tempfile.NamedTemporaryFile("r", suffix=".log") as file:
            server = Server("--access-log", file.name)
            self.addCleanup(server.stop)
            server.run("chain", [1])
            server.request("GET", "/caf%C3%A9?a=\"b")
            self.assertEqual(server.stop(), 0)
            lines = [json.loads(line) for line in file]
        self.assertEqual([(line["method"], line["target"], line["status"], line["protocol"]) for line in lines],
                         [("POST", "/v1/pipelines/chain:run", 200, "http"), ("GET", '/caf%C3%A9?a="b', 404, "http")])
        self.assertGreater(lines[0]["bytes_in"], 100)
        self.assertRegex(lines[0]["client"], r"^127\.0\.0\.1:\d+$")

    def test_a_full_disk(self):
        server = Server("--access-log", "/dev/full")
        self.addCleanup(server.stop)
        self.assertEqual(server.run("chain", [1])[0], 200)
        self.assertEqual(server.metrics()["remotemedia_http_access_log_lost_total"], 1)
        self.assertEqual(server.stop(), 0)
