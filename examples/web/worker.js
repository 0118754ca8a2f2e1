// A Worker that runs the program: a message {wasm, ...options of run} is answered with its result or {error}.
import { compile, run } from "./remotemedia.js";

const programs = new Map();

onmessage = async ({ data: { id, wasm, ...options } }) => {
  try {
    if (!programs.has(wasm)) programs.set(wasm, compile(wasm));
    postMessage({ id, ...(await run(await programs.get(wasm), options)) });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
};
