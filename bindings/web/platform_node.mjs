// What only Node has.
import fs from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { PipelineError } from './errors.mjs';
import { compiledOnce } from './modules.mjs';

async function contentOf(url, options) {
    if (url.protocol === 'file:')
        return fs.readFile(fileURLToPath(url));
    const response = await fetch(url, options);
    if (!response.ok)
        throw new Error(`${response.status} ${response.statusText}`.trim());
    return new Uint8Array(await response.arrayBuffer());
}

async function read(url, options) {
    try {
        return await contentOf(url, options);
    } catch (error) {
        throw new PipelineError('download', `cannot read ${url}: ${error.message}`, { cause: error });
    }
}

async function compile(url, { integrity = '' }, onProgress) {
    const bytes = await read(url, { integrity });
    onProgress?.({ file: String(url), loaded: bytes.length, total: bytes.length });
    return WebAssembly.compile(bytes);
}

export const platform = {
    workerByDefault: false,

    /** The compiled module; a process compiles a file once. */
    compile(file, { onProgress }) {
        const url = new URL(file.url ?? file, `file://${process.cwd()}/`);
        return compiledOnce(String(url), file, onProgress, () => compile(url, file, onProgress));
    },

    read: (url) => read(url, {}),

    worker() {
        const worker = new Worker(new URL('./worker_node.mjs', import.meta.url));
        let ended = false;
        return {
            post: (message, transfer = []) => worker.postMessage(message, transfer),
            listen(hear, failed) {
                worker.on('message', hear);
                worker.on('error', (error) => failed(new PipelineError('internal', `the Worker failed: ${error.message}`, { cause: error })));
                worker.on('exit', (code) => ended || failed(new PipelineError('internal', `the Worker ended with exit code ${code}`)));
            },
            terminate() {
                ended = true;
                worker.terminate();
            },
            /** Whether the process waits for the Worker. */
            hold: (holds) => (holds ? worker.ref() : worker.unref()),
        };
    },
};
