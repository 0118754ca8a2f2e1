// Runs the WASM program in a page or a Worker: compile once, then as many runs as wanted, each in a fresh instance.
import { filesOf, Folder, Program } from "./wasi_program.mjs";

/** The compiled program; `url` must be served as application/wasm. */
export function compile(url) {
  return WebAssembly.compileStreaming(fetch(url));
}

/**
 * Runs the program once and gives {exit, stdout, stderr, files}, all bytes; a trap of the program rejects.
 *
 * `args` are the words after the program's name, `stdin` is text or bytes, `env` an object of texts, `files` an object
 * of paths and their contents. The files lie in the current directory, and also in `directory` where one is named.
 * The page or Worker is busy until the run has ended.
 */
export async function run(program, { args = [], stdin = "", env = {}, files = {}, directory } = {}) {
  const written = [null, [], []], folder = Folder.of(files);
  const host = new Program({
    args: ["remotemedia", ...args],
    env,
    stdin,
    mounts: { ".": folder, ...(directory ? { [directory]: folder } : {}) },
    write: (descriptor, bytes) => written[descriptor].push(bytes),
  });
  const exit = host.start(await host.instantiate(program));
  return { exit, stdout: joined(written[1]), stderr: joined(written[2]), files: filesOf(folder) };
}

export function text(bytes) {
  return new TextDecoder().decode(bytes);
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
