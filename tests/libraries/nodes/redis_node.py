"""The client's protocol against a server on loopback that answers PING and GET."""
import socketserver
import threading

import redis

LIBRARY = "redis"
INPUT = ["a", "b"]
OUTPUT = [["value of a"], ["value of b"]]
WASM = "has no attribute 'VerifyMode'"


class Server(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                self.rfile.readline()
                words.append(self.rfile.readline().strip().decode())
            text = f"value of {words[1]}" if words[0] == "GET" else None
            self.wfile.write(f"${len(text)}\r\n{text}\r\n".encode() if text else b"+OK\r\n")


class Node:
    def initialize(self):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        port = self.server.server_address[1]
        self.client = redis.Redis(port=port, protocol=2, decode_responses=True, socket_timeout=20)

    def process(self, item):
        return [self.client.get(item)]

    def cleanup(self):
        self.client.close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
