"""The rows of the table of bench/sandbox/run; bench/wasm/rows.py makes figures of them."""

from rows import Row, geometric, key, less
from sandbox_samples import GRACE_MS, MANY, POOL

MIB = 2**20
STARTS = {"native": key("start native"), "python": key("start python")}


def times(one, other):
    return lambda of: of(one) / of(other)


def rate(name):
    """GB/s of 1 MiB in so many nanoseconds; each byte is counted once, though it goes in and comes back."""
    return lambda of: MIB / of(name)


def beyond(way, where):
    """Microseconds of an item beyond the node's own work in the same interpreter."""
    return lambda of: (of(f"{way} {where}") - of(f"loop {where}")) / 1000


def scaled(function, factor):
    return lambda of: function(of) * factor


def rows(kernels):
    yield "First result of a Python pipeline, whole process, compiled code cached"
    yield Row("run --sandbox", "ms", key("start sandbox"), 50, "start", cli=key("start cli plain"), **STARTS)
    yield Row("run --sandbox, the snapshot without numpy", "ms", key("start small"), cli=key("start cli small"), **STARTS)
    yield Row("run --sandbox, the plain file without numpy", "ms", key("start plain"), cli=key("start cli plain"), **STARTS)
    yield Row("run, the node in a sandbox", "ms", key("start node"), **STARTS)
    yield Row("run --sandbox against run", "times", times("start sandbox", "start native"))
    yield Row("run --sandbox against python3.13 -c pass", "times", times("start sandbox", "start python"))
    yield Row("run --sandbox against wasmtime's CLI, plain file", "times", times("start sandbox", "start cli plain"))
    yield Row("run --sandbox against wasmtime's CLI, same snapshot", "times", times("start small", "start cli small"))
    peers = {"native": key("start native mib"), "python": key("start python mib"), "cli": key("start cli plain mib")}
    yield Row("run --sandbox, resident at most", "MiB", key("start sandbox mib"), **peers)
    yield Row("run --sandbox, nothing cached", "s", key("start uncached"))
    yield "A further instance in the same process, to its first Python result"
    for pool, how in ((POOL, "from a pool"), (0, "without a pool")):
        python = {"python": key("start python")}
        yield Row(f"rm_sandbox_run_command, {how}", "ms", key(f"command {pool} first"), 5, "instance", **python)
        yield Row(f"rm_pipeline_open with a sandboxed node, {how}", "ms", key(f"node {pool} first"), 5, "instance", **python)
        yield Row(f"rm_pipeline_free of it, {how}", "ms", key(f"node {pool} closed"))
    yield "Stop of an endless Python loop, after its deadline"
    yield Row("rm_sandbox_run_command", "ms", key("stop 0 late"), 50, "stop")
    yield Row(f"the same with a grace of {GRACE_MS} ms", "ms", key(f"stop {GRACE_MS} late"), 50, "stop")
    yield Row("a node with limits.timeout_ms", "ms", key("stop node late"), 50, "stop")
    yield Row("run --sandbox --timeout: its start and end too, the node stopped from inside", "ms", key("stop program"))
    yield "An int through PassThrough, a Python node, PassThrough"
    for way, what in (("stream", "streaming"), ("lone", "one in flight")):
        native = {"native": beyond(way, "native")}
        yield Row(f"{what}, beyond the call itself", "us", beyond(way, "sandboxed"), 3, "crossing", **native)
        native = {"native": key(f"{way} native", 1e-3)}
        yield Row(f"{what}, in all", "us", key(f"{way} sandboxed", 1e-3), **native)
    yield Row("the call itself, in the sandbox's interpreter", "us", key("loop sandboxed", 1e-3), native=key("loop native", 1e-3))
    yield "A float32 tensor of 1 MiB on the same way"
    aim = round(MIB / 2 / 1e3)  # microseconds at 2 GB/s
    for way, what in (("lone", "one in flight"), ("stream", "streaming")):
        native = {"native": key(f"tensor {way} native", 1e-3)}
        yield Row(f"{what}: 2 GB/s", "us", key(f"tensor {way} sandboxed", 1e-3), aim, "tensor", **native)
        yield Row(f"{what}, as a rate", "GB/s", rate(f"tensor {way} sandboxed"))
        yield Row(f"{what}, returned as numpy's array", "us", key(f"tensor {way} array", 1e-3))
        yield Row(f"{what}, in copies of 1 MiB", "copies", times(f"tensor {way} sandboxed", f"tensor {way} copy"))
    yield Row("a copy of 1 MiB, by memcpy", "us", key("tensor lone copy", 1e-3))
    yield "Python kernels, CPU time, geometric mean"
    cost = geometric(kernels, "wasmtime-epochs", "wasmtime-none")
    yield Row("epoch interruption, in wasmtime's Python package", "times", cost, 1.1, "epochs")
    cost = geometric(kernels, "wasmtime-fuel", "wasmtime-epochs")
    yield Row("fuel beside it, in wasmtime's Python package", "times", cost)
    yield Row("fuel, a sandboxed node", "times", geometric(kernels, "fuel", "sandboxed"))
    yield Row("a sandboxed node against native", "times", geometric(kernels, "sandboxed"))
    yield Row("a sandboxed node with fuel against native", "times", geometric(kernels, "fuel"))
    yield f"Memory of {MANY} sandboxed Python nodes that have each run an item"
    for pool, how in ((MANY, "from a pool"), (0, "without a pool")):
        further = scaled(less(f"memory {pool} all_pss", f"memory {pool} one_pss"), 1 / 1024 / (MANY - 1))
        yield Row(f"all, shared pages counted once, {how}", "MiB", key(f"memory {pool} all_pss", 1 / 1024))
        yield Row(f"with the first one, {how}", "MiB", key(f"memory {pool} one_pss", 1 / 1024))
        yield Row(f"a further one, {how}", "MiB", further)
        yield Row(f"left when all are closed, {how}", "MiB", key(f"memory {pool} after_pss", 1 / 1024))


REASONS = {
    "start": "not measured singly",
    "instance": "without a pool each memory is mapped and unmapped singly, and its pages are touched for the first time",
    "stop": "the thread that watches gets its turn late on a busy machine",
    "crossing": "not measured singly",
    "tensor": "nearly all of it is four copies: into the guest's input area, to a tensor there, to its output area, to a tensor here; "
    "while streaming, results wait in memory that is in no cache and partly new to the process",
    "epochs": "compiled code asks at the start of each function and at each turn of a loop, such as the interpreter's; not measured singly",
}
