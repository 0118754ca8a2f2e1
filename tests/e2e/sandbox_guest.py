"""Modules as nodes ("node_type": "wasm:FILE") that break the interface, trap, never return, or are no modules: each is an
error that names the node, and never more than that."""
import os
import re
import struct

import hostile
from hostile import (DEEP, ERROR, EXCHANGE, HONEST, INPUT, INPUT_SIZE, OUTPUT, SPIN, TRAP, emit, exchange, finish, integer,
                     listed, log, mapped, module, process, resume, says, string, suspend)
from sandboxes import BREAKS, LONG, SandboxTest
from support import ROOT, manifest, node

PROCESS = "rm_node_process"
SMALL = exchange(input_size=8)  # rm_node_reserve must be called
# Functions that are called before the pipeline is open, and the others.
LOADING = ["_initialize", "rm_node_interface", "rm_node_exchange", "rm_node_describe"]
RUNNING = ["rm_node_reserve", "rm_node_open", "rm_node_process", "rm_node_flush", "rm_node_close"]
STACK = "the sandbox has used up its stack of 1024 KiB"
TRAPPED = "the code in the sandbox trapped: it gave up (unreachable)"


class GuestTest(SandboxTest):
    def setUp(self):
        super().setUp()
        self.env["REMOTEMEDIA_CACHE_DIR"] = str(self.folder / "cache")

    def module(self, wasm, items=(1, 2, 3), args=(), limit=LONG, **more):
        if wasm is not None:
            self.write("n.wasm", wasm)
        document = {"manifest": manifest([node("n", "wasm:n.wasm", **more)])}
        if items is not None:
            document["input_data"] = list(items)
        self.write("m.json", document)
        return self.run_program("run", "m.json", *args, limit=limit, env=self.env)

    def refused(self, wasm, code, message, exit=1, item=None, pointer=None, outputs=None, **more):
        """The run fails with exactly this error of node n."""
        expected = {"code": code, "message": message, "node": "n"}
        if pointer is not None:
            expected["pointer"] = pointer
        if item is not None:
            expected["item"] = item
        with self.subTest(message):
            self.assert_error(self.module(wasm, **more), exit, expected, outputs)

    def refused_early(self, wasm, code, message, **more):
        """The manifest is not accepted."""
        self.refused(wasm, code, message, exit=3, pointer="/nodes/0/node_type", **more)

    def refused_first(self, wasm, message, code="value", **more):
        """The first item fails, and nothing was emitted."""
        self.refused(wasm, code, message, item=0, outputs={"n": []}, **more)

    def broken(self, wasm, message, **more):
        self.refused_first(wasm, BREAKS + message, **more)

    def accepted(self, wasm, values=(), **more):
        run = self.module(wasm, **more)
        self.assertEqual((run.exit, run.stdout and run.document["outputs"]), (0, {"n": list(values)}), run.stderr)
        return run


class Exports(GuestTest):
    def test_an_honest_one(self):
        self.accepted(module())
        self.accepted(process(emit(integer(7)) + emit(integer(8), seq=2)), [7, 8])

    def test_missing(self):
        for name in HONEST:
            self.refused_early(module(without=[name]), "not_found", f"the module exports no '{name}'")

    def test_another_signature(self):
        for name, signature, body in [(PROCESS, "(param i32) (result i32)", "(i32.const 0)"), ("_initialize", "(param i32)", ""),
                                      ("rm_node_flush", "", ""), ("rm_node_open", "(param i32) (result i64)", "(i64.const 0)"),
                                      ("rm_node_interface", "(result i32 i32)", "(i32.const 1) (i32.const 1)"),
                                      ("rm_node_abandon", "(param i32) (result i32)", "(i32.const 0)")]:
            self.refused_early(module({name: (signature, body)}), "type",
                               f"the module's export '{name}' is not the function it should be")
        wasm = module(without=[PROCESS], more=f'(global (export "{PROCESS}") i32 (i32.const 0))')
        self.refused_early(wasm, "type", f"the module's export '{PROCESS}' is not the function it should be")

    def test_another_version(self):
        for version in (0, 2, -1):
            self.refused_early(module({"rm_node_interface": f"(i32.const {version})"}), "unsupported_version",
                               f"the module has node interface {version}; this program knows 1")

    def test_no_memory(self):
        for memory in ("", "(memory 2)", '(memory 2) (func (export "memory"))'):
            functions = {name: (signature, "(i32.const 1)") for name, (signature, _) in HONEST.items()} if not memory else {}
            if not memory:
                names = " ".join(f'(func (export "{name}") {signature} (i32.const 1))' for name, (signature, _) in HONEST.items())
                wasm = bytes(hostile.wasmtime.wat2wasm(f"(module {names})"))
            else:
                wasm = module(functions, memory=memory)
            self.refused(wasm, "value", BREAKS + "its exchange area lies outside its memory")


