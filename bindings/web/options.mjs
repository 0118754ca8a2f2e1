// What few users give to open, checked and loaded; `refuse(code, text)` throws, and the text names the option. A page loads it where it
// is needed; it imports nothing of what a page and Node have in files of their own.

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
function checked(given, refuse) {
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
    expect(wasm === undefined || wasm instanceof WebAssembly.Module || isPlace(wasm) || isPlace(wasm?.url), 'wasm', 'a URL, {url, integrity} or a WebAssembly.Module');
    expect(isObject(env) && isTexts(Object.values(env)), 'env', 'an object of texts');
    for (const [name, value] of Object.entries(env))
        if (/^$|[=\0]/.test(name) || value.includes('\0'))
            refuse('value', `the option 'env' has the name '${name}': it is empty or has '=', or there is a NUL`);
    return { files, wheels, env, wasm, runtime };
}

/** Refuses files that cannot be in one folder; `what` has them. */
function checkFiles(files, what, refuse) {
    const places = Object.keys(files).map((path) => [path, path.split('/').filter((name) => name !== '' && name !== '.')]);
    const folders = new Set(places.flatMap(([, names]) => names.map((_, i) => names.slice(0, i).join('/'))));
    for (const [path, names] of places) {
        if (names.length === 0 || names.includes('..') || path.includes('\0'))
            refuse('value', `${what} '${path}', which is no path of a file`);
        if (folders.has(names.join('/')))
            refuse('value', `${what} '${path}' as a file and as a folder`);
    }
}

const lastName = (place) => decodeURIComponent(String(place).replace(/[?#].*/s, '').split('/').at(-1));

/** [path, content] of `files`: an object, or a list of URLs. */
function named(files, platform, refuse) {
    if (!Array.isArray(files))
        return Object.entries(files);
    const names = files.map(lastName);
    names.forEach((name, i) => {
        if (names.indexOf(name) < i)
            refuse('value', `the option 'files' has ${files[names.indexOf(name)]} and ${files[i]}, which both are '${name}': an object {path: URL} gives them names`);
    });
    return files.map((url, i) => [names[i], new URL(url, platform.base())]);
}

/** {path: content} of `files`, whose contents may be URLs. */
async function loaded(files, platform, refuse) {
    const contents = named(files, platform, refuse).map(async ([path, content]) => [path, content instanceof URL ? await platform.read(content) : content instanceof ArrayBuffer ? new Uint8Array(content) : content]);
    return Object.fromEntries(await Promise.all(contents));
}

const isSame = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** {packages, numpy} of wheels: their files, and whether they require numpy. */
async function unpacked(wheels, platform, minor, refuse) {
    if (wheels.length === 0)
        return {};
    const { requiresNumpy, unpackedWheel } = await import('./wheels.mjs'), owners = new Map(), packages = {};
    const one = async (wheel, i) => {
        const place = wheel.url ?? wheel, name = isBytes(wheel) ? `number ${i}` : lastName(place);
        const bytes = isBytes(wheel) ? new Uint8Array(wheel) : await platform.read(place, wheel.integrity);
        return unpackedWheel(bytes, minor, platform.inflate, (code, text) => refuse(code, `the wheel ${name} ${text}`));
    };
    const nameOf = (i) => (isBytes(wheels[i]) ? `number ${i}` : (wheels[i].url ?? wheels[i]));
    const files = await Promise.all(wheels.map(one));
    files.forEach((found, i) => {
        for (const [path, content] of Object.entries(found)) {
            if (owners.has(path) && !isSame(content, packages[path]))
                refuse('value', `the wheels ${nameOf(owners.get(path))} and ${nameOf(i)} both have '${path}', with other content`);
            owners.set(path, i);
            packages[path] = content;
        }
    });
    return { packages, numpy: files.some(requiresNumpy) };
}

/** {files, packages, numpy, env, wasm, runtime} of the options; `files` and `packages` are {path: text or bytes}. */
export async function optionsOf(given, platform, minor, refuse) {
    const { files, wheels, ...more } = checked(given, refuse);
    const [contents, { packages, numpy }] = await Promise.all([loaded(files, platform, refuse), unpacked(wheels, platform, minor, refuse)]);
    checkFiles(contents, "the option 'files' has", refuse);
    checkFiles(packages ?? {}, 'the wheels have', refuse);
    return { files: contents, packages, numpy, ...more };
}
