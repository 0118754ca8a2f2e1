// Pure Python wheels, unpacked into the files of a folder on Python's path.
const END = 0x06054b50, ENTRY = 0x02014b50, LOCAL = 0x04034b50; // signatures of ZIP
const STORED = 0, DEFLATED = 8, ENCRYPTED = 1;
const LARGEST = 1 << 28; // bytes of all files of a wheel
const NATIVE = /\.(?:so|pyd|dll|dylib)(?:\.[\d.]+)?$/i;
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++)
        n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
});

/** A ZIP file's entries: {name, method, crc, size, packed}; what is out of place ends in a RangeError. */
function entriesOf(bytes, refuse) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), decoder = new TextDecoder();
    const u16 = (at) => view.getUint16(at, true), u32 = (at) => view.getUint32(at, true);
    let end = bytes.length - 22;
    while (end >= 0 && end >= bytes.length - 65557 && (u32(end) !== END || end + 22 + u16(end + 20) !== bytes.length))
        end--;
    if (end < 0 || u32(end) !== END)
        refuse('value', 'is no ZIP file, or not a whole one');
    const entries = [];
    let total = 0;
    for (let left = u16(end + 10), at = u32(end + 16); left > 0; left--, at += 46 + u16(at + 28) + u16(at + 30) + u16(at + 32)) {
        const from = u32(at + 42), length = u32(at + 20), data = from + 30 + u16(from + 26) + u16(from + 28);
        if (u32(at) !== ENTRY || u32(from) !== LOCAL || data + length > bytes.length)
            throw new RangeError();
        total += u32(at + 24);
        if (total > LARGEST)
            refuse('limit', `unpacks to more than ${LARGEST >> 20} MiB`);
        if (u16(at + 8) & ENCRYPTED || ![STORED, DEFLATED].includes(u16(at + 10)))
            refuse('unsupported', 'is encrypted, or packed by another method than deflate');
        const name = decoder.decode(bytes.subarray(at + 46, at + 46 + u16(at + 28)));
        if (/^\/|\\|(?:^|\/)\.\.(?:\/|$)/.test(name))
            refuse('value', `has a file outside its folder, ${name}`);
        entries.push({ name, method: u16(at + 10), crc: u32(at + 16), size: u32(at + 24), packed: bytes.subarray(data, data + length) });
    }
    return entries;
}

/** For hosts without one of their own: at most `size` bytes. */
async function inflated(packed, size) {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
    const content = new Uint8Array(size);
    for (let at = 0; ;) {
        const { value, done } = await reader.read();
        if (done)
            return content.subarray(0, at);
        content.set(value, at); // more than was said is a RangeError
        at += value.length;
    }
}

async function contentOf({ name, method, crc, size, packed }, inflate, refuse) {
    let content = packed;
    if (method === DEFLATED)
        content = await inflate(packed, size).catch(() => new Uint8Array(0));
    let sum = 0xffffffff;
    for (const byte of content)
        sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
    if (content.length !== size || (sum ^ 0xffffffff) >>> 0 !== crc)
        refuse('value', `is damaged: ${name} is not what was packed`);
    return content;
}

/** Refuses what does not run here. `head` is the text of the file WHEEL, `minor` that of the Python 3 inside. */
function checkTags(head, minor, refuse) {
    const tags = [...head.matchAll(/^Tag: *(\S+)/gm)].map(([, tag]) => tag);
    const runs = (tag) => {
        const [, pythons] = /^([^-]+)-none-any$/.exec(tag) ?? [];
        return pythons?.split('.').some((python) => {
            const [, kind, version] = /^(py|cp)3(\d*)$/.exec(python) ?? [];
            return kind === 'py' ? version <= minor : kind === 'cp' && Number(version) === minor;
        });
    };
    if (!/^Root-Is-Purelib: *true/im.test(head))
        refuse('unsupported', 'has native code, as its Root-Is-Purelib says; only pure Python runs here');
    if (!tags.some(runs))
        refuse('unsupported', `is for ${tags.join(', ') || 'no Python'}; here are py3-none-any and Python 3.${minor}`);
}

/** Where an installer puts a file of the wheel; null: nowhere. */
const placed = (name) => {
    const [, kind, rest] = /^[^/]+\.data\/([^/]+)\/(.+)/.exec(name) ?? [];
    return kind === undefined ? name : ['purelib', 'platlib'].includes(kind) ? rest : null;
};

/**
 * {path: bytes} of a wheel, for Python 3.`minor`. `inflate(packed, size)` gives at most `size` bytes (undefined: by a stream), `refuse(code, text)` throws.
 */
export async function unpackedWheel(bytes, minor, inflate = inflated, refuse) {
    let entries;
    try {
        entries = entriesOf(bytes, refuse);
    } catch (error) {
        if (error instanceof RangeError)
            refuse('value', 'is no ZIP file, or not a whole one');
        throw error;
    }
    const native = entries.find((entry) => NATIVE.test(entry.name));
    if (native !== undefined)
        refuse('unsupported', `has native code, ${native.name}; only pure Python runs here`);
    const head = entries.find((entry) => /^[^/]+\.dist-info\/WHEEL$/.test(entry.name)) ?? refuse('value', 'has no file WHEEL in a folder *.dist-info');
    checkTags(new TextDecoder().decode(await contentOf(head, inflate, refuse)), minor, refuse);
    const files = {};
    for (const entry of entries) {
        const path = placed(entry.name);
        if (path !== null && !path.endsWith('/'))
            files[path] = await contentOf(entry, inflate, refuse);
    }
    return files;
}

/** Whether the files of wheels require numpy, which one of the WASM files has. */
export function requiresNumpy(files) {
    const requires = /^Requires-Dist: *numpy(?![\w-])(?![^\n]*\bextra\b)/im;
    return Object.entries(files).some(([path, content]) => /^[^/]+\.dist-info\/METADATA$/.test(path) && requires.test(new TextDecoder().decode(content)));
}
