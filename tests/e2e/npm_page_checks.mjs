// Checks of the npm package in a page, and in its Worker: check(name, place) returns what is wrong, or "ok".
import { audioBufferOf, Pipeline, PipelineError } from 'remotemedia';

const manifest = (nodes, connections = []) => ({ version: 'v1', metadata: { name: 'test' }, nodes, connections });
const python = (code) => manifest([{ id: 'p', node_type: 'Python', params: { code } }]);
const ECHO = manifest([{ id: 'p', node_type: 'PassThrough' }]);
const TRIPLE = manifest([{ id: 'x3', node_type: 'MultiplyNode', params: { factor: 3 } }]);

const shown = (value) => JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? [part.constructor.name, ...part] : part));

function equal(got, expected) {
    if (shown(got) !== shown(expected))
        throw new Error(`got ${shown(got)}, expected ${shown(expected)}`);
}

async function failure(promise) {
    const error = await promise.then(() => null, (error) => error);
    if (!(error instanceof PipelineError))
        throw error ?? new Error('it does not fail');
    return error;
}

const checks = {
    async run(open) {
        const pipeline = await open(TRIPLE);
        const items = Array.from({ length: 5000 }, (_, i) => i);
        equal((await pipeline.run(items)).outputs, { x3: items.map((n) => 3 * n) });
        const found = [];
        for await (const { value } of pipeline.stream(new Blob(['x']).stream().pipeThrough(new TransformStream({ transform: (_, to) => to.enqueue(7) }))))
            found.push(value);
        equal(found, [21]);
        pipeline.terminate();
    },
    async python(open) {
        const pipeline = await open(python('import m\ndef process(x):\n    return m.f(x)'), { files: { 'm.py': 'def f(x):\n    return 6 // x' } });
        equal([pipeline.variant, (await pipeline.run([2])).outputs], ['full', { p: [3] }]);
        const { code, node, item, traceback, outputs } = await failure(pipeline.run([1, 0]));
        equal([code, node, item, traceback.at(-1).line, outputs], ['python', 'p', 1, 2, { p: [6] }]);
        pipeline.terminate();
    },
    async arrays(open) {
        const pipeline = await open(TRIPLE), large = new Float32Array(300000).fill(2);
        const { x3 } = (await pipeline.run([{ data: new Float64Array([1, 2]), shape: [2, 1], dtype: 'float64' }, large])).outputs;
        equal(x3[0], { data: new Float64Array([3, 6]), shape: [2, 1], dtype: 'float64' });
        equal([large.length, x3[1].data.length, x3[1].data[299999]], [300000, 300000, 6]);
        pipeline.terminate();
    },
    async transfer(open) {
        const pipeline = await open(TRIPLE), memory = new WebAssembly.Memory({ initial: 2 });
        const fixed = new Float32Array(memory.buffer, 0, 20000).fill(7), given = new Float32Array(20000).fill(1);
        const { x3 } = (await pipeline.run([given, fixed], { transfer: true })).outputs;
        equal([x3.map(({ data }) => data[19999]), given.length, fixed.length], [[3, 21], 0, 20000]);
        pipeline.terminate();
    },
    async wasm_that_is_none(open) {
        for (const name of ['index.html', 'page.wasm', 'cut.wasm']) {
            const { code, message } = await failure(open(ECHO, { wasm: new URL(name, location.href) }));
            equal([code, message.includes(name), message.includes('remotemedia_reactor'), message.includes('text/html')], ['download', true, true, name === 'index.html']);
        }
    },
    async audio(open) {
        const pipeline = await open(ECHO), buffer = new AudioBuffer({ length: 3, numberOfChannels: 2, sampleRate: 8000 });
        buffer.copyToChannel(new Float32Array([1, 2, 3]), 0);
        const back = audioBufferOf((await pipeline.run([buffer])).outputs.p[0]);
        equal([back.sampleRate, back.getChannelData(0), back.getChannelData(1)], [8000, new Float32Array([1, 2, 3]), new Float32Array(3)]);
        pipeline.terminate();
    },
    async sleeping(open) {
        const pipeline = await open(python('import asyncio\nasync def process(x):\n    await asyncio.sleep(0.2)\n    return x'));
        let ticks = 0;
        const timer = setInterval(() => ticks++, 10);
        equal((await pipeline.run([1])).outputs, { p: [1] });
        clearInterval(timer);
        equal(ticks > 3, true);
        pipeline.terminate();
    },
    async progress(open) {
        const seen = [];
        const wasm = new URL(`lite.wasm?${Math.random()}`, location.href); // another address, so that it is fetched
        const pipeline = await open(TRIPLE, { wasm, onProgress: (at) => seen.push(at) });
        equal((await pipeline.run([1])).outputs, { x3: [3] });
        equal(seen.length > 0 && seen.every(({ loaded }, i) => i === 0 || loaded > seen[i - 1].loaded), true);
        pipeline.terminate();
    },
    async wrong(open) {
        equal((await failure(open(TRIPLE, { wasm: new URL('nowhere.wasm', location.href) }))).code, 'download');
        const pipeline = await open(TRIPLE, { wasm: new URL('lite.bin', location.href) }); // not served as application/wasm
        equal((await pipeline.run([1])).outputs, { x3: [3] });
        pipeline.terminate();
    },
    async logs(open) {
        const logs = [];
        const pipeline = await open(python('print("hello")\nprocess = str'), { onLog: ({ text }) => logs.push(text) });
        equal([(await pipeline.run([1])).outputs, logs], [{ p: ['1'] }, ['hello']]);
        pipeline.terminate();
    },
};

/** Only in a Worker, which is where a pipeline is without being asked. */
async function endless() {
    const pipeline = await Pipeline.open(python('def process(x):\n    while True: pass'));
    const stuck = failure(pipeline.run([1]));
    await new Promise((resume) => setTimeout(resume, 0));
    pipeline.terminate();
    equal((await stuck).code, 'terminated');
    const next = await Pipeline.open(ECHO);
    equal((await next.run([1])).outputs, { p: [1] });
    next.terminate();
}

const placed = (worker) => (document, options) => Pipeline.open(document, { worker, ...options });
for (const [name, check] of [['endless', endless], ...Object.entries(checks)])
    for (const [place, open] of name === 'endless' ? [['worker', null]] : [['worker', placed(true)], ['page', placed(false)]])
        console.log(await check(open).then(() => `${name} ${place}: ok`, (error) => `${name} ${place}: ${error.stack}`));
console.log('end');
