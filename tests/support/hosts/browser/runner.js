// Runs jobs in this page, or in a Worker that lives until it is terminated.
import { compile, run } from "./remotemedia.js";

const coded = (bytes) => bytes.toBase64();
const eachValue = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

async function fetched(path) {
  const response = await fetch(`job/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const programs = new Map();
let worker = null;

async function inPage({ wasm, ...options }) {
  if (!programs.has(wasm)) programs.set(wasm, compile(wasm));
  return run(await programs.get(wasm), options);
}

function inWorker(message) {
  worker ??= new Worker("worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.postMessage(message);
  });
}

window.terminate = () => {
  worker?.terminate();
  worker = null;
};

/** The job's result, or {trouble}. */
window.runJob = async (place, { wasm, args, env, folder, files: names }) => {
  try {
    const given = await Promise.all(names.map(async (name) => [name, await fetched(`files/${encodeURIComponent(name)}`)]));
    const stdin = await fetched("stdin");
    const started = performance.now();
    const message = { wasm, args, env, stdin, files: Object.fromEntries(given), directory: folder };
    const { exit, stdout, stderr, files } = await (place === "worker" ? inWorker : inPage)(message);
    const milliseconds = performance.now() - started;
    return { exit, stdout: coded(stdout), stderr: coded(stderr), files: eachValue(files, coded), milliseconds };
  } catch (error) {
    return { trouble: String(error) };
  }
};
