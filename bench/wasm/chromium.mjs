// Usage: node chromium.mjs WASM PLAYWRIGHT SHIM TIMES JOB.json: the job's first result in a new page of a browser that has
// the file in its Cache storage. Prints the milliseconds of each as JSON: from taking the file to the end of the run.
import fs from "node:fs";
import path from "node:path";
import { launch } from "../../tests/support/hosts/browser/chromium.mjs";
import { serve } from "../../tests/support/hosts/browser/server.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDERS = [path.join(ROOT, "tests/support/hosts/browser"), path.join(ROOT, "examples/web")];

async function firstResult([url, stdin]) {
  const { run } = await import("./remotemedia.js");
  const cache = await caches.open("bench");
  if (!(await cache.match(url))) await cache.add(url);
  const started = performance.now();
  const program = await WebAssembly.compileStreaming(cache.match(url));
  const compiled = performance.now();
  const { exit } = await run(program, { stdin });
  const ended = performance.now();
  return { total: ended - started, run: ended - compiled, exit };
}

const [wasm, playwright, shim, times, job] = process.argv.slice(2);
const browser = await launch(playwright);
const server = await serve({ folders: FOLDERS, shim, wasm });
try {
  const context = await browser.newContext();
  const answers = [];
  for (let n = 0; n <= Number(times); n++) {
    const page = await context.newPage();
    await page.goto(`${server.address}/runner.html`);
    await page.waitForFunction("window.ready");
    answers.push(await page.evaluate(firstResult, [path.basename(wasm), fs.readFileSync(job, "utf8")]));
    await page.close();
  }
  if (answers.some(({ exit }) => exit !== 0)) throw new Error("the program fails in the page");
  console.log(JSON.stringify(answers.slice(1))); // the first one filled the cache
} finally {
  server.close();
  await browser.close();
}
