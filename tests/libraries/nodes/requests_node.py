"""A session with retries against a server in another thread."""
import http.server
import threading

import requests

LIBRARY = "requests"
INPUT = ["one", "two"]
OUTPUT = [["/one", 200], ["/two", 200], "ConnectionError"]
WASM = "sockets are not available in WebAssembly"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Node:
    def initialize(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.session = requests.Session()

    def process(self, item):
        answer = self.session.get(self.url + item, timeout=20)
        return [answer.text, answer.status_code]

    def flush(self):
        self.server.shutdown()
        self.server.server_close()
        try:
            requests.get(self.url, timeout=20)
        except requests.ConnectionError as error:
            return type(error).__name__

    def cleanup(self):
        self.session.close()
        self.server.shutdown()
        self.thread.join()
