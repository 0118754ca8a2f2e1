"""HTTP: the OpenAPI document, and requests that are made from it; the status page."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import openapi_spec_validator
from http_server import HttpTest, Server


class OpenApi(HttpTest):
    def test_the_document_is_valid(self):
        document = self.server.json("GET", "/openapi.json")[1]
        openapi_spec_validator.validate(document)
        listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        self.assertEqual(listed, {("GET", path) for path in ("/healthz", "/readyz", "/v1/version", "/v1/status", "/v1/pipelines", "/metrics")} |
                         {("POST", path) for path in ("/v1/run", "/v1/pipelines/{name}:run", "/v1/pipelines/{name}:stream")})

    def test_answers_fit_the_document(self):
        """schemathesis makes requests, good and bad, and checks status, type and content of each answer."""
        done = subprocess.run(
            [pathlib.Path(sys.executable).with_name("schemathesis"), "run", f"http://{self.server.address}/openapi.json",
             "--max-examples", os.environ.get("RM_EXAMPLES", "15"), "--seed", "7", "--generation-database", "none", "--no-color",
             "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
             "--phases", "examples,coverage,fuzzing"],
            capture_output=True, text=True, cwd=self.server.folder.name)
        self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr[-2000:])
        self.assertEqual(self.server.run("chain", [1])[0], 200)


class Status(HttpTest):
    def test_counts_of_pipelines_and_nodes(self):
        self.server.run("chain", [1, 2, 3])
        self.server.run("upper", [5])
        status, document = self.server.json("GET", "/v1/status")
        self.assertEqual((status, document["status"]), (200, "ready"))
        pipelines = {pipeline["name"]: pipeline for pipeline in document["pipelines"]}
        chain = pipelines["chain"]
        self.assertEqual([chain[key] for key in ("sessions", "sessions_total", "failures", "items", "results")], [0, 1, 0, 3, 3])
        self.assertEqual(chain["nodes"], [{"id": "a", "node_type": "MultiplyNode", "in": 3, "out": 3},
                                          {"id": "b", "node_type": "AddNode", "in": 3, "out": 3}])
        self.assertEqual(chain["connections"], [{"from": "a", "to": "b"}])
        self.assertEqual(pipelines["upper"]["failures"], 1)

    def test_the_page_needs_nothing_from_outside(self):
        status, headers, body = self.server.request("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        text = body.decode()
        self.assertEqual(set(re.findall(r"https?://[^\"'\s]+", text)), {"http://www.w3.org/2000/svg"})
        self.assertNotRegex(text, r"<(link|img|script)[^>]+(src|href)=")
