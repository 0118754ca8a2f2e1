// Starts the system's Chromium; it talks to nobody but the server of the test.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

export const CHROMIUM = "/usr/bin/chromium";
export const FLAGS = [
  "--no-sandbox",
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream", // a microphone that beeps,
  "--use-fake-ui-for-media-stream", // which is allowed
];

/** `playwright` is the folder of playwright-core; `flags` are more of Chromium's. */
export async function launch(playwright, flags = []) {
  if (!fs.existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}; install it with: deps/install-system test (or apt-get install chromium)`);
  const { chromium } = await import(pathToFileURL(path.join(playwright, "index.mjs")));
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags] });
}
