import { PipelineError, refuse } from './errors.mjs';

const modules = new Map(); // promises, by URL

/** The compiled module of a URL, which `compile(got)` makes once in this process or page; `got` takes what the file turns out to be. */
export function compiledOnce(url, file, onProgress, compile) {
    if (!modules.has(url)) {
        let what = '';
        const module = compile((got) => (what = got)).catch((error) => {
            modules.delete(url);
            if (error instanceof PipelineError)
                throw error;
            refuse('download', `${url} is no whole WebAssembly file, but ${what}: ${error.message}; here runs a remotemedia_reactor_*.wasm`, { cause: error });
        });
        modules.set(url, module);
    } else if (file.size) {
        onProgress?.({ file: url, loaded: file.size, total: file.size });
    }
    return modules.get(url);
}
