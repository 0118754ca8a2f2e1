// Checks of the npm package in Node: node npm_checks.mjs thread|worker SOURCES, in a project where the package is installed. Prints a
// line of JSON for each, [name, what is wrong or null]. At the end an idle Worker is left: it must not keep the process.
import assert from 'node:assert/strict';
import path from 'node:path';
import { setImmediate as soon, setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Pipeline, PipelineError } from 'remotemedia';

const worker = process.argv[2] === 'worker';
const opened = [];

const manifest = (nodes, connections = []) => ({ version: 'v1', metadata: { name: 'test' }, nodes, connections });
const python = (code, more = {}) => manifest([{ id: 'p', node_type: 'Python', params: { code }, ...more }]);
const ECHO = manifest([{ id: 'p', node_type: 'PassThrough' }]);
const TRIPLE = manifest([{ id: 'x3', node_type: 'MultiplyNode', params: { factor: 3 } }]);
const open = async (document, options = {}) => {
    const pipeline = await Pipeline.open(document, { worker, ...options });
    opened.push(pipeline);
    return pipeline;
};
const range = (count) => Array.from({ length: count }, (_, i) => i);
const all = async (results) => {
    const found = [];
    for await (const { value } of results)
        found.push(value);
    return found;
};
const failure = async (promise) => {
    const error = await promise.then(() => assert.fail('it does not fail'), (error) => error);
    assert(error instanceof PipelineError, error);
    return error;
};

