"""Takes the samples of bench/numpy/run, in the manner of bench/wasm/samples.py and with its tools."""

import os
import pathlib

import samples
from samples import ROOT, Talk, dependency, manifest, node, output

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = {
    "sum": "sum 1e6 float64",
    "add": "add 1e6",
    "where": "where 1e6",
    "sin": "sin 1e6",
    "exp": "exp 1e6",
    "fft": "fft 2^16",
    "small": "4,000 ufuncs on 8 elements",
    "matmul": "matmul 256",
    "sort": "sort 1e6",
    "argsort": "argsort 1e6",
    "sort_int32": "sort 1e6 int32",
    "multiply": "multiply 1e6, into an array",
    "sqrt": "sqrt 1e6",
    "max": "max 1e6",
    "cumsum": "cumsum 1e6",
    "rfft": "rfft 2^16",
    "solve": "solve 256",
    "svd": "svd 128",
    "normal": "standard_normal 1e6",
}
JSON_MIB = 64
START = "import numpy\n\ndef process(item):\n    return int(numpy.arange(item).sum())\n"


class Bench(samples.Bench):
    peers = ("pyodide", "pyodide_numpy", "wasmtime", "playwright")
    kernel_code = HERE / "kernels.py"

    def __init__(self, name, build, wasm, say, pyodide_numpy):
        super().__init__(name, build, wasm, say)
        self.full = wasm / "pipeline_executor_numpy.wasm"
        self.snapshot = wasm / "pipeline_executor_numpy_snapshot.wasm"
        self.python, self.home, self.programs = build / "bin/python3.13", build, build / "bench"
        self.numpy, self.pyodide_numpy = dependency("test", "numpy-wheel"), pyodide_numpy
        self.needed = [self.program, self.spawn, self.programs / "bench_array_hop", self.full, self.snapshot, self.python]

    def prepare(self):
        self.write("start.py", START)
        self.write("start.json", {"manifest": manifest(node("p", "Python", code=START)), "input_data": [5]})
        self.write("items.txt", "[5]\n")

    def native_env(self):
        """One thread. What is set to help older BLAS libraries on some machines slows this one."""
        slow = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
        kept = {name: value for name, value in os.environ.items() if name not in slow}
        return kept | {"PYTHONPATH": str(self.numpy), "OPENBLAS_NUM_THREADS": "1"}

    def pyodide_command(self, code):
        return [*super().pyodide_command(code), self.pyodide_numpy]

    # ---- Parts

    def hops(self):
        command = [self.programs / "bench_array_hop", self.home, HERE, self.numpy]
        for name, value in (line.split() for line in output(command).splitlines()):
            self.add(name, float(value))

    def json(self):
        """Milliseconds for JSON_MIB of an array in its JSON form; the program answers GB/s."""
        native, wasm = self.programs / "bench_arrays", self.full.parent / "bench/bench_arrays.wasm"
        for host, file, command in (("native", native, [native]), ("node", wasm, self.node_command(wasm))):
            if not file.is_file():
                self.say(f"{self.name}: there is no file {file}; its rows are left out")
                continue
            for way, rate in (line.split() for line in output(command).splitlines()):
                self.add(f"json {way} {host}", JSON_MIB * 2**20 / 1e6 / float(rate))

    def size_groups(self):
        return {"full": [self.full], "snapshot": [self.snapshot]}

    def starts(self):
        job = self.data / "start.json"
        commands = {
            "node": (["node", "-e", "0"], None),
            "snapshot": (self.node_command(self.snapshot), job),
            "full": (self.node_command(self.full), job),
            "native": (["env", f"PYTHONPATH={self.numpy}", self.python, "-c", "import numpy"], None),
        }
        if self.pyodide and self.pyodide_numpy:
            commands["pyodide"] = (self.pyodide_command(self.data / "start.py"), self.data / "items.txt")
        self.start(commands)

    def kernels(self):
        for _ in self.in_hosts(KERNELS):
            pass

    def kernel_hosts(self):
        pyodide, self.pyodide = self.pyodide, self.pyodide if self.pyodide_numpy else None
        hosts = super().kernel_hosts()
        self.pyodide = pyodide
        native = Talk([self.python, HERE / "native.py", self.kernel_code], self.native_env())
        return hosts | {"native": (native, lambda _, items: native.ask(items))}
