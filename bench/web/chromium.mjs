// Usage: node chromium.mjs PROJECT PLAYWRIGHT PYODIDE: first results and rates in pages of headless Chromium, whose profile, with its
// HTTP cache, stays. PROJECT is the folder where the package is installed. A line of standard input is the name of a measurement of
// pages.mjs; the answer is {milliseconds, result}, for `first` from the navigation on.
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";
import { CHROMIUM, FLAGS } from "../../tests/support/hosts/browser/chromium.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const ROOT = path.resolve(import.meta.dirname, "../..");
const [project, playwright, pyodide] = process.argv.slice(2);
const PLACES = { pyodide, examples: path.join(ROOT, "examples/web"), wasm: process.env.RM_WASM ?? path.join(ROOT, "build/wasm") };
const page = (name) => `<!doctype html><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"remotemedia": "/project/node_modules/remotemedia/index.mjs"}}</script>
<script type="module">import { ${name} } from "/pages.mjs"; window.answer = ${name}();</script>`;

/** Files for ever, as a server may send those with a hash in their name. */
const server = http.createServer((request, response) => {
  const name = new URL(request.url, "http://localhost").pathname.slice(1), [top, ...rest] = name.split("/");
  const folder = top === "project" ? project : PLACES[top];
  const file = /^wasi.*mjs$/.test(rest[0]) ? path.join(ROOT, "bindings/web", rest[0]) : folder ? path.join(folder, ...rest) : path.join(import.meta.dirname, name);
  const content = name.startsWith("page/") ? page(rest[0]) : fs.existsSync(file) ? fs.readFileSync(file) : null;
  if (content === null) return response.writeHead(404).end();
  const type = name.startsWith("page/") ? "text/html" : (TYPES[path.extname(name)] ?? "application/octet-stream");
  response.writeHead(200, { "content-type": type, "cache-control": "max-age=31536000, immutable" }).end(content);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const profile = fs.mkdtempSync(path.join(os.tmpdir(), "rm-bench-web-"));
const { chromium } = await import(pathToFileURL(path.join(playwright, "index.mjs")));
const browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args: FLAGS });
try {
  for await (const name of readline.createInterface({ input: process.stdin })) {
    const tab = await browser.newPage();
    tab.on("pageerror", (error) => console.error(error.stack));
    await tab.goto(`http://127.0.0.1:${server.address().port}/page/${JSON.parse(name)}`);
    console.log(JSON.stringify(await tab.evaluate(() => window.answer)));
    await tab.close();
  }
} finally {
  await browser.close();
  server.close();
  fs.rmSync(profile, { recursive: true, force: true });
}
