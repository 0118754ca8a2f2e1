// Does what a user does with a page. Usage: node --experimental-websocket page.mjs chromium|firefox PLAYWRIGHT < STEPS; prints what the page logged and showed.
//
// STEPS is a list of {goto: URL}, {module: CODE, lines: N} (runs CODE, waits for N more lines of the console),
// {click: SELECTOR} (waits until it is there and not disabled) and {text: SELECTOR, until: TEXT} (waits until it contains TEXT, and
// prints it). An error of the page ends it.
import { text } from "node:stream/consumers";

// In the page:
const put = (code) => {
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = code;
  document.head.append(script);
};
const click = (selector) =>
  new Promise((resolve) => {
    const look = () => {
      const element = document.querySelector(selector);
      if (!element || element.disabled) return;
      observer.disconnect();
      resolve(element.click());
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
    look();
  });
const shown = ([selector, until]) =>
  new Promise((resolve) => {
    const look = () => {
      const text = document.querySelector(selector)?.innerText ?? "";
      if (text.includes(until)) resolve(text);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
    look();
  });

async function module(page, lines, code, count) {
  const end = lines.length + count;
  const enough = new Promise((resolve) => page.on("console", () => lines.length >= end && resolve()));
  await page.evaluate(put, code);
  await enough;
}

async function take(page, lines, step) {
  if (step.goto) await page.goto(step.goto);
  if (step.click) await page.evaluate(click, step.click);
  if (step.module) await module(page, lines, step.module, step.lines);
  if (step.text) lines.push(await page.evaluate(shown, [step.text, step.until]));
}

async function main(name, playwright) {
  const { launch } = await import(`./${name}.mjs`);
  const steps = JSON.parse(await text(process.stdin));
  const browser = await launch(playwright);
  const lines = [];
  try {
    const page = await browser.newPage();
    page.on("console", (message) => lines.push(message.text()));
    const failed = new Promise((_, reject) => page.on("pageerror", reject));
    page.on("requestfailed", (request) => console.error(`page: ${request.url()}: ${request.failure().errorText}`));
    for (const step of steps) await Promise.race([take(page, lines, step), failed]);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(lines));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(`page: ${error.message}`);
  process.exitCode = 1;
});
