"""The rows of HTTP: requests a second beside FastAPI in uvicorn, the start until ready, resident memory, an idle stream."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PIPELINES = ROOT / "examples/service/pipelines"
PATH, BODY = "/v1/pipelines/chain:run", '{"inputs": [20, 2.5]}'
SECONDS, CONNECTIONS, STARTS, IDLE = 3, 16, 10, 500
SCRIPT = f"wrk.method = 'POST'\nwrk.body = '{BODY}'\nwrk.headers['Content-Type'] = 'application/json'\n"


@contextlib.contextmanager
def serving(program, *options):
    """(process, port) of the server."""
    with subprocess.Popen([program, "serve", "--http", "127.0.0.1:0", *options], stdout=subprocess.PIPE) as server:
        try:
            yield server, int(json.loads(server.stdout.readline())["http"].rpartition(":")[2])
        finally:
            server.terminate()
            server.stdout.close()


@contextlib.contextmanager
def peer():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, HERE / "fastapi_peer.py", str(port)]) as server:
        try:
            end = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                if time.monotonic() > end or server.poll() is not None:
                    raise RuntimeError("uvicorn does not start")
                time.sleep(0.05)
            yield server, port
        finally:
            server.terminate()


def check(port):
    """Both have to give the same answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", PATH, BODY, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    if answer["outputs"] != {"b": [41, 6]}:
        raise RuntimeError(f"another answer: {answer}")


def processor_us(pid):
    """Processor time of all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def load(server, port, script):
    """(requests a second, the 99th percentile in ms, processor time of a request in us) of wrk with one thread."""
    before = processor_us(server.pid)
    done = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", script, f"http://127.0.0.1:{port}{PATH}"],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(done)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done).groups()
    spent = (processor_us(server.pid) - before) / int(re.search(r"(\d+) requests in", done)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]), float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit], spent


def resident(pid):
    """KiB"""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def start_ms(program):
    """From the start of the process to an answer of /readyz."""
    begun = time.perf_counter()
    with serving(program, "--pipelines", PIPELINES) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/readyz")
        connection.getresponse().read()
        took = time.perf_counter() - begun
        connection.close()
    return took * 1e3


def idle_kib(program):
    """What a stream costs that has given one result and rests."""
    head = f"POST /v1/pipelines/chain:stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n".encode()
    with serving(program, "--pipelines", PIPELINES) as (server, port), contextlib.ExitStack() as stack:
        streams = []
        for i in range(IDLE + 50):
            if i == 50:
                before = resident(server.pid)
            connected = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            connected.sendall(head)
            data = b""
            while b'"value":3' not in data:
                data += connected.recv(4096)
            streams.append(connected)
        return (resident(server.pid) - before) / IDLE


def rows(program, rounds):
    """[(what, ours, the peer's or None, unit, aim)]"""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is not installed: deps/install-system bench")
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file, serving(program, "--pipelines", PIPELINES) as (server, port), peer() as (rival, other):
        file.write(SCRIPT)
        file.flush()
        for each in (port, other):
            check(each)
        memory = resident(server.pid)
        for _ in range(rounds):
            ours.append(load(server, port, file.name))
            theirs.append(load(rival, other, file.name))
        busy = resident(server.pid)
    median = statistics.median
    ratio = median(a[0] / b[0] for a, b in zip(ours, theirs))
    dearer = median(b[2] / a[2] for a, b in zip(ours, theirs))
    (rate, late, spent), (their_rate, their_late, their_spent) = (map(median, zip(*samples)) for samples in (ours, theirs))
    return [
        ("HTTP JSON run, keep-alive, 16 connections", rate, their_rate, "requests/s", f"8 times uvicorn: {ratio:.1f}"),
        ("its 99th percentile", late, their_late, "ms", ""),
        ("its processor time, all threads", spent, their_spent, "us", f"{dearer:.1f} times less"),
        ("start of `serve` to an answer of /readyz", median(start_ms(program) for _ in range(STARTS)), None, "ms", "15"),
        ("resident when ready", memory / 1024, None, "MiB", "14"),
        ("resident after the load", busy / 1024, None, "MiB", ""),
        ("memory of a stream at rest", idle_kib(program), None, "KiB", "40"),
    ]
