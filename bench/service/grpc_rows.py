"""The rows of bench/service/grpc: (name, unit, function that returns {row: value})."""
import contextlib
import json
import pathlib
import queue
import statistics
import struct
import subprocess
import sys
import time

import grpc
from server import Server, chunk, common, execution, execution_pb2_grpc, init, manifest, node, of_json, streaming_pb2_grpc

CALLS, CHUNKS, IDLE = 300, 500, 200
THREE = manifest(node("a", "MultiplyNode", factor=2), node("b", "AddNode", addend=1), node("c", "MultiplyNode", factor=3),
                 connections=["a > b > c"])
PASS = manifest(node("p", "PassThrough"))
AUDIO = common.DataBuffer(audio=common.AudioBuffer(samples=struct.pack("<320f", *[0.25] * 320), sample_rate=16000, channels=1, format=1,
                                                   num_samples=320))


@contextlib.contextmanager
def ours(*options):
    server = Server(*options)
    try:
        yield server.address, server.process.pid
    finally:
        server.stop()


@contextlib.contextmanager
def peer():
    process = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("grpc_peer.py")], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def memory_of(pid):
    """KiB."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def unary_times(address):
    request = execution.ExecuteRequest(manifest=THREE, data_inputs={"input": of_json(20)}, client_version="1")
    times = []
    with grpc.insecure_channel(address) as channel:
        execute = execution_pb2_grpc.PipelineExecutionServiceStub(channel).ExecutePipeline
        for i in range(CALLS + CALLS // 5):
            began = time.perf_counter()
            response = execute(request)
            times.append((time.perf_counter() - began) * 1e6)
        if json.loads(response.result.data_outputs["output"].json.json_payload) != 123:
            raise AssertionError(response)
    return times[CALLS // 5:]


def unary():
    found = {}
    for name, server in (("serve", ours), ("grpcio aio", peer)):
        with server() as (address, _):
            found[name] = statistics.median(unary_times(address))
    return found


def chunk_times(address):
    requests = queue.SimpleQueue()
    times = []
    with grpc.insecure_channel(address) as channel:
        responses = streaming_pb2_grpc.StreamingPipelineServiceStub(channel).StreamPipeline(iter(requests.get, None))
        requests.put(init(PASS))
        next(responses)
        for i in range(CHUNKS):
            sent = chunk(i, AUDIO)
            began = time.perf_counter()
            requests.put(sent)
            while next(responses).WhichOneof("response") != "result":
                pass
            times.append((time.perf_counter() - began) * 1e6)
        requests.put(None)
    return sorted(times[CHUNKS // 5:])


def round_trip():
    found = {}
    for name, server in (("serve", ours), ("grpcio aio", peer)):
        with server() as (address, _):
            times = chunk_times(address)
            found[f"{name}, p50"] = times[len(times) // 2]
            found[f"{name}, p99"] = times[len(times) * 99 // 100]
    return found


def start():
    found = {}
    for name, server in (("serve", ours), ("grpcio aio", peer)):
        began = time.perf_counter()
        with server():
            found[name] = (time.perf_counter() - began) * 1e3
    return found


def resident():
    found = {}
    for name, server in (("serve", ours), ("grpcio aio", peer)):
        with server() as (_, pid):
            found[name] = memory_of(pid) / 1024
    return found


def idle_sessions():
    """Of one channel, so that connections are not counted."""
    with ours() as (address, pid), grpc.insecure_channel(address) as channel:
        stub = streaming_pb2_grpc.StreamingPipelineServiceStub(channel)

        def opened(count):
            held = []
            for _ in range(count):
                requests = queue.SimpleQueue()
                responses = stub.StreamPipeline(iter(requests.get, None))
                requests.put(init(PASS))
                next(responses)
                held.append((requests, responses))
            return held

        warm = opened(20)
        before = memory_of(pid)
        held = opened(IDLE)
        grown = memory_of(pid) - before
        for requests, _ in warm + held:
            requests.put(None)
        return {"serve": grown / IDLE}


ROWS = [("unary ExecutePipeline, 3 native nodes, p50", "us", unary), ("chunk round trip, 20 ms of audio", "us", round_trip),
        ("start to ready", "ms", start), ("resident after the start", "MiB", resident), ("an idle stream more", "KiB", idle_sessions)]