class Areas(GuestTest):
    def test_a_wild_exchange_area(self):
        for address in (-1, 0x20000, 0x20000 - 39, 0x7FFFFFFF, -(1 << 31)):
            self.refused(module({"rm_node_exchange": f"(i32.const {address})"}), "value",
                         BREAKS + "its exchange area lies outside its memory")

    def test_a_wild_input_area(self):
        areas = [{"input": 0xFFFFFFF0}, {"input": INPUT + 1}, {"input": INPUT + 8}, {"input_size": 0}, {"input_size": (1 << 32) - 1},
                 {"input": 0x20000, "input_size": 16}, {"input": 0x20000 - 16, "input_size": INPUT_SIZE}]
        for area in areas:
            self.refused(module(area=exchange(**area)), "value",
                         BREAKS + "its input area is not there, too small or not aligned")

    def test_reserving(self):
        self.refused(module({"rm_node_reserve": "(i32.const 0)"}, area=SMALL), "value",
                     BREAKS + "its input area is not there, too small or not aligned")
        for answer in (-1, 1, -(1 << 31)):
            run = self.module(module({"rm_node_reserve": f"(i32.const {answer})"}, area=SMALL))
            error = run.document["error"]
            self.assertEqual((run.exit, error["code"], error["node"]), (1, "out_of_memory", "n"))
            self.assertRegex(error["message"], r"^its sandbox has no memory for \d+ bytes of input$")
        run = self.module(module({"rm_node_reserve": "(i32.const 1)"}, area=SMALL), args=["--max-memory", "1M"])
        self.assertEqual(run.document["error"]["hint"], "its limit is 1048576 bytes of memory")

    def test_an_input_area_that_moves_away_in_process(self):
        move = f"(i32.store (i32.const {EXCHANGE}) (i32.const -16))"
        self.refused(module({PROCESS: f"{move} (call $quiet) (call $done (i32.const 1)) (i32.const 3)"}), "value", BREAKS, outputs=None) \
            if False else self.accepted(module({PROCESS: f"(call $quiet) (call $done (i32.const 1)) {move} (i32.const 3)"}))

    def test_a_wild_output_area(self):
        for address, length in ((-16, 16), (0, -1), (OUTPUT, 0x20000), (-1, -1), (0x20000, 1), (0x20001, 0), (0x7FFFFFFF, 0x7FFFFFFF)):
            body = f"(call $take) (call $output (i32.const {address}) (i32.const {length})) (i32.const 0)"
            self.broken(module({PROCESS: body}), "its output area lies outside its memory")
        self.accepted(module({PROCESS: "(call $take) (call $output (i32.const 0x20000) (i32.const 0)) (i32.const 0)"}))

    def test_a_wild_error(self):
        for address, length in ((-4, 8), (0, -1), (0x20000, 1), (-1, -1)):
            body = f"(call $quiet) (call $done (i32.const 0)) (call $error (i32.const {address}) (i32.const {length})) (i32.const -9)"
            self.broken(module({PROCESS: body}), "its error lies outside its memory")

    def test_the_exchange_area_disappears(self):
        """Memory never shrinks, so it can only be another one: the address is asked once."""
        self.accepted(module({"rm_node_exchange": "(global.set $g (i32.add (global.get $g) (i32.const 1))) "
                              f"(if (result i32) (i32.eq (global.get $g) (i32.const 1)) (then (i32.const {EXCHANGE})) (else (i32.const -1)))"},
                             more="(global $g (mut i32) (i32.const 0))"))


