// What only pages and their Workers have.
import { PipelineError } from './errors.mjs';
import { compiledOnce } from './modules.mjs';

/** Tells how much of a response has come, from a copy: what is compiled stays the response, with the code that the browser kept. */
async function observe({ body }, total, onProgress, file) {
    const reader = body.getReader();
    for (let loaded = 0; ;) {
        const { value, done } = await reader.read();
        if (done)
            return;
        loaded += value.length;
        onProgress({ file, loaded, total });
    }
}

async function fetched(url, options) {
    let response;
    try {
        response = await fetch(url, options);
    } catch (error) {
        throw new PipelineError('download', `cannot fetch ${url}: ${error.message}`, { cause: error });
    }
    if (!response.ok)
        throw new PipelineError('download', `cannot fetch ${url}: ${response.status} ${response.statusText}`.trim());
    return response;
}

async function download(url, { size, hash, integrity }, onProgress, got) {
    // A check needs the whole file, so that nothing is compiled meanwhile: our own only where others serve it.
    const isOurs = new URL(url, location.href).origin === location.origin;
    const response = await fetched(url, { integrity: integrity ?? (isOurs ? '' : (hash ?? '')) });
    const seen = onProgress && observe(response.clone(), size, onProgress, url);
    const type = response.headers.get('content-type') ?? 'bytes';
    got(type);
    const module = /^application\/wasm\b/.test(type) ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
    return (await Promise.all([module, seen]))[0];
}

export const platform = {
    workerByDefault: true,

    /** The compiled module; a page compiles a file once. */
    compile(file, { onProgress }) {
        const url = String(file.url ?? file);
        return compiledOnce(url, file, onProgress, (got) => download(url, file, onProgress, got));
    },

    base: () => location.href,
    report: (error) => reportError(error),
    session: async () => (await import('./worker_web.mjs')).serve,

    async read(url, integrity = '') {
        return new Uint8Array(await (await fetched(url, { integrity })).arrayBuffer());
    },

    worker() {
        const worker = new Worker(new URL('./worker_web.mjs', import.meta.url), { type: 'module', name: 'remotemedia' });
        return {
            post: (message, transfer = []) => worker.postMessage(message, transfer),
            listen(hear, failed) {
                worker.onmessage = ({ data }) => hear(data);
                worker.onerror = (event) => failed(new PipelineError('internal', `the Worker failed: ${event.message ?? 'it cannot be loaded'}`));
            },
            terminate: () => worker.terminate(),
            hold: () => {},
        };
    },
};
