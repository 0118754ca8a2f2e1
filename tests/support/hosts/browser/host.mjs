// Runs jobs in headless Chromium. Usage: node host.mjs page|worker WASM PLAYWRIGHT SHIM
//
// A line of standard input is a job {id, args, env, stdin, files, directory, limit}, a line of standard output its
// result {id, exit, stdout, stderr, files, milliseconds} or {id, trouble}; bytes are base64. The program is compiled
// once; a job that takes longer than `limit` seconds ends with its Worker, or with the whole page.
import path from "node:path";
import readline from "node:readline";
import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";

const HERE = import.meta.dirname;
const WEB = path.resolve(HERE, "../../../../examples/web");

class Place {
  constructor(kind, browser, address, wasm) {
    Object.assign(this, { kind, browser, address, wasm });
  }

  async open() {
    this.page = await this.browser.newPage();
    await this.page.goto(`${this.address}/runner.html`);
    await this.page.waitForFunction("window.ready");
  }

  /** A page that is busy answers nothing, so only another takes its place. */
  async stop() {
    if (this.kind === "worker") return this.page.evaluate("terminate()");
    await this.page.close();
    return this.open();
  }

  async run({ id, limit, ...job }) {
    let timer;
    const overdue = new Promise((resolve) => {
      timer = setTimeout(resolve, limit * 1000, null);
    });
    const answer = this.page
      .evaluate(([kind, job]) => window.runJob(kind, job), [this.kind, { ...job, wasm: this.wasm }])
      .catch((error) => ({ trouble: `the page failed: ${error.message}` }));
    const result = await Promise.race([answer, overdue]);
    clearTimeout(timer);
    if (result !== null) return { id, ...result };
    await this.stop();
    return { id, trouble: `the program did not end within ${limit} s` };
  }
}

async function main([kind, wasm, playwright, shim]) {
  const browser = await launch(playwright);
  const server = await serve({ folders: [HERE, WEB], shim, wasm });
  try {
    const place = new Place(kind, browser, server.address, path.basename(wasm));
    await place.open();
    for await (const line of readline.createInterface({ input: process.stdin }))
      process.stdout.write(`${JSON.stringify(await place.run(JSON.parse(line)))}\n`);
  } finally {
    server.close();
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`browser host: ${error.message}`);
  process.exitCode = 1;
});