class Answers(GuestTest):
    def test_done(self):
        self.broken(module({PROCESS: "(call $quiet) (call $done (i32.const 9)) (i32.const 0)"}),
                    "rm_node_process has finished 9 of 3 packets")
        self.broken(module({PROCESS: "(call $quiet) (call $done (i32.const -1)) (i32.const -9)"}),
                    "rm_node_process has finished 4294967295 of 3 packets")
        for done in (0, 2):
            self.broken(module({PROCESS: f"(call $quiet) (call $done (i32.const {done})) (i32.const 0)"}),
                        f"rm_node_process answers 0 after {done} of 3 packets")
        self.broken(module({PROCESS: "(call $quiet) (call $take) (i32.const -9)"}), "rm_node_process fails after its last packet")
        for code in (1, 2, 3):
            self.broken(module({PROCESS: f"(call $quiet) (call $done (i32.const 0)) (i32.const {code})",
                                "rm_node_more": "(i32.const 0)", "rm_node_poll": "(i32.const 0)"}), f"rm_node_process answers {code}")

    def test_codes_that_are_none(self):
        for code in (1, 2, 4, 5, 99, 2147483647):
            self.broken(module({PROCESS: f"(call $quiet) (call $take) (i32.const {code})"}), f"rm_node_process answers {code}")
        one = "(call $quiet) (call $done (i32.const 1)) (i32.const {})".format
        for code in (4, 7):
            self.broken(module({PROCESS: one(1), "rm_node_more": f"(call $quiet) (i32.const {code})"}), f"rm_node_more answers {code}")
            self.refused_first(module({"rm_node_generate": f"(call $quiet) (i32.const {code})"}),
                               BREAKS + f"rm_node_generate answers {code}", items=None)
            self.broken(module({PROCESS: f"(call $quiet) (call $done (i32.const 1)) {says(suspend(1))} (i32.const 2)",
                                "rm_node_poll": f"(call $quiet) (i32.const {code})"}, events=suspend(1)), f"rm_node_poll answers {code}")
        self.refused_first(module({"rm_node_generate": "(call $quiet) (i32.const 2)"}), BREAKS + "rm_node_generate answers 2", items=None)
        for name in ("open", "flush", "close"):
            for code in (2, 3, 4):
                more = {"outputs": {"n": []}} if name != "open" else {}
                self.refused(module({f"rm_node_{name}": f"(call $quiet) (i32.const {code})"}), "value",
                             BREAKS + f"rm_node_{name} answers {code}", **more)
        for code in (1, 5):
            self.refused_early(module({"rm_node_describe": f"(call $quiet) (i32.const {code})"}), "value",
                               BREAKS + f"rm_node_describe answers {code}")

    def test_failures(self):
        fail = "(call $quiet) (call $done (i32.const 0)) (i32.const {})".format
        silent = "the code in the sandbox failed ({}) without saying why".format
        for code, name in ((-9, "value"), (-24, "python"), (-99, "value"), (-(1 << 31), "value")):
            self.refused_first(module({PROCESS: fail(code)}), silent(name), code=name)
        for code in (-27, -28):  # timed out, cancelled: not theirs to say
            self.refused_first(module({PROCESS: fail(code)}), silent("value"))
        self.refused(module({"rm_node_open": "(i32.const -9)"}), "value", silent("value"))
        self.refused(module({"rm_node_close": "(call $quiet) (i32.const -9)"}), "value", silent("value"))

    def error(self, document, code=-9):
        body = (f"(call $quiet) (call $done (i32.const 0)) (call $error (i32.const {ERROR}) (i32.const {len(document)}))"
                f" (i32.const {code})")
        return module({PROCESS: body}, error=document)

    def test_error_documents(self):
        run = self.module(self.error(mapped(message=string("é" * 4000), hint=string("x" + "é" * 4000), code=string("cancelled"),
                                            pointer=string("/é" * 3000), detail=string("a\0b"))))
        error = run.document["error"]
        self.assertEqual((run.exit, error["code"], error["node"], error["item"]), (1, "value", "n", 0))
        for key in ("message", "hint", "pointer"):
            self.assertTrue(error[key].endswith("..."), error[key])
            self.assertNotIn("\ufffd", error[key])
        for frames in (integer(1), listed(integer(1)), listed(mapped(file=struct.pack("<BI", 7, 1) + b"x")),
                       listed(mapped(file=struct.pack("<Bd", 4, float("nan")))), mapped(a=integer(1))):
            self.refused_first(self.error(mapped(message=string("m"), traceback=frames)), "m")
            self.assertNotIn("traceback", self.module(None).document["error"])
        good = listed(mapped(file=string("f.py"), line=integer(3), function=string("g"), text=string("h")))
        self.refused_first(self.error(mapped(message=string("m"), traceback=good)), "m")
        self.assertEqual(self.module(None).document["error"]["traceback"], [{"file": "f.py", "line": 3, "function": "g", "text": "h"}])
        self.refused_first(self.error(integer(5)), "the code in the sandbox failed (value) without saying why")
        document = mapped(message=string("m"), code=string("type"))
        self.refused_first(self.error(document), "m", code="type")
        for length in range(1, len(document)):
            run = self.module(self.error(document[:length]))
            self.assertEqual((run.exit, run.document["error"]["node"]), (1, "n"))
            self.assertTrue(run.document["error"]["message"].startswith(BREAKS + "in its error, "), run.stdout)

    def test_descriptions(self):
        def described(content):
            return module({"rm_node_describe": f"{says(content)} (i32.const 0)"}, events=content)

        self.refused_early(described(b"\0"), "value", BREAKS + "rm_node_describe gives no map")
        run = self.module(described(b"\x09\xff\xff\xff\xff"))
        self.assertEqual(run.exit, 3)
        self.assertTrue(run.document["error"]["message"].startswith(BREAKS + "in its description, "), run.stdout)
        for key in ("inputs", "outputs"):
            for names in (integer(4), listed(integer(3)), listed(*[string(str(i)) for i in range(65)]), mapped()):
                self.refused_early(described(mapped(**{key: names})), "value", BREAKS + f"'{key}' is no list of up to 64 names")
        self.refused_first(described(mapped(generates=b"\2")), BREAKS + "it has no rm_node_generate", items=None)
        for key in ("generates", "pending", "streaming", "live", "slow", "max_in_flight", "process", "flush", "variadic", "unknown"):
            for value in (b"\0", b"\2", integer(-1), integer(1 << 40), string("x")):
                if (key, value) != ("variadic", b"\2"):
                    self.accepted(described(mapped(**{key: value})))
        self.refused(described(mapped(variadic=b"\2")), "value", "Manifest error: wasm:n.wasm has no incoming connections;"
                     " its input 'in' needs at least one (node 'n')", exit=3, pointer="/nodes/0")
        for names in (listed(), listed(string("")), listed(string("a\0b")), listed(string("a"), string("a")), listed(string("x" * 9000))):
            self.assertIn(self.module(described(mapped(inputs=names, outputs=names))).exit, (0, 3))

    def test_streams(self):
        def stream(more=(), **answers):
            return module({PROCESS: f"(call $quiet) (call $take) (i32.const {answers.get('process', 0)})",
                           "rm_node_end": f"(call $quiet) (i32.const {answers.get('end', 0)})", **dict(more)})

        self.accepted(stream())
        for code in (4, 9):
            self.refused(stream(process=code), "value", BREAKS + f"rm_node_process answers {code}", item=0)
            run = self.module(stream(end=code))
            self.assertEqual((run.exit, run.document["error"]["message"]), (1, BREAKS + f"rm_node_end answers {code}"))
        self.refused(stream(process=2), "value", BREAKS + "rm_node_process answers 2", item=0)
        self.refused(stream({PROCESS: TRAP}), "value", TRAPPED, item=0)


