// The page: runs what stands in the text field in a Worker, which can be stopped at any time.
import { text } from "./remotemedia.js";

const wasm = "pipeline_executor_wasm.wasm";
const element = (id) => document.getElementById(id);
let worker = null;

function stop() {
  worker?.terminate();
  worker = null;
  element("state").textContent = "stopped";
}

function show({ error, exit, stdout, stderr }) {
  element("state").textContent = error ?? `exit code ${exit}`;
  element("result").textContent = error ? "" : text(stdout) + text(stderr);
}

element("stop").onclick = stop;
element("run").onclick = () => {
  worker ??= new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => show(data);
  element("state").textContent = "running";
  worker.postMessage({ wasm, stdin: element("document").value });
};
