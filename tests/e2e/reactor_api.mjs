// Checks of a reactor's exports, run in Node: node reactor_api.mjs FILE.wasm CHECK. Prints what CHECK returns, as JSON.
import fs from 'node:fs';
import { WASI } from 'node:wasi';
import { inspect, isDeepStrictEqual } from 'node:util';
import { Batch } from '../../bindings/web/batch.mjs';
import { BatchReader, BatchWriter } from '../../bindings/web/wire.mjs';
import { PipelineError, Reactor } from '../../bindings/web/reactor.mjs';

const [file, name] = process.argv.slice(2);
const module = new WebAssembly.Module(fs.readFileSync(file));

function instance() {
    const wasi = new WASI({ version: 'preview1', env: { FRESH: 'yes' } });
    const imports = Object.fromEntries(
        Object.entries(wasi.wasiImport).map(([call, made]) => [call, (...args) => made(...args)]),
    );
    const made = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
    wasi.initialize(made); // calls _initialize where there is one
    return made;
}

const pipeline = (nodes, connections = []) => ({ version: 'v1', metadata: { name: 'test' }, nodes, connections });
const python = (id, code) => ({ id, node_type: 'Python', params: { code } });
const echo = pipeline([{ id: 'p', node_type: 'PassThrough' }]);

function failure(call) {
    try {
        call();
    } catch (error) {
        if (error instanceof PipelineError)
            return [error.code, error.message];
        throw error;
    }
    return null;
}

/** The exports of an instance with a pipeline of `document`, and batches in it. */
function batches(document = echo) {
    const { exports } = instance(), reactor = new Reactor({ exports });
    const { sinks } = reactor.open(document);
    const words = (at, count) => new Uint32Array(exports.memory.buffer, at, count);
    const taken = () => {
        const batch = new Batch();
        batch.append(new Uint8Array(exports.memory.buffer), exports.rm_text());
        const reader = new BatchReader(batch.take()), values = [];
        while (!reader.done)
            values.push(reader.next());
        return values;
    };
    return {
        exports,
        sinks,
        words,
        /** {at, size}: a batch of items. */
        put(items) {
            const writer = new BatchWriter();
            items.forEach((item) => writer.write(item));
            const { places, size } = reactor.putBatch(writer.take());
            return { at: places[0], size, parts: places.slice(1) };
        },
        push: ({ at, size }, handle = 1) => exports.rm_push_many(handle, 0, 0, at, size),
        pull: (count = 2048, size = 65536, handle = 1) => [exports.rm_pull_many(handle, count, size), taken],
        finish() {
            let code = 0;
            while (code === 0)
                code = exports.rm_step(1);
            return code;
        },
    };
}

