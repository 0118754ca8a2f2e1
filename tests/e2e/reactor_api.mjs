// Checks of a reactor's exports, run in Node: node reactor_api.mjs FILE.wasm CHECK. Prints what CHECK returns, as JSON.
import fs from 'node:fs';
import { WASI } from 'node:wasi';
import { PipelineError, Reactor } from '../../wasm/reactor.mjs';

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

const checks = {
    async items() {
        const opened = new Reactor(instance()).open(echo);
        return opened.run([1, 1.5, 'ü', null, { a: [12345678901234567890] }]);
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
            return [values, error.code, error.document.error.node, error.document.error.item];
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
        const item = { __numpy__: true, array: { meta: { shape: [2], dtype: 'float64' }, data: 'AAAAAAAA8D8AAAAAAAAAQA==' } };
        const [array, before] = (await new Reactor(instance()).open(pipeline([python('p', code)])).run([item])).p[0];
        return [[array.array.meta.dtype, array.array.meta.shape, array.array.data], before];
    },
};

process.stdout.write(JSON.stringify(await checks[name]()) + '\n');
