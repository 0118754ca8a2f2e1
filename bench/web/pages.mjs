// Measurements in a page; performance.now() counts from the navigation.
import { arrays, firstResult, ints, PASS, PLUS } from "/work.mjs";

const taken = (result) => ({ milliseconds: performance.now(), result });

async function packaged(document, options) {
  const { Pipeline } = await import("remotemedia");
  return taken((await firstResult(Pipeline, document, options)).variant);
}
export const first_python = () => packaged(PLUS, {});
export const first_progress = () => packaged(PLUS, { onProgress() {} });
export const first_lite = () => packaged(PASS, {});

/** The file alone, in the page: fetched, compiled, run. */
async function bare(file, document) {
  const { run, text } = await import("/examples/remotemedia.js");
  const program = await WebAssembly.compileStreaming(fetch(`/wasm/${file}.wasm`));
  return taken(text((await run(program, { stdin: JSON.stringify({ manifest: document, input_data: [1] }) })).stdout));
}
export const bare_python = () => bare("pipeline_executor_wasm_snapshot", PLUS);
export const bare_lite = () => bare("pipeline_executor_lite", PASS);

export async function pyodide() {
  const { loadPyodide } = await import("/pyodide/pyodide.mjs");
  const python = await loadPyodide({ indexURL: "/pyodide/" });
  python.runPython(PLUS.nodes[0].params.code);
  return taken(python.globals.get("process")(1));
}

async function rate(measure, ...args) {
  const { Pipeline } = await import("remotemedia");
  return { milliseconds: (await measure(Pipeline, ...args)) / 1000 };
}
export const int_rate = () => rate(ints);
export const array_copied = () => rate(arrays, false);
export const array_transferred = () => rate(arrays, true);
