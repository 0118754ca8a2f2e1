import { Pipeline } from "remotemedia";
import { PASS } from "./work.mjs";
const pipeline = await Pipeline.open(PASS, { worker: true });
for (const n of [500, 10000]) {
  const c0 = process.cpuUsage(), e0 = performance.eventLoopUtilization(), t = performance.now();
    let array = new Float32Array(1 << 18).fill(1), next;
    async function* items() { for (let i = 0; i < n; i++) { const there = new Promise((r) => (next = r)); yield array; await there; } }
    for await (const { value } of pipeline.stream(items(), { transfer: true })) { array = value.data; next(); }
  const c = process.cpuUsage(c0), e = performance.eventLoopUtilization(e0);
  console.log(n, 'wall', ((performance.now() - t) * 1000 / n).toFixed(1), 'cpu', ((c.user + c.system) / n).toFixed(1), 'main active', (e.active * 1000 / n).toFixed(1));
}
pipeline.terminate();
