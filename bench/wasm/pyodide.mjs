// Usage: node pyodide.mjs FOLDER CODE.py [WHEEL...]: runs the code's `process` in Pyodide, with these packages, over the
// items of each line of standard input, a JSON array, and prints the results likewise.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, code, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: folder + path.sep });
if (wheels.length) await python.loadPackage(wheels.map((wheel) => pathToFileURL(wheel).href), { messageCallback() {} });
python.runPython(fs.readFileSync(code, "utf8"));
const call = python.globals.get("process");
for await (const line of readline.createInterface({ input: process.stdin }))
  console.log(JSON.stringify(JSON.parse(line).map((item) => call(item))));
