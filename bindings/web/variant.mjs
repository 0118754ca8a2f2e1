// Which of the WASM files a manifest needs, before one of them is fetched.
import { PipelineError } from './errors.mjs';

const HINTS = new Set(['cpython', 'rust_python', 'cpython_wasm']);
const NUMPY = /\b(?:import|from)\s[^\n#;]*\bnumpy\b|["']numpy["']/;

const parsed = (manifest) => {
    if (typeof manifest !== 'string')
        return manifest;
    try {
        return JSON.parse(manifest);
    } catch {
        return null; // the runtime says what is wrong
    }
};

const nodesOf = (manifest) => {
    const document = parsed(manifest), inner = document?.manifest ?? document;
    return Array.isArray(inner?.nodes) ? inner.nodes.filter((node) => node !== null && typeof node === 'object') : [];
};

/** Whether items stand beside the manifest. */
export function hasInput(manifest) {
    const input = parsed(manifest)?.input_data;
    return typeof input === 'object' && input !== null && !(Array.isArray(input) && input.length === 0);
}

/** "lite", "full" or "numpy"; `python` are the names of node types that only the files with Python have, `packages` want numpy. */
export function variantOf(manifest, { files, arrays, numpy }, python) {
    const isPython = ({ node_type: type, runtime_hint: hint }) =>
        HINTS.has(hint) || python.includes(type) || (typeof type === 'string' && type.includes(':') && !type.startsWith('wasm:'));
    const nodes = nodesOf(manifest);
    if (!nodes.some(isPython))
        return 'lite';
    const codes = nodes.map((node) => node.params?.code);
    for (const [path, content] of Object.entries(files))
        if (path.endsWith('.py'))
            codes.push(typeof content === 'string' ? content : new TextDecoder().decode(content));
    const wants = numpy || arrays === 'numpy' || nodes.some((node) => node.arrays === 'numpy') || codes.some((code) => NUMPY.test(code));
    return wants ? 'numpy' : 'full';
}

export function checkVariant(variant, known) {
    if (!known.includes(variant))
        throw new PipelineError('value', `there is no variant ${JSON.stringify(variant)}; there are auto, ${known.join(', ')}`);
}