class Waiting(GuestTest):
    """A node that waits for its stream in the middle of a call."""

    YIELD = '(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))'
    WAIT = "(call $set (i32.const 28) (i32.const 1)) (drop (call $yield))"
    GOT = f"(i32.load (i32.const {EXCHANGE + 28}))"
    KINDS = 40960

    def waiting(self, body, answer=0, events=b"", waits=True, **functions):
        kinds = mapped(streaming=b"\2", waits=b"\2" if waits else b"\1")
        describe = f"(call $quiet) (call $output (i32.const {self.KINDS}) (i32.const {len(kinds)})) (i32.const 0)"
        data = f'(data (i32.const {self.KINDS}) "{"".join(f"{chr(92)}{byte:02x}" for byte in kinds)}")'
        process = f"(call $quiet) (call $take) {body} (call $quiet) {says(events) if events else ''} (i32.const {answer})"
        return module({"rm_node_describe": describe, PROCESS: process, **functions}, events=events, more=data, imports=self.YIELD)

    def test_until_the_end(self):
        body = f"(block $end (loop $again {self.WAIT} (br_if $end (i32.eqz {self.GOT})) (br $again)))"
        self.accepted(self.waiting(body, 3, emit(integer(7))), [7])
        self.accepted(self.waiting(body, 0, emit(integer(7)), rm_node_end="(unreachable)"), [7])

    def test_what_it_finds(self):
        """The length, and that many bytes."""
        check = f"(if (i32.ne {self.GOT} (i32.const 50)) (then (unreachable))) (if (i32.ne (call $count) (i32.const 1)) (then (unreachable)))"
        self.accepted(self.waiting(f"{self.WAIT} {check}"), items=[1, 2])

    def test_nothing_asked(self):
        """sched_yield is nothing else where the field does not say so, or the node never said that it waits."""
        self.accepted(self.waiting("(drop (call $yield))"))
        self.accepted(self.waiting(self.WAIT, waits=False))
        self.accepted(module({PROCESS: f"(call $quiet) (call $take) {self.WAIT} (i32.const 0)"}, imports=self.YIELD))

    def test_after_the_end(self):
        again = BREAKS + "it waits for packets after its stream was closed"
        self.refused(self.waiting(f"(loop $again {self.WAIT} (br $again))"), "value", again)

    def test_a_large_item(self):
        large, larger = "x" * 20000, f"(if (i32.gt_u {self.GOT} (i32.const 16384)) (then {{}}))"
        self.refused(self.waiting(f"{self.WAIT} {larger.format(self.WAIT)}"), "value",
                     BREAKS + "its input area is not there, too small or not aligned", items=[1, large], item=1)
        self.refused(self.waiting(self.WAIT), "value", BREAKS + "it waits for packets, but does not take any", items=[1, large], item=1)
        self.refused(self.waiting(self.WAIT, 3), "value", BREAKS + "rm_node_process answers 3", items=[1, large], item=1)
        self.refused(self.waiting(f"{self.WAIT} {larger.format(TRAP)}"), "value", TRAPPED, items=[1, large], item=1)

    def test_its_failures(self):
        self.refused(self.waiting(f"{self.WAIT} (unreachable)"), "value", TRAPPED, items=[1, 2], item=1)
        self.refused(self.waiting(self.WAIT, -9), "value", "the code in the sandbox failed (value) without saying why", items=[1, 2], item=1)
        self.refused(self.waiting(self.WAIT, 2), "value", BREAKS + "rm_node_process answers 2", items=[1, 2], item=1)
        self.refused(self.waiting(f"{self.WAIT} (call $forever)"), "limit", "its sandbox has used its limit of 300 ms", items=[1, 2],
                     item=1, limits={"timeout_ms": 300})

    def test_its_area_changes_meanwhile(self):
        self.refused(self.waiting(f"(call $set (i32.const 0) (i32.const 1)) {self.WAIT}"), "value",
                     BREAKS + "its input area is not there, too small or not aligned", items=[1, 2], item=1)
        self.refused(self.waiting(f"(call $set (i32.const 8) (i32.const -1)) (call $set (i32.const 12) (i32.const 9)) {self.WAIT}"),
                     "value", BREAKS + "its output area lies outside its memory", items=[1, 2], item=0)

    def test_the_run_ends_while_it_waits(self):
        self.write("n.wasm", self.waiting(f"(loop $again {self.WAIT} (br_if $again (i32.ne {self.GOT} (i32.const -1))))", 0,
                                          emit(integer(7))))
        nodes = [node("n", "wasm:n.wasm"), node("bad", "UppercaseTransform")]
        self.write("m.json", {"manifest": manifest(nodes), "input_data": [1, 2, 3]})
        run = self.run_program("run", "m.json", env=self.env)
        self.assert_error(run, 1, {"code": "type", "message": "UppercaseTransform 'bad' takes string, got int", "node": "bad", "item": 0},
                          {"n": [], "bad": []})


