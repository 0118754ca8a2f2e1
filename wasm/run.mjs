#!/usr/bin/env node
// Runs a WASI command such as pipeline_executor_wasm.wasm in Node, with this process's standard streams.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';

const USAGE = `usage: node run.mjs FILE.wasm [--dir GUEST=HOST]... [--env NAME[=VALUE]]... [--] ARGS...

  --dir GUEST=HOST    the program sees the folder HOST as GUEST; --dir PATH: by its own name
  --env NAME=VALUE    an environment variable; --env NAME: with the value it has here
  ARGS                the program's own; they start at the first word that is none of these

The exit code is the program's; 64 when the command line is wrong, 66 when FILE cannot be used, 70 after a trap.
`;
const EXIT = { usage: 64, file: 66, trap: 70 };
const OLDEST_NODE = 20;
// Of a file's thousands of functions a run calls a few. They are checked when they are called, and those that have run for
// tens of milliseconds are optimized (Node 20's own budget is a fiftieth): Node cannot end before an optimization that it began.
const V8_SETTINGS = ['--wasm-lazy-validation', '--wasm-tiering-budget=90000000'];
const V8_WITH_SETTINGS = /^1[123]\./; // another might not know them

class Failure extends Error {
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

/** The WASI class, without the warning that it is experimental. */
async function wasiClass() {
    const warn = process.emitWarning;
    process.emitWarning = (text, ...more) => (/\bWASI\b/.test(text) ? undefined : warn.call(process, text, ...more));
    try {
        return (await import('node:wasi')).WASI;
    } finally {
        process.emitWarning = warn;
    }
}

/** A function around each import: called directly from WASM, Node's own crash when garbage is collected meanwhile. */
export function wrapped(imports) {
    return Object.fromEntries(Object.entries(imports).map(([name, call]) => [name, (...args) => call(...args)]));
}

/** The compiled module of a file. */
export function load(file) {
    let bytes;
    try {
        bytes = fs.readFileSync(file);
    } catch (error) {
        throw new Failure(EXIT.file, `cannot read ${file}: ${error.message}`);
    }
    let module;
    try {
        module = new WebAssembly.Module(bytes);
    } catch (error) {
        throw new Failure(EXIT.file, `${file} is no WebAssembly file that this Node can run: ${error.message}`);
    }
    if (!WebAssembly.Module.exports(module).some(({ name }) => name === '_start'))
        throw new Failure(EXIT.file, `${file} is no WASI command: it does not export _start`);
    return module;
}

/**
 * Runs the command in a fresh instance and returns its exit code; throws what ended it otherwise (a trap).
 * `options`: args (with the program's name), env, preopens {guest: host}, stdin, stdout, stderr (descriptors).
 */
export async function start(module, options) {
    const WASI = await wasiClass();
    let wasi;
    try {
        wasi = new WASI({ version: 'preview1', returnOnExit: true, ...options });
    } catch (error) {
        const folders = Object.values(options.preopens ?? {}).filter((host) => !fs.existsSync(host));
        throw folders.length ? new Failure(EXIT.usage, `there is no folder ${folders[0]}`) : error;
    }
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wrapped(wasi.wasiImport) });
    return wasi.start(instance);
}

function halves(text) {
    const at = text.indexOf('=');
    return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** {file, args, env, preopens} of a command line. */
function parse(words) {
    const parsed = { file: undefined, args: [], env: {}, preopens: {} };
    const take = {
        '--dir': (text) => {
            const [guest, host = guest] = halves(text);
            if (!guest || !host)
                throw new Failure(EXIT.usage, `--dir takes GUEST=HOST, got '${text}'`);
            parsed.preopens[guest] = host;
        },
        '--env': (text) => {
            const [name, value = process.env[name]] = halves(text);
            if (value !== undefined)
                parsed.env[name] = value;
        },
    };
    while (words.length > 0) {
        const word = words[0], [option, value] = halves(word);
        if (option in take) {
            words.shift();
            if (value === undefined && words.length === 0)
                throw new Failure(EXIT.usage, `${option} needs a value`);
            take[option](value ?? words.shift());
        } else if (parsed.file === undefined && !word.startsWith('-')) {
            parsed.file = words.shift();
        } else if (parsed.file === undefined) {
            throw new Failure(EXIT.usage, `unknown option ${word}`);
        } else {
            break;
        }
    }
    parsed.args = words[0] === '--' ? words.slice(1) : words;
    return parsed;
}

/** What a trap means, for who did not write the program. */
function explained(error) {
    if (error instanceof RangeError && /call stack/.test(error.message))
        return `${error.message}; data or calls are nested deeper than this host allows`;
    if (error instanceof WebAssembly.LinkError)
        return `${error.message}; the file needs something that Node's WASI does not have`;
    return error.message;
}

async function main(words) {
    if (words[0] === '--help' || words[0] === '-h') {
        process.stdout.write(USAGE);
        return 0;
    }
    const { file, args, env, preopens } = parse(words);
    if (file === undefined) {
        process.stderr.write(USAGE);
        return EXIT.usage;
    }
    if (V8_WITH_SETTINGS.test(process.versions.v8))
        V8_SETTINGS.forEach((setting) => v8.setFlagsFromString(setting));
    const module = load(file);
    try {
        return await start(module, { args: ['remotemedia', ...args], env, preopens });
    } catch (error) {
        if (error instanceof Failure)
            throw error;
        throw new Failure(EXIT.trap, `the program was ended by a trap: ${explained(error)}`);
    }
}

/** Runs a command line in this process, whose exit code it sets; `name` stands before messages. */
export async function command(words, name) {
    try {
        const major = Number(process.versions.node.split('.')[0]);
        if (major < OLDEST_NODE)
            throw new Failure(EXIT.usage, `Node ${OLDEST_NODE} or newer is needed; this is ${process.version}`);
        process.exitCode = await main(words);
    } catch (error) {
        process.stderr.write(`${name}: ${error instanceof Failure ? error.message : error.stack}\n`);
        process.exitCode = error instanceof Failure ? error.code : EXIT.trap;
    }
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href)
    await command(process.argv.slice(2), 'run.mjs');
