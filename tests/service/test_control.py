"""PipelineControl: clients that look into a stream and change it."""
import json
import queue
import tempfile
import threading
import unittest

import grpc
from remotemedia.v1 import control_pb2 as pb
from remotemedia.v1 import control_pb2_grpc
from server import CLOSE, LIMIT, Server, ServiceTest, chunk, init, kinds, manifest, node, of_json, results, streaming_pb2_grpc

CHAIN = manifest(node("a", "MultiplyNode", factor=2), node("b", "AddNode", addend=1), connections=["a > b"])
IN, OUT = 1, 2


def address(node_id, direction, port=""):
    return pb.ControlAddress(node_id=node_id, direction=direction, port=port)


def value(buffer):
    return json.loads(buffer.json.json_payload)


class Stream:
    """A stream of the test's, with its requests and responses one at a time."""

    def __init__(self, test, of=CHAIN, metadata=None, channel=None):
        self.requests = queue.Queue()
        stub = streaming_pb2_grpc.StreamingPipelineServiceStub(channel or test.channel)
        self.responses = stub.StreamPipeline(iter(self.requests.get, None), timeout=LIMIT, metadata=metadata)
        self.requests.put(init(of))
        self.id = next(self.responses).ready.session_id
        self.sent = 0
        test.addCleanup(self.requests.put, None)

    def send(self, item):
        self.requests.put(chunk(self.sent, item))
        self.sent += 1

    def result(self):
        response = next(self.responses)
        while response.WhichOneof("response") == "metrics":
            response = next(self.responses)
        (buffer,) = response.result.data_outputs.values()
        return value(buffer)

    def ask(self, item):
        self.send(item)
        return self.result()

    def close(self):
        self.requests.put(CLOSE)
        self.requests.put(None)
        return list(self.responses)


class Attached:
    def __init__(self, test, session_id, metadata=None, channel=None):
        self.frames = queue.Queue()
        stub = control_pb2_grpc.PipelineControlStub(channel or test.channel)
        self.events = stub.Attach(iter(self.frames.get, None), timeout=LIMIT, metadata=metadata)
        self.do(hello=pb.Hello(session_id=session_id, attach_id="me"))
        test.addCleanup(self.frames.put, None)

    def do(self, **op):
        self.frames.put(pb.ControlFrame(**op))

    def next(self, kind):
        event = next(self.events)
        if event.WhichOneof("event") != kind:
            raise AssertionError(f"{kind} was expected: {event}")
        return getattr(event, kind)

    def synchronize(self):
        """All frames so far are done: the next one is known to fail."""
        self.do(set_node_state=pb.SetNodeState(node_id="no such node", state=1))
        error = self.next("error")
        if "no such node" not in error.message:
            raise AssertionError(error)


