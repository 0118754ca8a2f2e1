// Usage: node memory.mjs FILE.wasm FOLDER ARGS...: runs the command as wasm/run.mjs does, with FOLDER mapped under its own
// name, and prints the bytes that its memory has in the end. A memory never shrinks, so that is the most it had.
import { WASI } from "node:wasi";
import { load, wrapped } from "../../wasm/run.mjs";

const [file, folder, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  returnOnExit: true,
  args: ["remotemedia", ...args],
  preopens: { [folder]: folder },
});
const instance = new WebAssembly.Instance(load(file), { wasi_snapshot_preview1: wrapped(wasi.wasiImport) });
process.exitCode = wasi.start(instance);
console.log(instance.exports.memory.buffer.byteLength);