class Records(GuestTest):
    def test_kinds(self):
        for kind in (0, 7, 255, 0xFFFFFFFF):
            self.broken(process(struct.pack("<II", kind, 0)), f"there is no event of kind {kind}")
        self.accepted(process(struct.pack("<II", 6, 0)))

    def test_emitted_for_others(self):
        for seq in (3, 99, 1 << 62, (1 << 63) - 1):
            self.broken(process(emit(integer(1), seq=seq)), f"it emitted for item {seq}, which is not its turn")
        for seq in (-2, -(1 << 63)):
            self.accepted(process(emit(integer(1), seq=seq)), [1])
        self.refused(process(emit(integer(1), seq=1) + emit(integer(2), seq=0)), "value",
                     BREAKS + "it emitted for item 0, which is not its turn", item=1, outputs={"n": [1]})

    def test_emitted_where_there_is_no_port(self):
        for port in (1, 0xFFFFFFFF):
            self.refused_first(process(emit(integer(1), port=port)), f"node 'n' emitted on output {port}, but has 1", code="usage")

    def test_emitted_at_the_wrong_time(self):
        for name in ("open", "close"):
            more = {"outputs": {"n": []}} if name == "close" else {}
            self.refused(module({f"rm_node_{name}": f"(call $quiet) {says(emit())} (i32.const 0)"}, events=emit()), "value",
                         BREAKS + "it emits while it is opened or closed", **more)

    def test_truncated(self):
        """Every event, cut at every byte: the node answers with as many bytes as its item says."""
        tensor = struct.pack("<BBBBBiQII", 10, 12, 1, 0, 0, 0, 0, 4, 0) + struct.pack("<qQ", 1, 4)
        at = 8 + 32  # what stands before the value
        tensor += bytes(-(at + len(tensor)) % 16) + struct.pack("<f", 1.5)
        for event in (emit(integer(7)), emit(string("ab")), emit(mapped(a=integer(1), b=listed(integer(2)))), emit(tensor),
                       emit(struct.pack("<BI", 5, 2) + b"\1\2"), log(1, "hello"), finish(9, -9, mapped(message=string("m")))):
            body = (f"(call $quiet) (call $done (i32.const 1)) (call $output (i32.const {OUTPUT}) (i32.wrap_i64 (call $value)))"
                    " (i32.const 1)")
            wasm = module({PROCESS: body, "rm_node_more": "(call $quiet) (i32.const 0)", "rm_node_poll": "(i32.const 0)"}, events=event)
            run = self.module(wasm, range(1, len(event)), on_error="collect")
            self.assertEqual((run.exit, run.document["outputs"]), (0, {"n": []}), run.stderr)
            failed = run.document["failed"]
            self.assertEqual([error["item"] for error in failed], list(range(len(event) - 1)))
            for error in failed:
                self.assertEqual((error["code"], error["node"]), ("value", "n"))
                self.assertTrue(error["message"].startswith(BREAKS), error)

    def test_every_byte_changed(self):
        """Nothing but the event is wrong, and only that item fails, if any."""
        event = emit(mapped(a=integer(1), b=listed(string("x"), b"\1")), metadata=mapped(k=integer(1)))
        flip = f"(i32.store8 (i32.add (i32.const {OUTPUT}) {{}}) (i32.xor (i32.load8_u (i32.add (i32.const {OUTPUT}) {{}})) (i32.const 255)))"
        change = flip.format("(local.get $at)", "(local.get $at)")
        body = (f"(local $at i32) (local.set $at (i32.wrap_i64 (call $value))) (call $quiet) (call $done (i32.const 1)) {change}"
                f" {says(event)} (i32.const 1)")
        undo = flip.format("(global.get $last)", "(global.get $last)")
        body = body.replace("(call $quiet)", "(global.set $last (local.get $at)) (call $quiet)")
        wasm = module({PROCESS: body, "rm_node_more": f"(call $quiet) {undo} (i32.const 0)"}, events=event,
                      more="(global $last (mut i32) (i32.const 0))")
        run = self.module(wasm, range(len(event)), on_error="skip")
        self.assertEqual(run.exit, 0, run.stderr[-2000:])

    def test_pending(self):
        one = f"(call $quiet) (call $done (i32.const 1)) {says(suspend(1))} (i32.const 2)"
        self.broken(process(suspend(1)), "it suspends where nothing can be pending")
        self.broken(module({PROCESS: "(call $quiet) (call $done (i32.const 1)) (i32.const 2)", "rm_node_poll": "(i32.const 0)"}),
                    "rm_node_process answers 2, but no packet is pending")
        self.broken(module({PROCESS: one, "rm_node_poll": "(call $quiet) (i32.const 0)"}, events=suspend(1)),
                    "rm_node_poll answers 0, but packets are pending")
        for token in (0, 2, (1 << 64) - 1):
            for event in (finish(token), resume(token)):
                poll = f"(call $output (i32.const {OUTPUT + 16}) (i32.const {len(event)})) (i32.const 0)"
                self.broken(module({PROCESS: one, "rm_node_poll": poll}, events=suspend(1) + event), f"no packet is pending as {token}")
        twice = f"(call $output (i32.const {OUTPUT + 16}) (i32.const {2 * len(finish(1))})) (i32.const 0)"
        self.broken(module({PROCESS: one, "rm_node_poll": twice}, events=suspend(1) + finish(1) * 2), "no packet is pending as 1")
        poll = f"(call $output (i32.const {OUTPUT + 16}) (i32.const {len(finish(1))})) (i32.const 0)"
        self.accepted(module({PROCESS: one, "rm_node_poll": poll}, events=suspend(1) + finish(1)))
        self.accepted(module({PROCESS: one, "rm_node_poll": TRAP}, events=suspend(1)), on_error="skip")

    def test_pending_for_ever(self):
        one = f"(call $quiet) (call $done (i32.const 1)) {says(suspend(1))} (i32.const 2)"
        wait = "(call $quiet) (f64.store (i32.const 96) (f64.const {})) (i32.const {})"
        for ms, answer in ((0, 2), (0, 1), ("inf", 2), ("nan", 2), (-5, 2), ("1e300", 2)):
            with self.subTest(f"{ms} ms, {answer}"):
                run = self.module(module({PROCESS: one, "rm_node_poll": wait.format(ms, answer)}, events=suspend(1)),
                                  args=["--timeout", "300ms"])
                self.assertEqual((run.exit, run.document["error"]["code"], run.document["error"]["message"]),
                                 (5, "timeout", "the run did not end within its timeout of 300 ms"))

    def test_the_log(self):
        run = self.accepted(process(log(0, "a") + log(9, "b") + log(0xFFFFFFFF, "c") + struct.pack("<II", 5, 1) + integer(4)),
                            args=["--log-level", "info"])
        self.assertIn("error: n: a\ninfo: n: b\ninfo: n: c\nwarning: n: \n", run.stderr)