const checks = {
    /** A batch that the queues do not hold at once; results in batches of a few. */
    batches() {
        const { exports, words, put, push, pull, finish } = batches(), items = [...Array(300).keys()], batch = put(items);
        const codes = new Set(), values = [], sizes = new Set();
        for (let code = 4; code === 4; ) {
            code = push(batch);
            codes.add(code);
            finish();
            for (let [got, taken] = pull(7); got === 0; [got, taken] = pull(7)) {
                values.push(...taken());
                sizes.add(taken().length <= 7);
            }
        }
        return [[...codes], values.every((value, i) => value === i), values.length, [...sizes], words(batch.at, 4)[2] === words(batch.at, 4)[0],
            push(batch), exports.rm_end(1), finish(), pull()[0]];
    },
    /** A large tensor is where the host put it, from the push to the pull, also when the host has released it; bytes are copied. */
    parts() {
        const { exports, words, put, push, pull, finish } = batches();
        const large = new Float32Array(20000).map((_, i) => i), bytes = new Uint8Array(70000).fill(3);
        const batch = put([{ a: [large], b: bytes }, 1]), [part] = batch.parts;
        const codes = [push(batch), ...[batch.at, ...batch.parts].map((at) => exports.rm_release(at)), exports.rm_release(part)];
        finish();
        const [code, taken] = pull(), text = exports.rm_text(), [length, parts] = words(text, 2);
        const place = words(text + 16 + length, 3), [{ a: [array], b }] = taken();
        const found = [parts, place[1] === part, isDeepStrictEqual(array.data, large), isDeepStrictEqual(b, bytes)];
        return [codes, code, found, pull()[1]()];
    },
    /** What is no batch is an answer. */
    wild_batches() {
        const { exports, words, put, push, pull, finish } = batches(echo), whole = put([1, { a: new Uint8Array(70000) }]);
        const head = [...words(whole.at, 4)], table = whole.at + 16 + head[0], part = [...words(table, 3)], found = [];
        const changed = (at, i, value) => {
            const before = words(at, 4)[i];
            words(at, 4)[i] = value;
            const code = push(whole);
            words(at, 4)[i] = before;
            words(whole.at, 4)[2] = 0;
            finish();
            while (pull()[0] === 0);
            return code;
        };
        for (const value of [1, 8, head[0] + 16, 2 ** 32 - 16, 2 ** 32 - 1])
            found.push(changed(whole.at, 0, value));
        found.push('parts', ...[2, 2 ** 31, 2 ** 32 - 1].map((value) => changed(whole.at, 1, value)));
        found.push('next', ...[1, head[0] + 16, 2 ** 32 - 16].map((value) => changed(whole.at, 2, value)));
        found.push('length', ...[8, 64, 2 ** 31, 2 ** 32 - 1].map((value) => changed(whole.at + 16, 0, value)));
        found.push('place', ...[0, 65536, 2 ** 32 - 1].map((value) => changed(table, 1, value)));
        found.push('no part', ...[changed(table, 0, part[0] + 1), changed(table, 2, 69999), changed(whole.at, 1, 0)]);
        found.push('call', exports.rm_push_many(1, 0, 0, whole.at, 15), exports.rm_push_many(1, 0, 0, whole.at + 8, 32),
            exports.rm_push_many(1, 0, 0, whole.at, whole.size + 1), push(whole, 2), pull(1, 1, 2)[0]);
        return [...found, 'whole', push(whole)];
    },
    /** A result that cannot be given comes after those before it. */
    late() {
        let deep = 2;
        for (let i = 0; i < 199; i++)
            deep = [deep];
        const document = pipeline([{ id: 'b', node_type: 'Batch', params: { size: 1 } }, { id: 'w', node_type: 'Batch', params: { size: 1 } }], [{ from: 'b', to: 'w' }]);
        const { exports, put, push, pull, finish } = batches(document), codes = [push(put([1, deep, 3]))];
        finish();
        for (let i = 0; i < 4; i++) {
            const [code, taken] = pull();
            codes.push(code === 0 ? taken() : code, exports.rm_error());
        }
        return codes;
    },
    async items() {
        const opened = new Reactor(instance()).open(echo);
        return opened.run([1, 1.5, 'ü', null, { a: [1234567] }]);
    },
    /** Every kind of value, there and back; what does not come back the same. */
    async values() {
        const long = 'x'.repeat(1000) + 'ü'.repeat(1000), big = new Float32Array(10000).map((_, i) => i / 7);
        const tensor = (data, dtype, shape = [data.length]) => ({ data, shape, dtype });
        const items = [
            true, false, 0, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1 - 2 ** 53, 1e300, -0.5, Infinity, 2n ** 53n, -(2n ** 63n), 2n ** 64n,
            -(2n ** 200n), '', 'ü\0', long, '\u{1f600}', [], [[1, [2, {}]], 'x'], { a: null, 'ü': { b: [] }, __proto__x: 1 },
            new Uint8Array([0, 255]), new Uint8Array(70000), tensor(big, 'float32', [100, 100]), tensor(new Float64Array(0), 'float64'),
            tensor(new Int8Array([-1, 2]), 'int8', [2, 1]), tensor(new BigInt64Array([-1n]), 'int64'), tensor(new Uint8Array([1]), 'bool', []),
            tensor(new Uint8Array(3), 'uint8'), tensor(new Uint16Array([1]), 'uint16'), tensor(new BigUint64Array([2n ** 63n]), 'uint64'),
            tensor(new Float32Array([1, 2]), 'complex64', [1]), tensor(new Uint16Array([16256]), 'bfloat16'),
            { ...tensor(new Float32Array([0.5, -1]), 'float32', [2, 1]), sampleRate: 16000, layout: 4 },
        ];
        const { p } = await new Reactor(instance()).open(echo).run(items);
        return items.flatMap((item, at) => (isDeepStrictEqual(item, p[at]) ? [] : [inspect([item, p[at]])]));
    },
    /** Values that other forms stand for. */
    async forms() {
        const frames = [new Float32Array([1, 2]), new Float32Array([3, 4])];
        const audio = { numberOfChannels: 2, length: 2, sampleRate: 8000, getChannelData: (c) => frames[c] };
        const items = [undefined, -0, new Date(0), new Map([['a', 1]]), new Int16Array([5]), new Uint8ClampedArray([6]), audio, { f() {}, u: undefined }];
        const { p } = await new Reactor(instance()).open(echo).run(items);
        return [p[0], Object.is(p[1], -0), ...p.slice(2).map((value) => (value.data ? { ...value, data: [...value.data] } : value))];
    },
    refused() {
        const opened = new Reactor(instance()).open(echo), cycle = [];
        cycle.push(cycle);
        const items = [() => 1, Symbol('x'), new Set(), cycle, { data: new Float32Array(3), shape: [2] },
            { data: new Float32Array(2), shape: [2], dtype: 'int8' }, { data: new Int8Array(1), shape: [1], dtype: 'int3' }];
        return items.map((item) => failure(() => opened.push(item)));
    },
    /** Every cut of a message, and every byte changed, is an answer. */
    hostile() {
        const exports = instance().exports, batch = new BatchWriter();
        const reactor = new Reactor({ exports });
        reactor.open(echo);
        reactor.open(echo);
        batch.write([1, 'two', 2n ** 70n, { three: new Float32Array([4]) }, new Uint8Array(2)]);
        const { buffer } = batch.take(), length = new DataView(buffer).getUint32(0, true);
        const message = new Uint8Array(buffer, 16, length), at = exports.rm_alloc(length + 1), found = new Set();
        const push = (bytes, size = bytes.length, handle = 1) => {
            new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
            return exports.rm_push(handle, 1, 0, 0, at, size);
        };
        for (let size = 0; size < length; size++)
            found.add(push(message.subarray(0, size)));
        found.add(push(message, length + 1));
        for (let i = 0; i < length; i++)
            for (const value of [0, 1, 127, 255])
                push(message.with(i, value));
        return [[...found], push(message, length, 2)];
    },
    async many() {
        const outputs = await new Reactor(instance()).open(echo).run([...Array(1000).keys()]);
        return outputs.p.length === 1000 && outputs.p.every((value, index) => value === index);
    },
    async own_input() {
        const reactor = new Reactor(instance());
        const opened = reactor.open({ manifest: echo, input_data: [1, 2] });
        return [failure(() => opened.push(3))?.[0], await opened.run()];
    },
    async several() {
        const reactor = new Reactor(instance()), other = new Reactor(instance());
        const opened = [reactor.open(echo), reactor.open(echo), other.open(echo)];
        return Promise.all(opened.map((one, index) => one.run([index])));
    },
    wrong() {
        const exports = instance().exports, at = exports.rm_alloc(8);
        return {
            handle: [-1, 0, 7].map((handle) => exports.rm_step(handle)),
            address: exports.rm_open(0x7fffff00, 100, 0, 0),
            length: exports.rm_open(at, 9, 0, 0),
            huge: exports.rm_open(at, 0xffffffff, 0, 0),
            release: [exports.rm_release(at + 1), exports.rm_release(at), exports.rm_release(at)],
            pending: Number.isNaN(exports.rm_pending_ms(3)),
            error: exports.rm_error() === 0,
        };
    },
    messages() {
        const reactor = new Reactor(instance()), opened = reactor.open(echo);
        return [
            failure(() => reactor.open({ version: 'v1' })),
            failure(() => reactor.open(echo, { sed: 1 })),
            failure(() => opened.push(1, 'nobody')),
            failure(() => reactor.call('rm_push', 1, 9, 0, 0, 0, 0)),
            failure(() => reactor.call('rm_describe', 1, 4)),
            failure(() => (opened.close(), opened.push(1))),
        ];
    },
    async cancel() {
        const opened = new Reactor(instance()).open(echo);
        opened.push(1);
        opened.cancel();
        return opened.run().then(() => null, (error) => error.code);
    },
    async failed_item() {
        const opened = new Reactor(instance()).open(pipeline([python('p', 'def process(x):\n    return 6 // x')]));
        for (const item of [1, 2, 0, 3])
            opened.push(item);
        opened.end();
        const values = [];
        try {
            for await (const { value } of opened.results())
                values.push(value);
        } catch (error) {
            return [values, error.code, error.node, error.item];
        }
    },
    async sleeping() {
        // Both wait at once, and the page's own timers run meanwhile.
        const code = 'import asyncio\nasync def process(x):\n    await asyncio.sleep(0.3)\n    return x';
        const reactor = new Reactor(instance());
        const opened = [1, 2].map(() => reactor.open(pipeline([python('a', code)])));
        let ticks = 0;
        const timer = setInterval(() => ticks++, 10);
        const outputs = await Promise.all(opened.map((one, index) => one.run([index])));
        clearInterval(timer);
        return [outputs, ticks > 3];
    },
    async fresh() {
        const code = 'import os, random\ndef process(x):\n    return [os.environ.get("FRESH"), random.random()]';
        const draw = async () => (await new Reactor(instance()).open(pipeline([python('p', code)])).run([0])).p[0];
        const [a, b] = [await draw(), await draw()];
        return [a[0], a[1] !== b[1]];
    },
    async arrays() {
        const code = 'import sys\nbefore = "numpy" in sys.modules\nimport numpy as np\n'
            + 'def process(t):\n    return [np.asarray(t) + 1, before]';
        const item = { data: new Float64Array([1, 2]), shape: [2], dtype: 'float64' };
        const [array, before] = (await new Reactor(instance()).open(pipeline([python('p', code)])).run([item])).p[0];
        return [[array.dtype, array.shape, [...array.data]], before];
    },
};

process.stdout.write(JSON.stringify(await checks[name]()) + '\n');
