// Runs jobs in a headless browser. Usage: node --experimental-websocket host.mjs chromium|firefox page|worker WASM PLAYWRIGHT
//
// A line of standard input is a job {id, args, env, stdin, folder, files, limit}: stdin is a file, files are names in the
// folder, which the program sees under the folder's own path. A line of standard output is its result {id, exit, stdout,
// stderr, files, milliseconds}, bytes in base64, or {id, trouble}. The program is compiled once; a job that takes longer
// than `limit` seconds ends with its Worker, or with the whole page.
import path from "node:path";
import readline from "node:readline";
import { serve } from "./server.mjs";

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "../../../..");
const [WEB, PACKAGE] = ["examples/web", "bindings/web"].map((folder) => path.join(ROOT, folder));

class Place {
  constructor(kind, browser, address, wasm, job) {
    Object.assign(this, { kind, browser, address, wasm, job });
  }

  async open() {
    this.page = await this.browser.newPage();
    await this.page.goto(`${this.address}/runner.html`); // its scripts have run when it is there
  }

  /** A page that is busy answers nothing, so only another takes its place. */
  async stop() {
    if (this.kind === "worker") return this.page.evaluate("terminate()");
    await this.page.close();
    return this.open();
  }

  async run({ id, limit, stdin, ...job }) {
    Object.assign(this.job, { stdin, folder: job.folder });
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

async function main([name, kind, wasm, playwright]) {
  const { launch } = await import(`./${name}.mjs`);
  const browser = await launch(playwright);
  const job = {};
  const server = await serve({ folders: [HERE, WEB, PACKAGE], wasm, job });
  try {
    const place = new Place(kind, browser, server.address, path.basename(wasm), job);
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