class Stopping(GuestTest):
    def in_function(self, name, body):
        return module({name: body}, area=SMALL if name == "rm_node_reserve" else None)

    def everywhere(self, body, code, message, **more):
        for name in LOADING:
            self.refused_early(self.in_function(name, body), code, message, **more)
        for name in RUNNING:
            place = {"item": 0} if name == PROCESS else {}
            place.update({"outputs": {"n": []}} if name in (PROCESS, "rm_node_flush", "rm_node_close") else {})
            self.refused(self.in_function(name, body), code, message, **place, **more)

    def test_never_returns(self):
        self.everywhere(SPIN, "limit", "its sandbox has used its limit of 200 ms", limits={"timeout_ms": 200})
        self.refused_early(module(more="(start $forever)"), "limit", "its sandbox has used its limit of 200 ms",
                           limits={"timeout_ms": 200})

    def test_fuel(self):
        message = "its sandbox has used up its fuel of 100000"
        self.everywhere(SPIN, "limit", message, limits={"fuel": 100000})
        self.refused_early(module(more="(start $forever)"), "limit", message, limits={"fuel": 100000})
        self.refused_first(module({PROCESS: SPIN}), message, code="limit", args=["--fuel", "100000"])
        self.refused_first(module({PROCESS: SPIN}), message, code="limit", args=["--fuel", "1M"], limits={"fuel": 100000})

    def test_traps(self):
        self.everywhere(TRAP, "value", TRAPPED)
        self.refused_early(module(more="(func $s unreachable) (start $s)"), "value", TRAPPED)
        trapped = "the code in the sandbox trapped: {}".format
        for body, why in (("(drop (i32.load (i32.const -1)))", "it reached outside its memory"),
                          ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "an integer division by zero"),
                          ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "an integer overflow"),
                          ("(drop (i32.trunc_f64_s (f64.const nan)))", "a float that no integer can hold"),
                          ("(call_indirect (type $t) (i32.const 0))", "it called a function that is not there"),
                          ("(call_indirect (type $t) (i32.const 1))", "it called a function by another signature"),
                          ("(call_indirect (type $t) (i32.const 9))", "it reached outside its table")):
            self.refused_first(module({PROCESS: f"{body} (i32.const 0)"},
                                      more="(type $t (func)) (table 2 funcref) (elem (i32.const 1) $set)"), trapped(why))

    def test_recursion(self):
        self.everywhere(DEEP, "limit", STACK)
        self.refused_early(module(more="(start $deep)"), "limit", STACK)

    def test_exits(self):
        exits = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
        message = "the code in the sandbox ended itself with exit code {}".format
        for code in (0, 3, 130):
            self.refused_first(module({PROCESS: f"(call $exit (i32.const {code})) (i32.const 0)"}, imports=exits), message(code))
        self.refused(module({"rm_node_open": "(call $exit (i32.const 0)) (i32.const 0)"}, imports=exits), "value", message(0))
        self.refused_early(module(imports=exits, more="(func $s (call $exit (i32.const 0))) (start $s)"), "value", message(0))

    def test_more_for_ever(self):
        for wasm, items in ((module({PROCESS: "(call $quiet) (call $done (i32.const 1)) (i32.const 1)",
                                     "rm_node_more": "(call $quiet) (i32.const 1)"}), [1]),
                            (module({"rm_node_flush": "(call $quiet) (i32.const 1)"}), [1]),
                            (module({"rm_node_generate": "(call $quiet) (i32.const 0)"}), None)):
            run = self.module(wasm, items, args=["--timeout", "300ms"])
            self.assertEqual((run.exit, run.document["error"]["code"]), (5, "timeout"))
            run = self.module(wasm, items, args=["--fuel", "100000"])
            error = run.document["error"]
            self.assertEqual((run.exit, error["code"], error["message"], error["node"]),
                             (1, "limit", "its sandbox has used up its fuel of 100000", "n"))

    def test_generated_output(self):
        event = emit(string("x" * 1000))
        size = len(event)
        wasm = module({"rm_node_generate": f"{says(event)} (i32.const 0)"}, events=event)
        run = self.module(wasm, None, args=["--max-output", str(100 * size)])
        self.assertEqual((run.exit, run.document["error"]["message"], run.document["error"]["node"], run.document["error"]["item"]),
                         (1, f"its sandbox emitted more than its limit of {100 * size} bytes", "n", 100))
        self.assertEqual(len(run.document["outputs"]["n"]), 100)

    def test_the_run_is_not_longer_than_its_timeout(self):
        run = self.module(module({PROCESS: SPIN}), args=["--timeout", "300ms"])
        self.assert_error(run, 5, {"code": "timeout", "message": "the run did not end within its timeout of 300 ms", "node": "n",
                                   "item": 0}, {"n": []})

    def test_an_item_is_not_longer_than_its_timeout(self):
        self.refused_first(module({PROCESS: SPIN}), "node 'n' took longer than its timeout_ms of 100", code="timeout", exit=5,
                           timeout_ms=100)
        run = self.accepted(module({PROCESS: SPIN}), timeout_ms=100, on_error="skip")
        self.assertEqual(run.stderr.count("skipped an item: node 'n' took longer than its timeout_ms of 100"), 3)
        self.assertEqual(run.stderr.count("starts again in a new sandbox"), 2)

    def test_after_a_trap_it_starts_again(self):
        """With nothing of what was: each instance counts from one."""
        event = emit(integer(1))
        count = "(global.set $g (i64.add (global.get $g) (i64.const 1)))"
        body = (f"{count} (if (i64.eq (call $value) (i64.const 13)) (then unreachable)) (call $quiet)"
                f" (i64.store (i32.const {OUTPUT + 41}) (global.get $g)) (call $done (i32.const 1)) {says(event)} (i32.const 1)")
        wasm = module({PROCESS: body, "rm_node_more": "(call $quiet) (i32.const 0)"}, events=event,
                      more="(global $g (mut i64) (i64.const 0))")
        self.accepted(wasm, [1, 2, 1, 2, 1], items=[1, 2, 13, 3, 4, 13, 5], on_error="skip")

    def test_what_is_spent_stays_spent(self):
        run = self.accepted(module({PROCESS: SPIN}), limits={"timeout_ms": 100}, on_error="skip")
        self.assertEqual(run.stderr.count("skipped an item: its sandbox has used its limit of 100 ms"), 3)
        self.assertNotIn("starts again", run.stderr)


