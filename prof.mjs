import { Pipeline } from "remotemedia";
import { PASS } from "./work.mjs";
const pipeline = await Pipeline.open(PASS, { worker: true });
const N = 2_000_000;
function* items(n) { for (let i = 0; i < n; i++) yield i; }
for (const n of [200000, N]) {
  const c0 = process.cpuUsage(), e0 = performance.eventLoopUtilization(), t = performance.now();
  let s = 0;
  for await (const { value } of pipeline.stream(items(n))) s += value;
  const c = process.cpuUsage(c0), e = performance.eventLoopUtilization(e0);
  console.log(n, 'wall', ((performance.now() - t) * 1000 / n).toFixed(3), 'cpu', ((c.user + c.system) / n).toFixed(3), 'main active', (e.active * 1000 / n).toFixed(3));
}
pipeline.terminate();
