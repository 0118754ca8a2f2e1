"""Nodes on other servers: what comes back, what is refused, and what a lost server does."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from server import LIMIT, Server

PROGRAM = os.environ["RM_PROGRAM"]
DOUBLE = [{"id": "twice", "node_type": "MultiplyNode", "params": {"factor": 2}}]
LOUD = [{"id": "loud", "node_type": "UppercaseTransform"}]
SLOW = [{"id": "slow", "node_type": "Python",
         "params": {"code": "import time\ndef process(item):\n    time.sleep(0.002)\n    return item"}}]


def pipeline(nodes, connections=()):
    return {"version": "v1", "metadata": {"name": "t"}, "nodes": nodes, "connections": [{"from": a, "to": b} for a, b in connections]}


def remote(endpoints, nodes=DOUBLE, connections=(), **params):
    of = {"endpoints": endpoints if isinstance(endpoints, list) else [endpoints], "manifest": pipeline(nodes, connections), **params}
    return {"id": "far", "node_type": "RemotePipelineNode", "params": of}


def start(manifest, *options, **more):
    return subprocess.Popen([PROGRAM, "run", "-", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            **more)


def run(nodes, items, connections=(), *options):
    """The document that `run` prints, its exit code, and what it logs."""
    process = start(None, *options)
    out, log = process.communicate(json.dumps({"manifest": pipeline(nodes, connections), "input_data": items}), timeout=LIMIT)
    return json.loads(out), process.returncode, log


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class RemoteTest(unittest.TestCase):
    options = ("--trust-code",)

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options)
        cls.address = cls.server.address

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        if code != 0:
            raise AssertionError(f"serve ended with {code}: {cls.server.log}")

    def outputs(self, nodes, items, connections=(), of="far"):
        said, code, log = run(nodes, items, connections)
        self.assertEqual(code, 0, (said, log))
        return said["outputs"][of]

    def error(self, nodes, items=(1, 2, 3), connections=()):
        said, code, log = run(nodes, list(items), connections)
        self.assertNotEqual(code, 0, said)
        return said["error"]


class Pipelines(RemoteTest):
    def test_items_there_and_back(self):
        items = list(range(200))
        self.assertEqual(self.outputs([remote(self.address)], items), [2 * i for i in items])

    def test_no_items(self):
        said, code, _ = run([remote(self.address)], {"far": []})
        self.assertEqual((code, said["outputs"]["far"]), (0, []))

    def test_values_of_every_kind(self):
        array = {"__numpy__": True, "array": {"meta": {"shape": [2], "dtype": "float32", "size": 2}, "data": "AACAPwAAAEA="}}
        items = [None, True, 1, -1.5, 1 << 80, "große", "a\0b", [1, [2.0]], {"a": {"b": None}}, array, "", [], {}, "x" * 300000]
        nodes = [{"id": "same", "node_type": "PassThrough"}]
        here, there = self.outputs(nodes, items, of="same"), self.outputs([remote(self.address, nodes)], items)
        self.assertEqual(there, here)
        self.assertEqual([type(value) for value in there], [type(value) for value in here])

    def test_several_results_none_and_the_end(self):
        code = "def process(n):\n    for i in range(n):\n        yield [n, i]\ndef flush():\n    return 'end'"
        nodes = [{"id": "some", "node_type": "Python", "params": {"code": code}}]
        items = [0, 3, 0, 0, 1, 0] * 20
        self.assertEqual(self.outputs([remote(self.address, nodes)], items), self.outputs(nodes, items, of="some"))

    def test_several_sources_and_sinks(self):
        nodes = [{"id": "a", "node_type": "MultiplyNode", "params": {"factor": 2}}, {"id": "b", "node_type": "AddNode", "params": {"addend": 1}},
                 {"id": "acknowledged", "node_type": "PassThrough"}]
        self.assertEqual(self.outputs([remote(self.address, nodes, [("b", "acknowledged")])], [1, 10]), [2, 2, 20, 11])

    def test_what_the_end_gives(self):
        nodes = [{"id": "pairs", "node_type": "Batch", "params": {"size": 20}}]
        for count in (0, 1, 45):
            items = list(range(count))
            self.assertEqual(self.outputs([remote(self.address, nodes)], items), self.outputs(nodes, items, of="pairs"))

    def test_before_and_behind_other_nodes(self):
        nodes = [{"id": "in", "node_type": "PassThrough"}, remote(self.address), {"id": "one", "node_type": "AddNode", "params": {"addend": 1}},
                 {"id": "out", "node_type": "PassThrough"}]
        links = [("in", "far"), ("far", "out"), ("in", "one"), ("one", "out")]
        self.assertEqual(self.outputs(nodes, [1, 2, 3], links, "out"), [2, 2, 4, 3, 6, 4])

    def test_all_endpoints_work(self):
        other = Server("--trust-code")
        self.addCleanup(other.stop)
        items = list(range(300))
        for balancing in ("round_robin", "least_loaded"):
            found = self.outputs([remote([self.address, other.address], load_balancing=balancing)], items)
            self.assertEqual(found, [2 * i for i in items])

    def test_a_failing_item(self):
        error = self.error([remote(self.address, LOUD)], ["a", "b", 3, "d"])
        self.assertEqual((error["node"], error["item"], error["code"]), ("far", 2, "type"))
        self.assertIn(self.address, error["message"])
        self.assertIn("node 'loud' there", error["message"])

    def test_items_that_fail_are_left_out(self):
        node = {**remote(self.address, LOUD), "on_error": "collect"}
        said, code, log = run([node], ["a", None, "b", "c", {}, "d"])
        self.assertEqual((code, said["outputs"]["far"]), (0, ["A", "B", "C", "D"]), (said, log))
        self.assertEqual([failure["item"] for failure in said["failed"]], [1, 4])

    def test_a_python_node_there_that_fails(self):
        error = self.error([remote(self.address, [{"id": "py", "node_type": "Python", "params": {"code": "def process(x):\n    return 1 / x"}}])],
                           [1, 0])
        self.assertEqual((error["code"], error["item"], error["node"]), ("python", 1, "far"))
        self.assertEqual(error["traceback"][-1]["line"], 2)

    def test_what_the_server_refuses(self):
        for nodes, code, says in (([{"id": "x", "node_type": "NoSuchNode"}], "unknown_node_type", "NoSuchNode"),
                                  ([{"id": "x", "node_type": "MultiplyNode", "params": {"facto": 1}}], "unknown_parameter", "facto")):
            error = self.error([remote(self.address, nodes)])
            self.assertEqual((error["code"], error["node"], error["item"]), (code, "far", 0))
            self.assertIn(self.address, error["message"])
            self.assertIn(says, error["message"])

    def test_what_the_protocol_cannot_carry(self):
        for node, field in (({"id": "x", "node_type": "PassThrough", "on_error": "skip"}, "on_error"),
                            ({"id": "x", "node_type": "PassThrough", "timeout_ms": 5}, "timeout_ms"),
                            ({"id": "x", "node_type": "PassThrough", "is_streaming": True}, "is_streaming")):
            error = self.error([remote(self.address, [node])])
            self.assertEqual(error["pointer"], f"/nodes/0/params/manifest/nodes/0/{field}")

    def test_parameters_that_are_wrong(self):
        for params, pointer in (({"endpoints": []}, "endpoints"), ({"endpoints": ["localhost"]}, "endpoints/0"), ({"endpoints": "h:1"}, "endpoints"),
                                ({"manifest": "name"}, "manifest"), ({"manifest": {}}, "manifest/nodes"), ({"retry": 3}, "retry"),
                                ({"retry": {"times": 3}}, "retry"), ({"circuit_breaker": {"failures": -1}}, "circuit_breaker"),
                                ({"load_balancing": "random"}, "load_balancing"), ({"max_hops": 0}, "max_hops")):
            node = remote(self.address)
            node["params"].update(params)
            error = self.error([node])
            self.assertEqual(error["pointer"], f"/nodes/0/params/{pointer}", error)

    def test_the_hop_limit(self):
        def nested(depth):
            return remote(self.address, [nested(depth - 1)]) if depth > 1 else remote(self.address)
        self.assertEqual(self.outputs([nested(8)], [1, 2]), [2, 4])
        error = self.error([nested(9)])
        self.assertEqual((error["code"], error["node"]), ("limit", "far"))
        self.assertIn("hop limit", error["message"])

    def test_an_item_that_is_too_large(self):
        items = ["a", "b", "x" * (11 << 20), "c"]
        error = self.error([remote(self.address, [{"id": "p", "node_type": "PassThrough"}])], items)
        self.assertEqual((error["code"], error["item"]), ("limit", 2))
        node = {**remote(self.address, [{"id": "p", "node_type": "PassThrough"}]), "on_error": "skip"}
        self.assertEqual(self.outputs([node], items), ["a", "b", "c"])


class Hosts(RemoteTest):
    def hosted(self, node_type, host=None, **more):
        return {"id": "n", "node_type": node_type, "host": host or self.address, **more}

    def test_a_native_node(self):
        node = self.hosted("MultiplyNode", params={"factor": 3}, execution={"placement": "remote"})
        self.assertEqual(self.outputs([node], [1, 2], of="n"), [3, 6])

    def test_a_python_node(self):
        node = self.hosted("Python", params={"code": "import os\ndef process(x):\n    return [x, os.getppid()]"})
        found = self.outputs([node], [1], of="n")
        self.assertEqual(found, [[1, os.getpid()]])

    def test_what_is_known_here_is_checked_here(self):
        error = self.error([self.hosted("MultiplyNode", host="127.0.0.1:1", params={"facto": 3})])
        self.assertEqual((error["code"], error["pointer"]), ("unknown_parameter", "/nodes/0/params/facto"))
        error = self.error([self.hosted("Merge")])
        self.assertIn("by itself", error["message"])

    def test_an_item_of_a_wrong_kind_fails_after_those_before_it(self):
        said, code, log = run([self.hosted("UppercaseTransform")], ["a", "b", 3, "d"])
        self.assertEqual((said["error"]["item"], said["error"]["node"], said["outputs"]), (2, "n", {"n": ["A", "B"]}), (said, log))
        said, code, log = run([self.hosted("UppercaseTransform", on_error="skip", retry={"attempts": 2})], ["a", "b", 3, "d"])
        self.assertEqual((code, said["outputs"]), (0, {"n": ["A", "B", "D"]}), (said, log))

    def test_capabilities_are_those_of_the_server(self):
        error = self.error([self.hosted("PassThrough", capabilities={"cpu": {"cores": 100000}})])
        self.assertEqual((error["code"], error["node"]), ("missing_capability", "n"))
        self.assertIn(self.address, error["message"])

    def test_a_placement_without_a_host(self):
        error = self.error([{"id": "n", "node_type": "PassThrough", "execution": {"placement": "remote"}}])
        self.assertEqual((error["code"], error["pointer"]), ("missing_field", "/nodes/0/execution/placement"))

    def test_a_server_that_is_not_there(self):
        for host in (f"127.0.0.1:{free_port()}", "no-such-host.invalid:50051"):
            error = self.error([self.hosted("PassThrough", host=host)])
            self.assertEqual((error["code"], error["node"], error["item"]), ("io", "n", 0), error)
            self.assertIn(host, error["message"])

    def test_it_runs_here_where_no_server_is(self):
        host = f"127.0.0.1:{free_port()}"
        for execution, result in (({"placement": "prefer_remote"}, [3, 6]), ({"placement": "local"}, [3, 6])):
            said, code, log = run([self.hosted("MultiplyNode", host=host, params={"factor": 3}, execution=execution)], [1, 2])
            self.assertEqual((code, said["outputs"]["n"]), (0, result), log)
            self.assertEqual("runs here" in log, execution["placement"] == "prefer_remote", log)

    def test_trust(self):
        server = Server()
        self.addCleanup(server.stop)
        node = self.hosted("Python", host=server.address, params={"code": "def process(x):\n    return x"})
        error = self.error([node])
        self.assertEqual((error["node"], error["code"]), ("n", "unknown_node_type"), error)
        self.assertIn(server.address, error["message"])
        error = self.error([remote(server.address, [remote(self.address)])])
        self.assertIn("clients may not", error["message"])
        self.assertIn("--trust-code", error["hint"])

    def test_a_token(self):
        with tempfile.NamedTemporaryFile("w") as tokens:
            tokens.write("secret\n")
            tokens.flush()
            server = Server("--token-file", tokens.name)
            self.addCleanup(server.stop)
            error = self.error([remote(server.address)])
            self.assertIn("token", error["message"])
            self.assertEqual(self.outputs([remote(server.address, token="secret")], [1]), [2])
            said, code, log = run([self.hosted("PassThrough", host=server.address)], [1], (), "--remote-token-file", tokens.name)
            self.assertEqual((code, said["outputs"]), (0, {"n": [1]}), (said, log))


class Secured(unittest.TestCase):
    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, subject in (("server", "IP:127.0.0.1"), ("stranger", "DNS:stranger")):
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-subj", f"/CN={name}",
                                "-addext", f"subjectAltName={subject}"], check=True, capture_output=True)
            server = Server("--trust-code", "--tls-cert", f"{folder}/server.crt", "--tls-key", f"{folder}/server.key")
            self.addCleanup(server.stop)
            said, code, log = run([remote(server.address, ca=f"{folder}/server.crt")], [1])
            self.assertEqual((code, said["outputs"]["far"]), (0, [2]), (said, log))
            host = {"id": "n", "node_type": "PassThrough", "host": server.address}
            said, code, log = run([host], [1], (), "--remote-ca", f"{folder}/server.crt")
            self.assertEqual((code, said["outputs"]), (0, {"n": [1]}), (said, log))
            for wrong in ({}, {"ca": f"{folder}/stranger.crt"}, {"ca": f"{folder}/server.key"}):
                said, code, _ = run([remote(server.address, **wrong)], [1])
                self.assertEqual((said["status"], said["error"]["node"]), ("error", "far"), said)
                self.assertIn(server.address, said["error"]["message"])
            said, code, _ = run([remote(server.address, ca=f"{folder}/none.crt")], [1])
            self.assertEqual(said["error"]["code"], "not_found", said)


class Losses(unittest.TestCase):
    rounds = int(os.environ.get("RM_ROUNDS", "5"))

    def server(self, *options):
        made = Server("--trust-code", *options)
        self.addCleanup(made.stop)
        return made

    def lose_one(self, retry):
        """Two servers, of which one is killed when a part of the results has come: the results, and the last document."""
        servers = [self.server(), self.server()]
        count = 120
        node = remote([server.address for server in servers], SLOW,
                      **({"retry": {"max": 3, "backoff_ms": 10}} if retry else {}))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "m.json")
            path.write_text(json.dumps(pipeline([node])))
            process = subprocess.Popen([PROGRAM, "run", path, "--input", "-", "--input-format", "jsonl", "--format", "jsonl"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            feeder = threading.Thread(target=self.feed, args=(process.stdin, count))
            feeder.start()
            lines = []
            for line in process.stdout:
                lines.append(json.loads(line))
                if len(lines) == 30:
                    servers[0].signal(signal.SIGKILL)
            feeder.join()
            log = process.stderr.read()
            process.stdout.close()
            process.stderr.close()
            process.wait(LIMIT)
        return servers[0].address, count, lines, process.returncode, log

    @staticmethod
    def feed(to, count):
        try:
            for i in range(count):
                to.write(f"{i}\n")
            to.close()
        except OSError:
            pass

    def test_with_retry_everything_comes_once_and_in_order(self):
        for _ in range(self.rounds):
            _, count, lines, code, log = self.lose_one(retry=True)
            self.assertEqual((code, lines), (0, list(range(count))), log)

    def test_without_it_the_error_names_endpoint_and_item(self):
        for _ in range(self.rounds):
            address, count, lines, code, log = self.lose_one(retry=False)
            self.assertNotEqual(code, 0)
            self.assertEqual(lines, list(range(len(lines))))
            error = json.loads(log.strip().splitlines()[-1])["error"] if log.strip().splitlines()[-1].startswith("{") else None
            self.assertIsNotNone(error, log)
            # The last result may have come, but not that its item was done.
            self.assertIn(error["item"], (len(lines) - 1, len(lines)))
            self.assertEqual((error["node"], error["code"]), ("far", "io"), error)
            self.assertIn(address, error["message"])

    def test_a_fallback(self):
        host = f"127.0.0.1:{free_port()}"
        spare = {"id": "spare", "node_type": "AddNode", "params": {"addend": 100}}
        for node in ({**remote(host), "execution": {"fallback": "spare"}},
                     {"id": "far", "node_type": "MultiplyNode", "host": host, "execution": {"placement": "remote", "fallback": "spare"}}):
            said, code, log = run([node, spare], [1, 2])
            self.assertEqual((code, said["outputs"]), (0, {"far": [101, 102]}), (said, log))
            self.assertIn("runs here", log)
        said, code, log = run([node, spare, {"id": "in", "node_type": "PassThrough"}], [1, 2], [("in", "far"), ("in", "spare")])
        self.assertEqual((code, said["outputs"]), (0, {"far": [101, 102], "spare": [101, 102]}), (said, log))

    def test_it_goes_on_here_when_the_server_is_lost(self):
        server = self.server()
        code = "import os\ndef process(x):\n    if x == 'die' and os.environ.get('RM_VICTIM'):\n        os.kill(os.getpid(), 9)\n    return x"
        os.environ["RM_VICTIM"] = "1"
        self.addCleanup(os.environ.pop, "RM_VICTIM", None)
        victim = self.server()
        del os.environ["RM_VICTIM"]
        items = [0, 1, 2, "die", *range(4, 40)]
        for host in (server, victim):
            node = {"id": "n", "node_type": "Python", "host": host.address, "params": {"code": code}, "execution": {"placement": "prefer_remote"}}
            said, status, log = run([node], items)
            self.assertEqual((status, said["outputs"]), (0, {"n": items}), (said, log))
            self.assertEqual("runs here" in log, host is victim, log)

    def test_a_server_that_never_answers(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            said, code, _ = run([remote(address, timeout_ms=300)], [1, 2])
            self.assertEqual((said["error"]["code"], said["error"]["item"]), ("timeout", 0))
            self.assertIn(address, said["error"]["message"])
            good = self.server()
            said, code, log = run([remote([address, good.address], timeout_ms=300, retry={"max": 2})], [1, 2])
            self.assertEqual((code, said["outputs"]["far"]), (0, [2, 4]), (said, log))

    def test_a_stopped_server(self):
        server = self.server()
        server.signal(signal.SIGSTOP)
        try:
            said, _, _ = run([remote(server.address, timeout_ms=300)], [1])
            self.assertEqual(said["error"]["code"], "timeout")
            node = {**remote(server.address), "timeout_ms": 300}
            said, _, _ = run([node], [1])
            self.assertEqual((said["error"]["code"], said["error"]["item"]), ("timeout", 0))
            process = start(None, "--timeout", "0.5")
            out, _ = process.communicate(json.dumps({"manifest": pipeline([remote(server.address)]), "input_data": [1]}), timeout=LIMIT)
            self.assertEqual(json.loads(out)["error"]["code"], "timeout")
        finally:
            server.signal(signal.SIGCONT)

    def test_a_circuit_breaker(self):
        host = f"127.0.0.1:{free_port()}"
        node = {**remote(host, circuit_breaker={"failures": 2, "reset_ms": 60000}, retry={"max": 1, "backoff_ms": 1}), "on_error": "collect",
                "max_in_flight": 1}
        said, code, log = run([node], list(range(10)))
        self.assertEqual(code, 0, (said, log))
        messages = [failure["message"] for failure in said["failed"]]
        self.assertEqual(len(messages), 10)
        self.assertNotIn("circuit breaker", messages[0])
        self.assertIn("circuit breaker", messages[-1])

    def test_a_server_that_is_full(self):
        server = self.server("--max-sessions", "1")
        nodes = [{"id": "in", "node_type": "PassThrough"}, remote(server.address), {**remote(server.address), "id": "second"}]
        said, code, _ = run(nodes, [1], [("in", "far"), ("in", "second")])
        self.assertEqual(said["error"]["code"], "limit")


if __name__ == "__main__":
    unittest.main()