class Memory(GuestTest):
    def test_growing_to_death(self):
        grow = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const {})) (i32.const -1))))".format
        size = "(i64.store (i32.const {}) (i64.extend_i32_u (memory.size)))".format(OUTPUT + 41)
        for args, pages in ((["--max-memory", "64M"], 1024), ([], 65536)):
            wasm = module({PROCESS: f"{grow(1 if args else 64)} {size} (call $quiet) (call $take) {says(emit(integer(0)))} (i32.const 0)"},
                          events=emit(integer(0)))
            (got,) = self.module(wasm, [1], args).document["outputs"]["n"]
            self.assertLessEqual(got, pages)
            self.assertGreater(got, pages - 64)
        (got,) = self.module(None, [1], limits={"memory_bytes": 1 << 20}).document["outputs"]["n"]
        self.assertLessEqual(got, 16)
        (got,) = self.module(None, [1], ["--max-memory", "1M"], limits={"memory_bytes": 1 << 30}).document["outputs"]["n"]
        self.assertLessEqual(got, 16)

    def test_starting_with_too_much(self):
        wasm = module(memory='(memory (export "memory") 65536)')
        message = "the limit of {} bytes of memory is less than the sandbox starts with".format
        self.refused_early(wasm, "limit", message(64 << 20), args=["--max-memory", "64M"])
        self.refused_early(wasm, "limit", message(1 << 20), limits={"memory_bytes": 1 << 20})
        self.accepted(wasm)

    def test_tables(self):
        for more, message in (("(table 1000000000 funcref)", "table minimum size of 1000000000 elements exceeds table limits"),
                              ("(table 65537 funcref)", "table minimum size of 65537 elements exceeds table limits"),
                              ("(table 1 funcref)" * 9, "resource limit exceeded: table count too high at 9")):
            self.refused_early(module(more=more), "limit", "a sandbox cannot be made: " + message)
        grown = "(if (i32.ne (table.grow 0 (ref.null func) (i32.const 100000000)) (i32.const -1)) (then unreachable))"
        self.accepted(module({PROCESS: f"{grown} (call $quiet) (call $take) (i32.const 0)"}, more="(table 1 funcref)"))


