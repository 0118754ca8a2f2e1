// What is measured in pages and in Node alike: functions of the package's Pipeline.
export const manifest = (...nodes) => ({
  version: "v1",
  metadata: { name: "bench" },
  nodes,
  connections: nodes.slice(1).map(({ id }, i) => ({ from: nodes[i].id, to: id })),
});
export const PLUS = manifest({ id: "p", node_type: "Python", params: { code: "def process(item):\n    return item + 1\n" } });
export const PASS = manifest({ id: "p", node_type: "PassThrough" });
const INTS = { few: 20_000, many: 420_000 };
const ARRAYS = { few: 20, many: 220 };

export async function firstResult(Pipeline, document, options) {
  const pipeline = await Pipeline.open(document, options);
  const { outputs } = await pipeline.run([1]);
  if (outputs.p[0] !== (document === PASS ? 1 : 2)) throw new Error(JSON.stringify(outputs));
  return pipeline;
}

/** Microseconds of one, from runs of few and of many: what a run costs by itself is left out. */
async function slope(counts, run) {
  await run(counts.many);
  const times = {};
  for (const [name, count] of Object.entries(counts)) {
    const started = performance.now();
    await run(count);
    times[name] = performance.now() - started;
  }
  return (1000 * (times.many - times.few)) / (counts.many - counts.few);
}

/** An int through `stream`. */
export async function ints(Pipeline) {
  const pipeline = await Pipeline.open(PASS, { worker: true });
  const time = await slope(INTS, async (count) => {
    let sum = 0;
    function* items() {
      for (let n = 0; n < count; n++) yield n;
    }
    for await (const { value } of pipeline.stream(items())) sum += value;
    if (sum !== (count * (count - 1)) / 2) throw new Error(`the sum is ${sum}`);
  });
  pipeline.terminate();
  return time;
}

/** 1 MiB in and out, one after the other: each result comes before the next item goes. `transfer`: the result is the next item. */
export async function arrays(Pipeline, transfer) {
  const pipeline = await Pipeline.open(PASS, { worker: true });
  const time = await slope(ARRAYS, async (count) => {
    let array = new Float32Array(1 << 18).fill(1), next;
    async function* items() {
      for (let n = 0; n < count; n++) {
        const there = new Promise((resolve) => (next = resolve));
        yield array;
        await there;
      }
    }
    for await (const { value } of pipeline.stream(items(), { transfer })) {
      if (value.data.length !== 1 << 18 || value.data[99] !== 1) throw new Error("another array came out");
      if (transfer) array = value.data;
      next();
    }
  });
  pipeline.terminate();
  return time;
}
