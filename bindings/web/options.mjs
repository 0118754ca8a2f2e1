// What users give to open, run and stream, checked: each error names the option.
import { PipelineError } from './errors.mjs';

// Options of the runtime: their names there, and what they are.
const RUNTIME = {
    arrays: ['arrays', 'string'], measure: ['measure', 'boolean'], paths: ['paths'], queuePackets: ['queue_packets', 'number'],
    seed: ['seed', 'number'], timeoutMs: ['timeout_ms', 'number'],
};

const fail = (code, text) => {
    throw new PipelineError(code, text);
};

function expect(is, name, what) {
    if (!is)
        fail('type', `the option '${name}' is ${what}`);
}

const isBytes = (value) => value instanceof Uint8Array || value instanceof ArrayBuffer;
const isObject = (value) => typeof value === 'object' && value !== null;
const isPlace = (value) => typeof value === 'string' || value instanceof URL;

/** Refuses options that are not known. */
export function checkNames(options, names) {
    if (!isObject(options))
        fail('type', 'options are an object');
    const wrong = Object.keys(options).find((name) => !names.includes(name));
    if (wrong !== undefined)
        fail('usage', `there is no option '${wrong}'; there are ${names.join(', ')}`);
    expect(!options.signal || typeof options.signal.throwIfAborted === 'function', 'signal', 'an AbortSignal');
}

const OF_RUN = ['signal', 'source', 'transfer'];

export function checkRun(options) {
    checkNames(options, OF_RUN);
    expect(['undefined', 'string'].includes(typeof options.source), 'source', "a node's id");
}

const OF_OPEN = ['variant', 'worker', 'files', 'wheels', 'env', 'wasm', 'onLog', 'onProgress', 'signal', ...Object.keys(RUNTIME)];

export function checkOpen(options) {
    checkNames(options, OF_OPEN);
    const { files = {}, wheels = [], env = {} } = options;
    for (const name of ['onLog', 'onProgress'])
        if (options[name] !== undefined && typeof options[name] !== 'function')
            throw new TypeError(`the option '${name}' is a function`);
    expect(isObject(files), 'files', 'an object, or a list of URLs');
    for (const [path, content] of Object.entries(files))
        if (Array.isArray(files) ? !isPlace(content) : !isPlace(content) && !isBytes(content))
            fail('type', `the option 'files' has text, bytes or a URL for each file, and not for '${path}'`);
    expect(Array.isArray(wheels) && wheels.every((wheel) => isPlace(wheel) || isBytes(wheel) || isPlace(wheel?.url)), 'wheels', 'a list of URLs and bytes');
    expect(isObject(env) && Object.values(env).every((value) => typeof value === 'string'), 'env', 'an object of texts');
    for (const [name, value] of Object.entries(env))
        if (/^$|[=\0]/.test(name) || value.includes('\0'))
            fail('value', `the option 'env' has a name that is empty or has '=', or a NUL, at '${name}'`);
}

/** The options of the runtime among those of open, as it wants them. */
export function runtimeOptions(given) {
    const options = {};
    for (const [name, [inside, type]] of Object.entries(RUNTIME)) {
        const value = given[name];
        if (value === undefined)
            continue;
        if (type === undefined)
            expect(Array.isArray(value) && value.every((path) => typeof path === 'string'), name, 'a list of texts');
        else
            expect(typeof value === type && (type !== 'number' || Number.isFinite(value)), name, `a ${type}`);
        options[inside] = value;
    }
    return options;
}

/** Refuses files that cannot be in one folder; `what` has them. */
export function checkFiles(files, what) {
    const places = Object.keys(files).map((path) => [path, path.split('/').filter((name) => name !== '' && name !== '.')]);
    const folders = new Set(places.flatMap(([, names]) => names.map((_, i) => names.slice(0, i).join('/'))));
    for (const [path, names] of places) {
        if (names.length === 0 || names.includes('..') || path.includes('\0'))
            fail('value', `${what} have '${path}', which is no path of a file`);
        if (folders.has(names.join('/')))
            fail('value', `${what} have '${path}' as a file and as a folder`);
    }
}

/** The text of a manifest. */
export function textOf(manifest) {
    let text, cause;
    try {
        text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    } catch (error) {
        cause = error;
    }
    return text ?? fail('type', `the manifest is no JSON: ${cause?.message ?? typeof manifest}`);
}
