// What few users give to open, checked; `refuse(code, text)` throws, and the text names the option. A page loads it where it is needed.

// Options of the runtime: their names there, and what they are.
const RUNTIME = {
    arrays: ['arrays', 'string'], measure: ['measure', 'boolean'], paths: ['paths', 'list of texts'], queuePackets: ['queue_packets', 'number'],
    seed: ['seed', 'number'], timeoutMs: ['timeout_ms', 'number'],
};
const OTHERS = ['files', 'wheels', 'env', 'wasm'];

const isBytes = (value) => value instanceof Uint8Array || value instanceof ArrayBuffer;
const isObject = (value) => typeof value === 'object' && value !== null;
const isPlace = (value) => typeof value === 'string' || value instanceof URL;
const isTexts = (values) => values.every((value) => typeof value === 'string');

function isOf(type, value) {
    if (type === 'number')
        return Number.isFinite(value);
    return type === 'list of texts' ? Array.isArray(value) && isTexts(value) : typeof value === type;
}

/** {files, wheels, env, wasm, runtime} of the options. */
export function optionsOf(given, refuse) {
    const { files = {}, wheels = [], env = {}, wasm } = given, runtime = {};
    const expect = (is, name, what) => is || refuse('type', `the option '${name}' is ${what}`);
    for (const [name, value] of Object.entries(given)) {
        if (!Object.hasOwn(RUNTIME, name)) {
            if (!OTHERS.includes(name))
                refuse('usage', `there is no option '${name}'`);
        } else if (value !== undefined) {
            const [inside, type] = RUNTIME[name];
            expect(isOf(type, value), name, `a ${type}`);
            runtime[inside] = value;
        }
    }
    expect(isObject(files), 'files', 'an object, or a list of URLs');
    for (const [path, content] of Object.entries(files))
        if (!isPlace(content) && (Array.isArray(files) || !isBytes(content)))
            refuse('type', `the option 'files' has text, bytes or a URL for each file, but not for '${path}'`);
    const isWheel = (wheel) => isPlace(wheel) || isBytes(wheel) || isPlace(wheel?.url);
    expect(Array.isArray(wheels) && wheels.every(isWheel), 'wheels', 'a list of URLs and bytes');
    expect(isObject(env) && isTexts(Object.values(env)), 'env', 'an object of texts');
    for (const [name, value] of Object.entries(env))
        if (/^$|[=\0]/.test(name) || value.includes('\0'))
            refuse('value', `the option 'env' has the name '${name}': it is empty or has '=', or there is a NUL`);
    return { files, wheels, env, wasm, runtime };
}

/** Refuses files that cannot be in one folder; `what` has them. */
export function checkFiles(files, what, refuse) {
    const places = Object.keys(files).map((path) => [path, path.split('/').filter((name) => name !== '' && name !== '.')]);
    const folders = new Set(places.flatMap(([, names]) => names.map((_, i) => names.slice(0, i).join('/'))));
    for (const [path, names] of places) {
        if (names.length === 0 || names.includes('..') || path.includes('\0'))
            refuse('value', `${what} '${path}', which is no path of a file`);
        if (folders.has(names.join('/')))
            refuse('value', `${what} '${path}' as a file and as a folder`);
    }
}
