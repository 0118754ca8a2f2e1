// Live audio in headless Chromium: node live.mjs PROJECT PLAYWRIGHT SECONDS shared|messages. PROJECT has the npm package installed. The
// fake microphone goes through AudioBuffer, AudioLevel, VoiceActivity and a Python node; prints what was recorded and lost, as JSON.
import fs from "node:fs";
import path from "node:path";
import { launch } from "../../tests/support/hosts/browser/chromium.mjs";
import { serve } from "../../tests/support/hosts/browser/serve.mjs";

const FLAGS = ["--autoplay-policy=no-user-gesture-required"]; // nobody clicks
const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"remotemedia": "./node_modules/remotemedia/index.mjs",
                                      "remotemedia/live": "./node_modules/remotemedia/live.mjs"}}</script>
`;

async function measured({ seconds, shared }) {
  const { Pipeline } = await import("remotemedia");
  const { LiveAudio } = await import("remotemedia/live");
  const code = "seen = 0\ndef process(level):\n    global seen\n    seen += 1\n    return seen if level['peak_dbfs'] is not None else -1";
  const manifest = {
    version: "v1",
    metadata: { name: "live" },
    nodes: [
      { id: "frames", node_type: "AudioBuffer", params: { frames: 960 } },
      { id: "level", node_type: "AudioLevel" },
      { id: "speech", node_type: "VoiceActivity" },
      { id: "python", node_type: "Python", params: { code } },
      { id: "count", node_type: "Python", params: { code: "def process(audio):\n    return audio.shape[0]" } },
    ],
    connections: [{ from: "frames", to: "level" }, { from: "frames", to: "speech" }, { from: "level", to: "python" }],
  };
  const pipeline = await Pipeline.open(manifest);
  await pipeline.run([]);
  const context = new AudioContext({ sampleRate: 48000 });
  const losses = [];
  const live = await LiveAudio.open(await navigator.mediaDevices.getUserMedia({ audio: true }), {
    context,
    shared,
    onLoss: ({ frames, stats }) => losses.push({ at: stats.frames / 48000, frames }),
  });
  const since = performance.now();
  setTimeout(() => live.stop(), seconds * 1000);
  const out = { seen: 0, frames: 0, segments: 0 };
  for await (const { sink, value } of pipeline.stream(live)) {
    if (sink === "count") out.frames += value;
    if (sink === "python") out.seen = value;
    if (sink === "speech") out.segments++;
  }
  return { ...out, seconds: (performance.now() - since) / 1000, shared: live.shared, isolated: crossOriginIsolated, stats: live.stats, losses };
}

async function main(project, playwright, seconds, how) {
  const page = how === "shared" ? "live.html" : "plain.html";
  fs.writeFileSync(path.join(project, page), PAGE);
  const server = await serve(project), browser = await launch(playwright, FLAGS);
  try {
    const tab = await browser.newPage();
    tab.on("pageerror", (error) => console.error(`page: ${error.message}`));
    await tab.goto(server.url + page);
    console.log(JSON.stringify(await tab.evaluate(measured, { seconds: Number(seconds), shared: how === "shared" })));
  } finally {
    await browser.close();
    server.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(`live: ${error.stack}`);
  process.exitCode = 1;
});