class Wasi(GuestTest):
    CALLS = re.findall(r'X\((\w+), "([iI]*):(i?)"', (ROOT / "src/sandbox/wasi/wasi_state.h").read_text())

    def with_wild_arguments(self):
        imports, body = "", ""
        types = {"i": "i32", "I": "i64"}
        for name, arguments, result in self.CALLS:
            signature = f'(param {" ".join(types[each] for each in arguments)})' if arguments else ""
            imports += f'(import "wasi_snapshot_preview1" "{name}" (func ${name} {signature} {"(result i32)" if result else ""}))\n'
            if name == "proc_exit":
                continue
            for value in (-1, 0x1FFFE, 0x20000, 0x7FFFFFFF, -(1 << 31), 0):
                for first in (0, 1, 2, 3, 4, value):
                    words = " ".join(f"({types[each]}.const {first if i == 0 else value})" for i, each in enumerate(arguments))
                    body += f"(drop (call ${name} {words}))" if result else f"(call ${name} {words})"
        return imports, body

    def test_wild_pointers(self):
        self.assertGreater(len(self.CALLS), 40)
        imports, body = self.with_wild_arguments()
        folder = self.folder / "granted"
        folder.mkdir()
        restore = "".join(f"(i32.store (i32.const {EXCHANGE + at}) (i32.const {value}))" for at, value in
                          zip(range(0, 32, 4), struct.unpack("<8I", exchange()[:32])))
        wasm = module({PROCESS: f"{body} {restore} (call $done (i32.const 1)) (i32.const 3)"}, imports=imports)
        for args in ([], ["--allow-read", "granted=/g"], ["--allow-write", "granted=/g"]):
            self.accepted(wasm, args=args)
        self.assertEqual(os.listdir(folder), [])

    def test_wild_pointers_without_memory(self):
        imports, body = self.with_wild_arguments()
        self.refused(module({"rm_node_interface": f"{body} (i32.const 1)"}, imports=imports, memory="(memory 2)"), "value",
                     BREAKS + "its exchange area lies outside its memory")

    def test_imports_that_are_not_there(self):
        lacks = "the module needs what a sandbox does not give: unknown import: `{}` has not been defined".format
        for imports, name in (('(import "env" "system" (func (param i32) (result i32)))', "env::system"),
                              ('(import "wasi_snapshot_preview1" "thread_spawn" (func))', "wasi_snapshot_preview1::thread_spawn"),
                              ('(import "env" "g" (global i32))', "env::g"),
                              ('(import "wasi:cli/environment@0.2.0" "get-environment" (func (param i32)))',
                               "wasi:cli/environment@0.2.0::get-environment")):
            self.refused_early(module(imports=imports), "missing_feature", lacks(name))
        wasm = module(memory='(import "env" "memory" (memory 2)) (export "memory" (memory 0))')
        self.refused_early(wasm, "missing_feature", lacks("env::memory"))
        self.refused_early(module(imports='(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))'), "missing_feature",
                           "the module needs what a sandbox does not give: types incompatible: expected type"
                           " `(func (param i64))`, found type `(func (param i32))`")


class Files(GuestTest):
    def test_no_modules(self):
        for content in (b"", b"hello, this is no module", b"\0as", b"\x7fELF" + bytes(100)):
            self.refused_early(content, "parse", "./n.wasm is not a WebAssembly module")
        usable = "./n.wasm: not a usable WebAssembly module: {}".format
        component = bytes(hostile.wasmtime.wat2wasm("(component)"))
        self.refused_early(component, "parse", usable("expected a WebAssembly module but was given a WebAssembly component"))
        for content in (b"\0asm", b"\0asm\2\0\0\0", b"\0asm\1\0\0\0" + bytes(range(255, 0, -1))):
            run = self.module(content)
            self.assertEqual((run.exit, run.document["error"]["code"], run.document["error"]["node"]), (3, "parse", "n"))
            self.assertTrue(run.document["error"]["message"].startswith(usable("")), run.stdout)
        self.refused_early(b"\0asm\1\0\0\0", "not_found", "the module exports no 'rm_node_interface'")

    def test_truncated(self):
        whole = module()
        for length in range(8, len(whole), 7):
            run = self.module(whole[:length])
            self.assertEqual((run.exit, run.document["error"]["node"]), (3, "n"))
            self.assertIn(run.document["error"]["code"], ("parse", "not_found"))

    def test_features_that_are_off(self):
        for wasm in (module(more="(memory 1)"), module(memory='(memory (export "memory") 2 2 shared)'), module(memory="(memory i64 2)")):
            run = self.module(wasm)
            self.assertEqual((run.exit, run.document["error"]["code"], run.document["error"]["node"]), (3, "parse", "n"))

    def test_no_files(self):
        path = self.folder / "n.wasm"
        self.refused_early(None, "not_found", "cannot read ./n.wasm: No such file or directory")
        path.mkdir()
        self.refused_early(None, "parse", "./n.wasm is not a WebAssembly module")
        path.rmdir()
        os.mkfifo(path)
        self.refused_early(None, "parse", "./n.wasm is not a WebAssembly module")
        path.unlink()
        path.symlink_to("n.wasm")
        self.refused_early(None, "io", "cannot read ./n.wasm: Too many levels of symbolic links")
        path.unlink()
        path.symlink_to("/dev/zero")
        self.refused_early(None, "parse", "./n.wasm is not a WebAssembly module")
        path.unlink()
        with open(path, "wb") as file:
            file.truncate((512 << 20) + 1)
        self.refused_early(None, "limit", "./n.wasm is larger than 512 MiB")
        with open(path, "wb") as file:
            file.truncate(512 << 20)
        self.refused_early(None, "parse", "./n.wasm is not a WebAssembly module")

    def test_names(self):
        for name in ("wasm:", "wasm:" + "a/" * 4096):
            self.write("m.json", {"manifest": manifest([node("n", name)]), "input_data": [1]})
            error = self.run_program("run", "m.json", env=self.env).document["error"]
            self.assertEqual((error["code"], error["node"]), ("value", "n"))
