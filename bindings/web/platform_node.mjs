// What only Node has.
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { inflateRawSync } from 'node:zlib';

import { PipelineError } from './errors.mjs';
import { compiledOnce } from './modules.mjs';
import { serve } from './session.mjs';

const base = () => `file://${process.cwd()}/`;

async function contentOf(url) {
    if (url.protocol === 'file:')
        return fs.readFile(fileURLToPath(url));
    const response = await fetch(url);
    if (!response.ok)
        throw new Error(`${response.status} ${response.statusText}`.trim());
    return new Uint8Array(await response.arrayBuffer());
}

/** Not all hosts' fetch checks; as there, the strongest kind of hash counts, of which one must fit. */
function check(bytes, integrity) {
    const hashes = [...integrity.matchAll(/\b(sha256|sha384|sha512)-([A-Za-z0-9+/=]+)/g)];
    const strongest = hashes.map(([, kind]) => kind).sort().at(-1);
    if (!hashes.some(([, kind, hash]) => kind === strongest && createHash(kind).update(bytes).digest('base64') === hash))
        throw new Error(`it is not what the integrity ${integrity} says`);
}

/** `place` is a URL, or a path. */
async function read(place, integrity) {
    try {
        const url = /^[a-z][a-z0-9+.-]+:/i.test(place) ? new URL(place) : pathToFileURL(place);
        const bytes = await contentOf(url);
        if (integrity)
            check(bytes, integrity);
        return bytes;
    } catch (error) {
        throw new PipelineError('download', `cannot read ${place}: ${error.message}`, { cause: error });
    }
}

async function compile(url, { integrity }, onProgress, got) {
    const bytes = await read(url, integrity);
    got(bytes[0] === 60 ? 'HTML' : `${bytes.length} bytes`); // 60: <
    onProgress?.({ file: String(url), loaded: bytes.length, total: bytes.length });
    return WebAssembly.compile(bytes);
}

export const platform = {
    workerByDefault: false,

    /** The compiled module; a process compiles a file once. */
    compile(file, { onProgress }) {
        const url = new URL(file.url ?? file, base());
        return compiledOnce(String(url), file, onProgress, (got) => compile(url, file, onProgress, got));
    },

    base,
    report: (error) => console.error(error),
    read,
    session: () => serve,
    inflate: async (packed, size) => inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) }),

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
