"""Programs with pipes, a pipeline of two, a timeout, and asyncio's processes."""
import asyncio
import subprocess
import sys

LIBRARY = "python"
INPUT = ["a", "b"]
OUTPUT = [["A", "a\n", "timeout", 3], ["B", "b\n", "timeout", 3]]
STDERR = ["printed by a child"]
WASM = "wasi does not support processes"


class Node:
    async def process(self, item):
        upper = subprocess.run(["tr", "a-z", "A-Z"], input=item, capture_output=True, text=True, check=True).stdout
        with subprocess.Popen(["echo", item], stdout=subprocess.PIPE) as first:
            second = subprocess.run(["cat"], stdin=first.stdout, stdout=subprocess.PIPE, text=True, check=True)
        try:
            subprocess.run(["sleep", "60"], timeout=0.05, check=False)
            late = "ended"
        except subprocess.TimeoutExpired:
            late = "timeout"
        subprocess.run([sys.executable, "-c", "print('printed by a child')"], check=True)
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; sys.exit(3)")
        return [upper, second.stdout, late, await child.wait()]