class Control(ServiceTest):
    def attach(self, stream):
        attached = Attached(self, stream.id)
        event = attached.next("attached")
        self.assertEqual((event.session_id, event.attach_id), (stream.id, "me"))
        return attached

    def test_taps(self):
        stream = Stream(self)
        tap = self.attach(stream)
        for addr in (address("a", IN), address("a", OUT), address("b", OUT)):
            tap.do(subscribe=pb.Subscribe(addr=addr))
        tap.synchronize()
        for item in range(3):
            self.assertEqual(stream.ask(item), 2 * item + 1)
            seen = [(e.addr.node_id, e.addr.direction, value(e.data)) for e in (tap.next("tap") for _ in range(3))]
            self.assertEqual(seen, [("a", IN, item), ("a", OUT, 2 * item), ("b", OUT, 2 * item + 1)])
        tap.do(unsubscribe=pb.Unsubscribe(addr=address("a", IN)))
        tap.do(unsubscribe=pb.Unsubscribe(addr=address("a", OUT)))
        tap.synchronize()
        stream.ask(5)
        self.assertEqual(tap.next("tap").addr.node_id, "b")
        self.assertEqual(kinds(stream.close()), ["closed"])
        self.assertEqual(tap.next("session_closed").reason, 1)
        self.assertEqual(list(tap.events), [])

    def test_publish(self):
        stream = Stream(self)
        control = self.attach(stream)
        self.assertEqual(stream.ask(1), 3)
        for addr, item, result in ((address("a", IN), 10, 21), (address("a", OUT), 10, 11), (address("b", IN), 10, 11), (address("b", OUT), 10, 10)):
            control.do(publish=pb.Publish(addr=addr, data=of_json(item)))
            self.assertEqual(stream.result(), result)
        self.assertEqual(stream.ask(2), 5)
        self.assertEqual(kinds(stream.close()), ["closed"])

    def test_publish_waits_for_room(self):
        """A client that publishes faster than the stream's owner reads loses nothing."""
        stream = Stream(self)
        control = self.attach(stream)
        for i in range(3000):
            control.do(publish=pb.Publish(addr=address("b", IN), data=of_json(i)))
        self.assertEqual([stream.result() for _ in range(3000)], [i + 1 for i in range(3000)])
        self.assertEqual(kinds(stream.close()), ["closed"])

    def test_intercept(self):
        stream = Stream(self)
        control = self.attach(stream)
        control.do(intercept=pb.Intercept(addr=address("a", OUT), deadline_ms=60000))
        control.synchronize()
        for decision, result in ((pb.InterceptDecision(**{"pass": pb.Empty()}), 7), (pb.InterceptDecision(replace=of_json(100)), 101)):
            stream.send(3)
            asked = control.next("intercept_request")
            self.assertEqual((asked.addr.node_id, value(asked.data)), ("a", 6))
            control.do(intercept_reply=pb.InterceptReply(correlation_id=asked.correlation_id, decision=decision))
            self.assertEqual(stream.result(), result)
        stream.send(3)
        asked = control.next("intercept_request")
        control.do(intercept_reply=pb.InterceptReply(correlation_id=asked.correlation_id, decision=pb.InterceptDecision(drop=pb.Empty())))
        control.do(intercept_reply=pb.InterceptReply(correlation_id=asked.correlation_id, decision=pb.InterceptDecision(drop=pb.Empty())))
        self.assertIn("nothing waits", control.next("error").message)
        control.do(remove_intercept=pb.RemoveIntercept(addr=address("a", OUT)))
        control.synchronize()
        self.assertEqual(stream.ask(4), 9)  # of the dropped one there is no result

    def test_an_answer_that_does_not_come(self):
        stream = Stream(self)
        control = self.attach(stream)
        control.do(intercept=pb.Intercept(addr=address("a", IN)))  # 50 ms
        control.synchronize()
        self.assertEqual(stream.ask(1), 3)
        late = control.next("intercept_request").correlation_id
        control.do(intercept_reply=pb.InterceptReply(correlation_id=late, decision=pb.InterceptDecision(drop=pb.Empty())))
        self.assertIn("too late", control.next("error").message)
        control.do(intercept=pb.Intercept(addr=address("a", IN), deadline_ms=60000))
        control.synchronize()
        stream.send(2)
        control.next("intercept_request")
        control.events.cancel()  # the client goes away: the packet passes
        self.assertEqual(stream.result(), 5)
        stream.send(3)
        self.assertEqual(stream.result(), 7)

    def test_cancelling_a_stream_that_is_intercepted(self):
        stream = Stream(self)
        control = self.attach(stream)
        control.do(intercept=pb.Intercept(addr=address("a", IN), deadline_ms=60000))
        control.synchronize()
        stream.send(2)
        control.next("intercept_request")
        stream.responses.cancel()
        self.assertEqual(control.next("session_closed").reason, 2)

    def test_node_states(self):
        stream = Stream(self)
        control = self.attach(stream)
        for state, result in ((2, 6), (1, 11)):  # bypass, enabled
            control.do(set_node_state=pb.SetNodeState(node_id="a", state=state))
            control.synchronize()
            self.assertEqual(stream.ask(5), result)
        control.do(set_node_state=pb.SetNodeState(node_id="a", state=3))
        control.synchronize()
        stream.send(5)
        control.do(clear_node_state=pb.ClearNodeState(node_id="a"))
        control.synchronize()
        got = [stream.ask(6)]
        if got == [11]:  # the chunk came after the node was enabled again
            got = [stream.result()]
        self.assertEqual(got, [13])

    def test_a_tap_that_does_not_read(self):
        """It neither stops the stream nor loses events silently."""
        count, size = 300, 100000
        stream = Stream(self, manifest(node("p", "PassThrough")))
        tap = self.attach(stream)
        tap.do(subscribe=pb.Subscribe(addr=address("p", OUT)))
        tap.synchronize()
        for _ in range(count):
            self.assertEqual(stream.ask(["x" * size]), ["x" * size])
        self.assertEqual(kinds(stream.close())[-1], "closed")
        seen = lost = 0
        for event in tap.events:
            if event.WhichOneof("event") == "tap":
                seen += 1
            elif event.WhichOneof("event") == "error":
                lost += int(event.error.message.split()[0])
        self.assertEqual(seen + lost, count)
        self.assertGreater(lost, 0)

    def test_what_is_wrong(self):
        stream = Stream(self)
        control = self.attach(stream)
        for op, code, says in ((dict(subscribe=pb.Subscribe(addr=address("z", IN))), 2, "'z'"), (dict(subscribe=pb.Subscribe(addr=address("a", IN, "no"))), 3, "'no'"),
                               (dict(subscribe=pb.Subscribe(addr=address("a", 0))), 4, "direction"), (dict(subscribe=pb.Subscribe()), 4, "node_id"),
                               (dict(unsubscribe=pb.Unsubscribe(addr=address("a", IN))), 4, "not subscribed"),
                               (dict(remove_intercept=pb.RemoveIntercept(addr=address("a", IN))), 4, "not intercepted"),
                               (dict(publish=pb.Publish(addr=address("a", IN))), 4, "data"), (dict(set_node_state=pb.SetNodeState(node_id="a")), 4, "state 0"),
                               (dict(intercept=pb.Intercept(addr=address("a", IN), deadline_ms=3600000)), 4, "deadline_ms"),
                               (dict(intercept_reply=pb.InterceptReply(correlation_id=9)), 4, "decision"), (dict(hello=pb.Hello(session_id=stream.id)), 4, "second"),
                               ({}, 4, "empty")):
            control.do(**op)
            error = control.next("error")
            self.assertEqual((error.code, says in error.message), (code, True), error)
        self.assertEqual(stream.ask(1), 3)
        for wrong in ("", "s", "s0", "sffffffffffffffff", "nobody", stream.id + "x"):
            events = list(Attached(self, wrong).events)
            self.assertEqual([e.error.code for e in events], [1], wrong)
        stub = control_pb2_grpc.PipelineControlStub(self.channel)
        (event,) = stub.Attach(iter([pb.ControlFrame(subscribe=pb.Subscribe())]), timeout=LIMIT)
        self.assertIn("hello", event.error.message)
        stream.close()
        self.assertEqual(control.next("session_closed").reason, 1)
        self.assertEqual([e.error.code for e in Attached(self, stream.id).events], [1])

    def test_many_that_come_and_go(self):
        stream = Stream(self)

        def come_and_go():
            for _ in range(20):
                attached = Attached(self, stream.id)
                attached.next("attached")
                attached.do(subscribe=pb.Subscribe(addr=address("a", OUT)))
                attached.events.cancel()

        threads = [threading.Thread(target=come_and_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        for item in range(200):
            self.assertEqual(stream.ask(item), 2 * item + 1)
        for thread in threads:
            thread.join()
        self.assertEqual(kinds(stream.close())[-1], "closed")


class Tokens(unittest.TestCase):
    def test_only_the_same_client_attaches(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("one\ntwo\n")
            file.flush()
            server = Server("--token-file", file.name)
            self.addCleanup(server.stop)
            with grpc.insecure_channel(server.address) as channel:
                one, two = ([("authorization", f"Bearer {token}")] for token in ("one", "two"))
                stream = Stream(self, metadata=one, channel=channel)
                self.assertEqual(Attached(self, stream.id, one, channel).next("attached").session_id, stream.id)
                self.assertEqual(Attached(self, stream.id, two, channel).next("error").code, 1)
                with self.assertRaises(grpc.RpcError) as caught:
                    list(Attached(self, stream.id, None, channel).events)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
                self.assertEqual(kinds(stream.close()), ["closed"])
            self.assertEqual(server.stop(), 0)