const checks = {
    async run() {
        const pipeline = await open(TRIPLE);
        assert.equal(pipeline.variant, 'lite');
        assert.deepEqual(pipeline.sinks, ['x3']);
        const { outputs, failed, graphInfo } = await pipeline.run([1, 2.5]);
        assert.deepEqual([outputs, failed, graphInfo.execution_order], [{ x3: [3, 7.5] }, [], ['x3']]);
        assert.deepEqual((await pipeline.run(range(5000))).outputs.x3, range(5000).map((n) => 3 * n));
        assert.deepEqual((await pipeline.run([])).outputs, { x3: [] });
    },
    async branches() {
        const nodes = [...ECHO.nodes, { id: 'up', node_type: 'UppercaseTransform' }, { id: 'q', node_type: 'PassThrough' }];
        const pipeline = await open(manifest(nodes, [{ from: 'p', to: 'up' }, { from: 'p', to: 'q' }]));
        const found = {};
        for await (const { sink, value } of pipeline.stream(['a', 'b']))
            (found[sink] ??= []).push(value);
        assert.deepEqual(found, { up: ['A', 'B'], q: ['a', 'b'] });
        assert.deepEqual((await pipeline.run(['c'])).outputs, { up: ['C'], q: ['c'] });
    },
    async sources() {
        const pipeline = await open(TRIPLE);
        const slow = async function* () {
            for (const n of range(3)) {
                await sleep(1);
                yield n;
            }
        };
        assert.deepEqual(await all(pipeline.stream(slow())), [0, 3, 6]);
        assert.deepEqual(await all(pipeline.stream(new Set([1, 2]))), [3, 6]);
        assert.deepEqual(await all(pipeline.stream(new Blob(['x']).stream().pipeThrough(new TransformStream({ transform: (_, to) => to.enqueue(7) })))), [21]);
        for (const wrong of ['text', 5, {}])
            assert.equal((await failure(pipeline.run(wrong))).code, 'type');
        const boom = new Error('boom');
        await assert.rejects(pipeline.run((function* () { yield 1; throw boom; })()), boom);
        assert.deepEqual(await all(pipeline.stream([1])), [3]);
    },
    async ping_pong() {
        // Each result comes although the source has nothing more to give until it is there.
        const pipeline = await open(TRIPLE);
        let got = () => {};
        const source = async function* () {
            for (const n of range(20)) {
                const there = new Promise((resolve) => (got = resolve));
                yield n;
                await there;
            }
        };
        const found = [];
        for await (const { value } of pipeline.stream(source())) {
            found.push(value);
            got();
        }
        assert.deepEqual(found, range(20).map((n) => 3 * n));
    },
    async backpressure() {
        const pipeline = await open(ECHO);
        let given = 0, ended = false;
        const results = pipeline.stream((function* () {
            try {
                for (;;)
                    yield given++;
            } finally {
                ended = true;
            }
        })());
        const first = await results.next();
        assert.deepEqual(first, { value: { sink: 'p', value: 0 }, done: false });
        let before = -1;
        while (before !== given) { // until nothing is taken any more
            before = given;
            await sleep(50);
        }
        assert(given < 20000, `${given} items were taken, one result was read`);
        for (let i = 1; i < 30000; i++)
            assert.equal((await results.next()).value.value, i);
        assert(given > 30000);
        await results.return();
        assert(ended);
        assert.deepEqual((await pipeline.run([1])).outputs, { p: [1] });
    },
    async late_room() {
        // Room that comes late wakes everything that waits for it: the source's own turn and the flush of what it gave before.
        const { Feed } = await import(pathToFileURL(path.join(process.argv[3], 'feed.mjs')));
        const source = async function* () {
            yield* range(1000);
        };
        let sent = 0;
        const feed = new Feed(source(), ({ length }) => {
            sent += length / 32; // bytes of an integer with its head
            setTimeout(() => feed.room(1), 5);
        });
        const over = await Promise.race([feed.run(), sleep(5000)]);
        assert.deepEqual([over, sent], [true, 1000]);
    },
    async end_early() {
        const pipeline = await open(manifest([{ id: 't', node_type: 'Take', params: { count: 2 } }]));
        let ended = false;
        const source = function* () {
            try {
                for (let i = 0; ; i++)
                    yield i;
            } finally {
                ended = true;
            }
        };
        assert.deepEqual(await all(pipeline.stream(source())), [0, 1]);
        assert(ended);
        for await (const { value } of pipeline.stream(source())) {
            assert.equal(value, 0);
            break;
        }
    },
    async errors() {
        const wrong = await failure(open(manifest([{ id: 'd', node_type: 'MultiplyNode', params: { facter: 2 } }])));
        assert.deepEqual([wrong.code, wrong.node, wrong.pointer, wrong.hint, wrong.name],
            ['unknown_parameter', 'd', '/nodes/0/params/facter', 'MultiplyNode has: factor', 'PipelineError']);
        assert.equal((await failure(open('{"version": '))).code, 'parse');
        assert.equal((await failure(open(ECHO, { sed: 1 }))).code, 'usage');
        assert.equal((await failure(open(ECHO, { variant: 'large' }))).code, 'value');
        assert.equal((await failure(open(ECHO, { wasm: new URL('nowhere.wasm', import.meta.url) }))).code, 'download');
        const pipeline = await open(TRIPLE);
        const failed = await failure(pipeline.run([1, () => 2]));
        assert.deepEqual([failed.code, failed.item], ['type', 1]);
        assert.equal((await failure(pipeline.run([1], { source: 'nobody' }))).code, 'unknown_node');
        assert.deepEqual((await pipeline.run([2], { source: 'x3' })).outputs, { x3: [6] });
    },
    async wrong_options() {
        const wrong = async (code, name, options, document = ECHO) => {
            const error = await failure(open(document, options));
            assert.deepEqual([error.code, error.message.includes(name)], [code, true], error.message);
        };
        for (const options of [null, 'x', 5])
            assert.equal((await failure(Pipeline.open(ECHO, options))).code, 'type');
        for (const [name, ...values] of [
            ['paths', 'lib', [5], null], ['env', null, 'x', { A: undefined }, { A: 5 }], ['files', null, 'a.py', { 'a.py': 5 }, { 'a.py': undefined }, [5], ['a.py', null]],
            ['wheels', 'x.whl', null, [null], [5]], ['seed', 2n ** 70n, 'x', NaN], ['timeoutMs', '5', Infinity], ['queuePackets', '4'], ['measure', 1],
            ['arrays', 5], ['signal', 5]])
            for (const value of values)
                await wrong('type', `'${name}'`, { [name]: value });
        for (const env of [{ 'A=B': 'c' }, { '': 'c' }, { 'A\0': 'c' }, { A: 'x\0y' }])
            await wrong('value', "'env'", { env });
        for (const files of [{ '': 'x' }, { '../a': 'x' }, { 'a/b': 'y', a: 'x' }, { a: 'x', 'a/b': 'y' }, { 'a/b/c': 'y', './a//b': 'x' }, { 'a\0': '' }, { './': '' }])
            await wrong('value', "'files'", { files });
        await wrong('usage', "'sed'", { sed: 1 });
        const circle = { ...ECHO };
        circle.circle = circle;
        for (const document of [circle, { ...ECHO, big: 1n }, () => 1])
            await wrong('type', 'manifest', {}, document);
        assert.equal((await failure(Pipeline.open())).code, 'type');
        const pipeline = await open(ECHO);
        for (const [code, options] of [['usage', { sorce: 'p' }], ['type', null], ['type', { signal: 5 }]])
            assert.equal((await failure(pipeline.run([1], options))).code, code);
        assert.throws(() => pipeline.stream([1], { sorce: 'p' }), { code: 'usage', message: /'sorce'.*source/ });
        assert.deepEqual((await pipeline.run([1], { source: undefined, signal: undefined })).outputs, { p: [1] });
    },
    async wrong_items() {
        const pipeline = await open(ECHO), data = new Float32Array(2), shape = [2, 1];
        const detached = new Float32Array(4), { buffer } = detached;
        structuredClone(detached, { transfer: [buffer] });
        const own = new TypeError('mine'), getter = {
            get a() {
                throw own;
            },
        };
        const tensors = [
            { data, shape, dtype: '__proto__' }, { data, shape, dtype: 'constructor' }, { data, shape: Array(257).fill(1).with(0, 2) }, { data, shape, description: { length: 3 } },
            ...[44100.5, 2 ** 32 + 8000, -1, 0, null, 'x', NaN, 8000n].map((sampleRate) => ({ data, shape, sampleRate })),
            ...[1.5, -1, 'x', null, 2 ** 64].map((layout) => ({ data, shape, sampleRate: 8000, layout })),
        ];
        const self = {
            toJSON() {
                return this;
            },
        };
        for (const item of [...tensors, detached, buffer, { data: detached, shape: [0] }, getter, self, Symbol('x')]) {
            const error = await failure(pipeline.run([1, item]));
            assert.equal(error.item, 1, error.message);
            assert(['type', 'value', 'limit'].includes(error.code), error.code);
        }
        assert.equal((await failure(pipeline.run([getter]))).cause, own);
        const audio = { data, shape, dtype: 'float32', sampleRate: 2 ** 31 - 1, layout: 4 };
        assert.deepEqual((await pipeline.run([audio])).outputs, { p: [audio] });
    },
    async results_from_before() {
        // A source's error and an item that cannot be sent come after the results of all items before them, not of what nodes hold back.
        const pipeline = await open(TRIPLE), given = async (items, run = pipeline) => {
            const found = [];
            try {
                for await (const { value } of run.stream(items))
                    found.push(value);
            } catch (error) {
                return [found, error];
            }
            return assert.fail('it does not fail');
        };
        for (const count of [0, 1, 2, 5000]) {
            const own = new Error('own'), thrower = function* () {
                yield* range(count);
                throw own;
            };
            assert.deepEqual(await given(thrower()), [range(count).map((n) => 3 * n), own]);
            const [found, error] = await given([...range(count), Symbol('x')]);
            assert.deepEqual([found.length, error.code, error.item], [count, 'type', count]);
        }
        assert.deepEqual((await failure(pipeline.run([1, 2, Symbol('x')]))).outputs, { x3: [3, 6] });
        const slow = await open(python('import asyncio\nasync def process(x):\n    await asyncio.sleep(0.02)\n    return x'));
        assert.deepEqual((await given([1, 2, () => 3], slow))[0], [1, 2]);
        const pairs = await open(manifest([{ id: 'b', node_type: 'Batch', params: { size: 2 } }]));
        assert.deepEqual((await given([1, 2, 3, () => 4], pairs))[0], [[1, 2]]);
        const large = range(40).map(() => new Float32Array(65536));
        assert.equal((await given([...large, () => 1]))[0].length, 40); // nodes fail, queues fill
        const inverse = await open(python('def process(x):\n    return 1 / x'));
        const [found, error] = await given([1, 0, () => 1], inverse);
        assert.deepEqual([found, error.code, error.item], [[1], 'python', 1]);
        let closed = false;
        const source = function* () {
            try {
                yield () => 1;
            } finally {
                closed = true;
            }
        };
        await given(source());
        assert(closed);
    },
    async errors_of_python() {
        const pipeline = await open(python('def process(x):\n    return 6 // x'));
        const error = await failure(pipeline.run([1, 2, 0, 3]));
        assert.deepEqual([error.code, error.node, error.item, error.outputs], ['python', 'p', 2, { p: [6, 3] }]);
        assert.match(error.message, /ZeroDivisionError/);
        assert.deepEqual(error.traceback.map(({ line, function: f }) => [line, f]), [[2, 'process']]);
        const collected = await (await open(python('def process(x):\n    return 6 // x', { on_error: 'collect' }))).run([0, 1]);
        assert.deepEqual([collected.outputs, collected.failed.map(({ item }) => item)], [{ p: [6] }, [0]]);
    },
    async trap() {
        const pipeline = await open(python('import os\ndef process(x):\n    return os.abort() if x else x'));
        assert.equal((await failure(pipeline.run([1]))).code, 'trap');
        assert.deepEqual((await pipeline.run([0])).outputs, { p: [0] });
        let begun;
        const items = async function* () {
            yield 0;
            await new Promise((resolve) => (begun = resolve));
            yield 0;
        };
        const other = pipeline.stream(items());
        await other.next();
        assert.equal((await failure(pipeline.run([1]))).code, 'trap');
        begun();
        assert.equal((await failure(other.next())).code, 'trap'); // it was in the same instance
        assert.deepEqual((await pipeline.run([0])).outputs, { p: [0] });
    },
    async sources_that_misbehave() {
        const pipeline = await open(ECHO), upper = await open(manifest([{ id: 'up', node_type: 'UppercaseTransform' }]));
        const controller = new AbortController(), cleaned = [];
        const aborting = function* () {
            try {
                yield 1;
                controller.abort(new Error('stop'));
                yield 2;
            } finally {
                cleaned.push('aborting');
            }
        };
        await assert.rejects(pipeline.run(aborting(), { signal: controller.signal }), /stop/);
        const throwing = function* () {
            try {
                for (;;)
                    yield 5;
            } finally {
                cleaned.push('throwing');
                throw new Error('cleanup');
            }
        };
        assert.equal((await failure(upper.run(throwing()))).node, 'up');
        await soon();
        assert.deepEqual(cleaned, ['aborting', 'throwing']);
        await assert.rejects(pipeline.run({ [Symbol.iterator]: () => undefined }), TypeError);
        for (const step of [undefined, 5, null, Promise.resolve(7)])
            await assert.rejects(pipeline.run({ [Symbol.iterator]: () => ({ next: () => step }) }), TypeError);
        const nothing = function* () {
            yield 1;
            throw undefined;
        };
        assert.equal(await pipeline.run(nothing()).then(() => 'ended', (error) => error), undefined);
        const late = new AbortController();
        const run = pipeline.run((async function* () {
            yield 1;
            late.abort(null);
            yield 2;
        })(), { signal: late.signal });
        assert.equal(await run.then(() => 'ended', (error) => error), null);
        assert.deepEqual((await pipeline.run([1])).outputs, { p: [1] });
    },
    async streams_are_cancelled() {
        // While the next item is awaited, too.
        const pipeline = await open(ECHO), upper = await open(manifest([{ id: 'up', node_type: 'UppercaseTransform' }]));
        const source = (...items) => {
            let tell;
            const cancelled = new Promise((resolve) => (tell = resolve));
            const stream = new ReadableStream({ start: (controller) => items.forEach((item) => controller.enqueue(item)), cancel: tell });
            return { stream, cancelled: Promise.race([cancelled, sleep(5000, 'is not cancelled', { ref: false })]) };
        };
        let { stream, cancelled } = source(0);
        for await (const { value } of pipeline.stream(stream)) {
            assert.equal(value, 0);
            break;
        }
        assert.equal(await cancelled, undefined);
        ({ stream, cancelled } = source('a', 5));
        const failed = await failure(upper.run(stream));
        assert.deepEqual([await cancelled, stream.locked], [failed, false]);
        ({ stream, cancelled } = source('a', 5));
        const piped = await failure(stream.pipeThrough(upper.transform()).pipeTo(new WritableStream()));
        assert.deepEqual([piped.code, await cancelled], ['type', piped]);
        ({ stream, cancelled } = source('a'));
        const reader = stream.pipeThrough(upper.transform()).getReader();
        assert.equal((await reader.read()).value.value, 'A');
        await reader.cancel('enough');
        assert.equal(await cancelled, 'enough');
        ({ stream, cancelled } = source('a'));
        const controller = new AbortController(), results = upper.stream(stream, { signal: controller.signal });
        await results.next();
        controller.abort('no more');
        assert.equal(await cancelled, 'no more');
        const { readable, writable } = upper.transform(), writer = writable.getWriter();
        writer.write(5).catch(() => {});
        assert.equal(await failure(readable.getReader().read()), await failure(writer.closed));
    },
    async callbacks_that_throw() {
        const reported = [], { error } = console;
        console.error = (thrown) => reported.push(thrown.message);
        try {
            const onLog = ({ text }) => {
                throw new Error(`of ${text}`);
            };
            const onProgress = async () => {
                throw new Error('of progress');
            };
            const pipeline = await open(python('def process(x):\n    print(x)\n    return x'), { onLog, onProgress });
            assert.deepEqual((await pipeline.run([1, 2])).outputs, { p: [1, 2] });
        } finally {
            console.error = error;
        }
        assert.deepEqual(reported, ['of progress', 'of 1', 'of 2']);
        for (const option of ['onLog', 'onProgress'])
            await assert.rejects(Pipeline.open(ECHO, { worker, [option]: 5 }), { name: 'TypeError', message: new RegExp(option) });
    },
    async cancel_in_a_loop() {
        const pipeline = await open(ECHO), items = function* () {
            for (;;)
                yield new Float32Array(65536);
        };
        let n = 0;
        const failed = await failure((async () => {
            for await (const _ of pipeline.stream(items()))
                if (++n === 5)
                    await pipeline.cancel();
        })());
        assert.equal(failed.code, 'cancelled');
        assert(n >= 5);
    },
    async one_signal_for_many() {
        const warnings = [], warned = (warning) => warnings.push(warning.name), controller = new AbortController(), { signal } = controller;
        process.on('warning', warned);
        const pipeline = await open(ECHO, { signal });
        const count = async () => (await import('node:events')).getEventListeners?.(signal, 'abort').length ?? 1;
        const runs = range(20).map(() => pipeline.stream(new ReadableStream(), { signal }));
        assert.equal(await count(), 1);
        await soon();
        const ends = runs.map((results) => assert.rejects(results.next(), /all/));
        controller.abort(new Error('all'));
        await Promise.all(ends);
        const ended = new AbortController();
        for (let i = 0; i < 20; i++)
            (await open(ECHO, { signal: ended.signal, worker: false })).terminate();
        process.removeListener('warning', warned);
        assert.deepEqual([warnings, (await import('node:events')).getEventListeners?.(ended.signal, 'abort').length ?? 0], [[], 0]);
    },
    async tensors() {
        const pipeline = await open(TRIPLE), big = new Float32Array(300000).map((_, i) => i % 100);
        const { outputs: { x3: [matrix, row, large] } } = await pipeline.run([
            { data: new Float64Array([1, 2, 3, 4]), shape: [2, 2], dtype: 'float64' }, new Float32Array([1, 2]), big]);
        assert.deepEqual(matrix, { data: new Float64Array([3, 6, 9, 12]), shape: [2, 2], dtype: 'float64' });
        assert.deepEqual(row, { data: new Float32Array([3, 6]), shape: [2], dtype: 'float32' });
        assert.equal(big.length, 300000); // it is still ours
        assert.deepEqual(large.data, big.map((x) => 3 * x));
    },
    async large_arrays() {
        // Those from 64 KiB on travel in buffers of their own: alone, in lists and maps, beside small ones, of odd lengths.
        const pipeline = await open(ECHO), numbers = (count) => new Float32Array(count).map((_, i) => i % 1000);
        const items = [numbers(16384), [numbers(3), numbers(20000), 'x', numbers(40004)], { a: numbers(16385), b: [numbers(0), numbers(16388)] },
            7, { data: numbers(60000), shape: [200, 300], dtype: 'float32', sampleRate: 8000 }, new Uint8Array(70000).fill(9), new Uint8Array(65536).fill(3)];
        const shown = (value) => JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? [part.constructor.name, ...part] : part));
        const first = (await pipeline.run(items)).outputs.p;
        assert.equal(items[0].length, 16384);
        for (let round = 0; round < 3; round++) // in buffers that were used before
            assert.equal(shown((await pipeline.run(items)).outputs.p), shown(first));
        assert.deepEqual(first[0].data, items[0]);
        assert.deepEqual(first[1][1].data, items[1][1]);
        assert.deepEqual(first[1][3].data, items[1][3]);
        assert.deepEqual([first[2].a.data, first[2].b[0].data, first[2].b[1].data], [items[2].a, ...items[2].b]);
        assert.deepEqual([first[3], first[4].data, first[4].shape, first[4].sampleRate], [7, items[4].data, [200, 300], 8000]);
        assert.deepEqual(first.slice(5), items.slice(5));
    },
    async transfer() {
        const pipeline = await open(TRIPLE), options = { transfer: true };
        let array = new Float32Array(20000).fill(2);
        for (let round = 1; round < 4; round++) { // a result is the next item
            const [{ data }] = (await pipeline.run([array], options)).outputs.x3;
            assert.deepEqual([array.length, data.length, data[19999]], [0, 20000, 2 * 3 ** round]);
            array = data;
        }
        const small = new Float32Array(100).fill(1), odd = new Float32Array(20001).fill(1);
        assert.equal((await pipeline.run([small, odd], options)).outputs.x3[1].data[20000], 3);
        assert.deepEqual([small.length, odd.length], [100, 0]); // the small one is copied
        const one = new ArrayBuffer(131072), halves = [new Float32Array(one, 0, 16384).fill(1), new Float32Array(one, 65536).fill(2)];
        const { outputs } = await (await open(ECHO)).run([halves], options); // both of one buffer
        assert.deepEqual(outputs.p[0].map(({ data }) => [data.length, data[16383]]), [[16384, 1], [16384, 2]]);
        const gone = new Float32Array(20000), taken = [gone, gone];
        assert.deepEqual((await (await open(ECHO)).run([taken], options)).outputs.p[0].map(({ data }) => data.length), [20000, 20000]);
        const shared = new Float32Array(new SharedArrayBuffer(80000)).fill(5);
        assert.equal((await pipeline.run([shared], options)).outputs.x3[0].data[19999], 15);
        const memory = new WebAssembly.Memory({ initial: 2 }), fixed = new Float32Array(memory.buffer, 0, 20000).fill(7), beside = new Float32Array(20000).fill(1);
        assert.deepEqual((await pipeline.run([beside, fixed], options)).outputs.x3.map(({ data }) => data[19999]), [3, 21]); // cannot be given away: copied
        assert.deepEqual([fixed.length, beside.length], [20000, 0]);
        for (const wait of [() => {}, async () => sleep(50)]) {
            const early = new Float32Array(20000), rest = (async function* () {
                yield early;
                structuredClone(null, { transfer: [early.buffer] });
                await wait();
            })();
            assert.equal((await failure(pipeline.run(rest, options))).code, 'value');
        }
        const bad = new Float32Array(20000), failed = await failure(pipeline.run([1, [bad, () => 1]], options));
        assert.deepEqual([failed.code, failed.item, bad.length], ['type', 1, 20000]); // what is not sent stays
    },
    async abort_a_download() {
        const http = await import('node:http'), server = http.createServer(() => {}).listen(0, '127.0.0.1');
        await new Promise((resolve) => server.on('listening', resolve));
        const controller = new AbortController(), wasm = `http://127.0.0.1:${server.address().port}/never.wasm`;
        const opening = open(ECHO, { wasm, signal: controller.signal });
        server.on('request', () => controller.abort(new Error('enough')));
        await assert.rejects(opening, /enough/);
        server.closeAllConnections();
        server.close();
    },
    async audio() {
        const pipeline = await open(manifest([{ id: 'level', node_type: 'AudioLevel' }]));
        const frames = new Float32Array(480).fill(0.5);
        const audio = { numberOfChannels: 2, length: 480, sampleRate: 48000, getChannelData: () => frames };
        const { outputs } = await pipeline.run([audio]);
        assert(Math.abs(outputs.level[0].rms_dbfs + 6.02) < 0.01, JSON.stringify(outputs));
        const [back] = (await (await open(ECHO)).run([audio])).outputs.p;
        assert.deepEqual([back.shape, back.dtype, back.sampleRate, back.data.length], [[480, 2], 'float32', 48000, 960]);
    },
    async numpy() {
        const pipeline = await open(python('import numpy as np\ndef process(t):\n    return np.asarray(t) + 1'));
        assert.equal(pipeline.variant, 'numpy');
        const { outputs } = await pipeline.run([{ data: new Int32Array([1, 2]), shape: [2, 1], dtype: 'int32' }]);
        assert.deepEqual(outputs.p, [{ data: new Int32Array([2, 3]), shape: [2, 1], dtype: 'int32' }]);
    },
    async own_input() {
        const pipeline = await open({ manifest: ECHO, input_data: [1, 2] });
        assert.deepEqual((await pipeline.run()).outputs, { p: [1, 2] });
        assert.deepEqual((await pipeline.run()).outputs, { p: [1, 2] });
        const source = await open(manifest([{ id: 's', node_type: 'SimpleSource', params: { count: 2, value: 'x' } }]));
        assert.deepEqual((await source.run()).outputs, { s: ['x', 'x'] });
    },
    async files() {
        await (await import('node:fs/promises')).writeFile('third.py', 'def h(x):\n    return -x\n');
        const files = {
            'first.py': 'import inner.second\nimport third\nclass Node:\n    def process(self, x):\n        return inner.second.g(third.h(x))\n',
            'inner/second.py': new TextEncoder().encode('def g(x):\n    return [x, open("data.txt").read()]\n'),
            'third.py': pathToFileURL(path.resolve('third.py')),
            'data.txt': new TextEncoder().encode('ü').buffer,
        };
        const pipeline = await open(manifest([{ id: 'p', node_type: 'first:Node' }]), { files });
        assert.equal(pipeline.variant, 'full');
        assert.deepEqual((await pipeline.run([1])).outputs, { p: [[-1, 'ü']] });
    },
    async files_by_url() {
        await (await import('node:fs/promises')).writeFile('fourth.py', 'def f(x):\n    return 4 * x\n');
        const code = 'import fourth\ndef process(x):\n    return fourth.f(x)';
        for (const url of ['fourth.py', pathToFileURL(path.resolve('fourth.py'))])
            assert.deepEqual((await (await open(python(code), { files: [url] })).run([2])).outputs, { p: [8] });
        assert.equal((await failure(open(ECHO, { files: ['nowhere.py'] }))).code, 'download');
    },
    async files_with_one_name() {
        const fs = await import('node:fs/promises');
        await fs.mkdir('one', { recursive: true });
        await fs.writeFile('one/fifth.py', 'N = 1\n');
        await fs.writeFile('fifth.py', 'N = 2\n');
        const { code, message } = await failure(open(ECHO, { files: ['one/fifth.py', new URL('fifth.py?x', pathToFileURL(`${path.resolve('.')}/`))] }));
        assert.equal(code, 'value');
        assert.match(message, /one\/fifth\.py.*fifth\.py\?x.*'fifth\.py'.*object/);
        const files = { 'a/fifth.py': pathToFileURL(path.resolve('one/fifth.py')), 'b/fifth.py': pathToFileURL(path.resolve('fifth.py')) };
        const document = python('from a import fifth\nfrom b import fifth as other\ndef process(x):\n    return [fifth.N, other.N]');
        assert.deepEqual((await (await open(document, { files })).run([0])).outputs, { p: [[1, 2]] });
    },
    async wasm_that_is_none() {
        const fs = await import('node:fs/promises'), folder = 'node_modules/remotemedia/wasm', lite = (await fs.readdir(folder)).find((name) => /^lite.*wasm$/.test(name));
        const whole = await fs.readFile(path.join(folder, lite));
        const found = { 'page.wasm': '<!doctype html>', 'cut.wasm': whole.subarray(0, 5000), 'empty.wasm': '', 'other.wasm': new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]) };
        for (const [name, content] of Object.entries(found)) {
            await fs.writeFile(name, content);
            const { code, message } = await failure(open(ECHO, { wasm: name }));
            assert.equal(code, name === 'other.wasm' ? 'value' : 'download', message);
            assert.match(message, name === 'other.wasm' ? /reactor/ : new RegExp(`${name} .*no whole WebAssembly.*${name === 'page.wasm' ? 'HTML.*' : ''}remotemedia_reactor`));
        }
        for (const wasm of [5, null, whole, {}, { url: 7 }])
            assert.equal((await failure(open(ECHO, { wasm }))).code, 'type');
    },
    async wasm_integrity() {
        const { createHash } = await import('node:crypto'), fs = await import('node:fs/promises');
        const folder = 'node_modules/remotemedia/wasm', lite = (await fs.readdir(folder)).find((name) => /^lite.*wasm$/.test(name));
        const url = pathToFileURL(path.resolve(folder, lite)), hash = (kind, data) => `${kind}-${createHash(kind).update(data).digest('base64')}`;
        const data = await fs.readFile(url);
        for (const integrity of [hash('sha384', data), `${hash('sha256', 'x')} ${hash('sha256', data)}`])
            assert.deepEqual((await (await open(ECHO, { wasm: { url: `${url}?${integrity}`, integrity } })).run([1])).outputs, { p: [1] });
        for (const integrity of [hash('sha256', 'x'), `${hash('sha512', 'x')} ${hash('sha256', data)}`, 'sha1-x'])
            assert.equal((await failure(open(ECHO, { wasm: { url: `${url}?${integrity}`, integrity } }))).code, 'download');
    },
    async sleeping() {
        const code = 'import asyncio\nasync def process(x):\n    await asyncio.sleep(0.2)\n    return x';
        const pipeline = await open(python(code));
        let ticks = 0;
        const timer = setInterval(() => ticks++, 10);
        const runs = await Promise.all([pipeline.run([1]), pipeline.run([2])]); // both at once
        clearInterval(timer);
        assert.deepEqual(runs.map(({ outputs }) => outputs.p), [[1], [2]]);
        assert(ticks > 3);
    },
    async cancel() {
        const pipeline = await open(python('import asyncio\nasync def process(x):\n    await asyncio.sleep(x)\n    return x'));
        const results = pipeline.stream([0, 3600]);
        assert.equal((await results.next()).value.value, 0);
        const next = failure(results.next());
        await pipeline.cancel();
        assert.equal((await next).code, 'cancelled');
        assert.deepEqual(await results.next(), { value: undefined, done: true });
        assert.deepEqual((await pipeline.run([0])).outputs, { p: [0] });
    },
    async abort() {
        const pipeline = await open(python('import asyncio\nasync def process(x):\n    await asyncio.sleep(x)\n    return x'));
        const controller = new AbortController(), { signal } = controller;
        const results = pipeline.stream([0, 3600], { signal });
        assert.equal((await results.next()).value.value, 0);
        const next = results.next();
        controller.abort(new Error('enough'));
        await assert.rejects(next, /enough/);
        await assert.rejects(pipeline.run([1], { signal }), /enough/);
        await assert.rejects(open(ECHO, { signal }), /enough/);
        assert.deepEqual((await pipeline.run([0])).outputs, { p: [0] });
        const other = new AbortController();
        const whole = await open(ECHO, { signal: other.signal });
        other.abort(new Error('all'));
        await assert.rejects(whole.run([1]), /all/);
    },
    async terminate() {
        const pipeline = await open(worker ? python('def process(x):\n    while True: pass') : ECHO);
        const stuck = worker ? failure(pipeline.run([1])) : failure(pipeline.run(new ReadableStream()));
        pipeline.terminate();
        assert.equal((await stuck).code, 'terminated');
        assert.equal((await failure(pipeline.run([1]))).code, 'terminated');
        assert.deepEqual((await (await open(ECHO)).run([1])).outputs, { p: [1] });
    },
    async logs() {
        const logs = [], files = [];
        const code = 'import sys\nprint("hello")\ndef process(x):\n    print("to you", file=sys.stderr)\n    return x';
        const options = { onLog: (log) => logs.push(log), onProgress: (at) => files.push(at) };
        await (await open(python(code), options)).run([1]);
        assert.deepEqual(logs.map(({ text, level }) => [text, level]), [['hello', 'info'], ['to you', 'info']]);
        const { file, loaded, total } = files.at(-1);
        assert(file.includes('/full-') && loaded === total && total > 1e6, JSON.stringify(files));
    },
    async transform() {
        const { readable, writable } = (await open(TRIPLE)).transform();
        const writer = writable.getWriter();
        const wrote = (async () => {
            for (const n of range(100))
                await writer.write(n);
            await writer.close();
        })();
        const found = [];
        for await (const { value } of readable)
            found.push(value);
        await wrote;
        assert.deepEqual(found, range(100).map((n) => 3 * n));
        const broken = (await open(TRIPLE)).transform(), into = broken.writable.getWriter();
        const read = broken.readable.getReader().read();
        await assert.rejects(Promise.all([into.write(() => 1), read]), { code: 'type' });
    },
    async options() {
        const code = 'import random, os\ndef process(x):\n    return [random.random(), os.environ.get("A")]';
        const draw = async () => (await (await open(python(code), { seed: 5, env: { A: 'b' } })).run([0])).outputs.p[0];
        assert.deepEqual(await draw(), await draw());
        assert.equal((await draw())[1], 'b');
        const late = await open(python('import asyncio\nasync def process(x):\n    await asyncio.sleep(3600)'), { timeoutMs: 50 });
        assert.equal((await failure(late.run([1]))).code, 'timeout');
    },
};

for (const [name, check] of Object.entries(checks)) {
    const wrong = await check().then(() => null, (error) => error.stack);
    console.log(JSON.stringify([name, wrong]));
    opened.splice(0).forEach((pipeline) => pipeline.terminate());
}
await (await open(ECHO)).run([1]);
