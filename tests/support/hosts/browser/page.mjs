// Does what a user does with a page. Usage: node page.mjs PLAYWRIGHT < STEPS; prints what the page logged and showed.
//
// STEPS is a list of {goto: URL}, {module: CODE, lines: N} (runs CODE, waits for N more lines of the console),
// {click: SELECTOR} and {text: SELECTOR, until: TEXT} (waits until it contains TEXT, and prints it).
import { text } from "node:stream/consumers";
import { launch } from "./chromium.mjs";

async function module(page, lines, code, count) {
  const end = lines.length + count;
  const enough = new Promise((resolve, reject) => {
    page.on("console", () => lines.length >= end && resolve());
    page.on("pageerror", (error) => reject(error));
  });
  await page.addScriptTag({ type: "module", content: code });
  await enough;
}

async function main(playwright) {
  const steps = JSON.parse(await text(process.stdin));
  const browser = await launch(playwright);
  const lines = [];
  try {
    const page = await browser.newPage();
    page.on("console", (message) => lines.push(message.text()));
    page.on("pageerror", (error) => console.error(`page: ${error.message}`));
    page.on("requestfailed", (request) => console.error(`page: ${request.url()}: ${request.failure().errorText}`));
    for (const step of steps) {
      if (step.goto) await page.goto(step.goto);
      if (step.click) await page.click(step.click);
      if (step.module) await module(page, lines, step.module, step.lines);
      if (step.text) {
        const shown = page.locator(step.text).filter({ hasText: step.until });
        await shown.waitFor({ timeout: 60000 });
        lines.push(await shown.innerText());
      }
    }
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(lines));
}

main(process.argv[2]).catch((error) => {
  console.error(`page: ${error.message}`);
  process.exitCode = 1;
});
