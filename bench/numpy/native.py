"""Usage: native.py CODE.py: runs the code's `process` over the items of each line of standard input, a JSON array, and prints
the results likewise; bench/wasm/pyodide.mjs does so in Pyodide."""

import json
import runpy
import sys

process = runpy.run_path(sys.argv[1])["process"]
for line in sys.stdin:
    print(json.dumps([process(item) for item in json.loads(line)]), flush=True)
