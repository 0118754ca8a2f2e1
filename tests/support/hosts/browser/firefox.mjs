// Starts the system's Firefox, driven by WebDriver BiDi; it talks to nobody but the server of the test. Of Playwright's
// pages it has goto, evaluate, on and close. Each page has a process of its own, so that also a page that is busy can be closed.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

const FIREFOX = "/usr/bin/firefox-esr";
const SETTINGS = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.max_script_run_time": 0, // pages may compute
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

/** The address that the process listens at. */
async function listening(process) {
  const told = [];
  for await (const line of readline.createInterface({ input: process.stderr })) {
    const [, address] = line.match(/WebDriver BiDi listening on (ws:\S+)/) ?? [];
    if (address) {
      process.stderr.resume();
      return address;
    }
    told.push(line);
  }
  throw new Error(`Firefox has ended: ${told.join("\n")}`);
}

/** Commands of WebDriver BiDi and their results; `onlog` gets what pages log. */
class Connection {
  onlog = () => {};
  #socket;
  #waiting = new Map();
  #last = 0;

  static open(address) {
    const connection = new Connection(), socket = new WebSocket(`${address}/session`);
    connection.#socket = socket;
    socket.onmessage = ({ data }) => connection.#received(JSON.parse(data));
    socket.onclose = () => connection.#received(null);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(connection);
      socket.onerror = () => reject(new Error(`there is no connection to ${address}`));
    });
  }

  send(method, params) {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #received(message) {
    if (message?.type === "event") return this.onlog(message.params);
    const all = message === null ? [...this.#waiting.keys()] : [message.id];
    for (const id of all) {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (message?.type === "success") resolve?.(message.result);
      else reject?.(new Error(message?.message ?? "Firefox has ended"));
    }
  }
}

class Page {
  #handlers = { console: [], pageerror: [], requestfailed: [] };

  on(event, handler) {
    this.#handlers[event].push(handler);
  }

  #log({ type, text }) {
    const [event, given] = type === "console" ? ["console", { text: () => text }] : ["pageerror", new Error(text)];
    this.#handlers[event].forEach((handler) => handler(given));
  }

  static async open() {
    const page = new Page();
    page.profile = fs.mkdtempSync(path.join(os.tmpdir(), "rm-firefox-"));
    const lines = Object.entries(SETTINGS).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
    fs.writeFileSync(path.join(page.profile, "user.js"), lines.join(""));
    const words = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", page.profile];
    page.process = spawn(FIREFOX, words, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    page.ended = new Promise((resolve) => page.process.once("close", resolve));
    page.connection = await Connection.open(await listening(page.process));
    page.connection.onlog = (params) => page.#log(params);
    await page.connection.send("session.new", { capabilities: {} });
    await page.connection.send("session.subscribe", { events: ["log.entryAdded"] });
    ({ context: page.context } = await page.connection.send("browsingContext.create", { type: "tab" }));
    return page;
  }

  async goto(url) {
    await this.connection.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  /** What a function, or an expression, gives in the page; argument and result are of JSON. */
  async evaluate(code, argument = null) {
    const call = typeof code === "function" ? `(${code})(JSON.parse(text))` : code;
    const { type, result, exceptionDetails } = await this.connection.send("script.callFunction", {
      functionDeclaration: `async (text) => JSON.stringify((await (${call})) ?? null)`,
      arguments: [{ type: "string", value: JSON.stringify(argument) }],
      awaitPromise: true,
      target: { context: this.context },
    });
    if (type !== "success") throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }

  async close() {
    process.kill(-this.process.pid, "SIGKILL"); // its processes are a group
    await this.ended;
    fs.rmSync(this.profile, { recursive: true, force: true });
  }
}

export async function launch() {
  if (!fs.existsSync(FIREFOX))
    throw new Error(`there is no ${FIREFOX}; install it with: deps/install-system hosts (or apt-get install firefox-esr)`);
  const pages = [];
  return {
    async newPage() {
      const page = await Page.open();
      pages.push(page);
      return page;
    },
    close: () => Promise.all(pages.splice(0).map((page) => page.close().catch(() => {}))),
  };
}
