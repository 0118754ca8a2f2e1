// Usage: node chromium.mjs WASM PLAYWRIGHT: runs the command in pages of headless Chromium that have the file in their
// Cache storage. A line of standard input is {stdin, fresh}, fresh: in a new page, which has not compiled it; the answer is
// {exit, stdout, run, total}, the milliseconds of the run, and from taking the file to the end of the run.
import path from "node:path";
import readline from "node:readline";
import { launch } from "../../tests/support/hosts/browser/chromium.mjs";
import { serve } from "../../tests/support/hosts/browser/server.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDERS = [path.join(ROOT, "tests/support/hosts/browser"), path.join(ROOT, "examples/web"), path.join(ROOT, "bindings/web")];

/** Runs in the page. */
async function inPage([url, stdin]) {
  const { run, text } = await import("./remotemedia.js");
  const cache = await caches.open("bench");
  if (!(await cache.match(url))) await cache.add(url);
  const started = performance.now();
  window.program ??= await WebAssembly.compileStreaming(cache.match(url));
  const compiled = performance.now();
  const { exit, stdout } = await run(window.program, { stdin });
  const ended = performance.now();
  return { exit, stdout: text(stdout), run: ended - compiled, total: ended - started };
}

const [wasm, playwright] = process.argv.slice(2);
const browser = await launch(playwright);
const server = await serve({ folders: FOLDERS, wasm });
try {
  const context = await browser.newContext();
  let page;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { stdin, fresh } = JSON.parse(line);
    if (fresh || !page) {
      await page?.close();
      page = await context.newPage();
      await page.goto(`${server.address}/runner.html`);
    }
    console.log(JSON.stringify(await page.evaluate(inPage, [path.basename(wasm), stdin])));
  }
} finally {
  server.close();
  await browser.close();
}
