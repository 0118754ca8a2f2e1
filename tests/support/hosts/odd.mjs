// A host that behaves as some hosts of WASI do: node odd.mjs FILE.wasm ODDITY FILES ARGS... < STDIN
// Runs the command over files in memory, those of the JSON object FILES. Prints, as JSON, {exit, stdout, stderr, milliseconds, calls}: calls by their names.
import fs from 'node:fs';
import { Folder, Program } from '../../../bindings/web/wasi_program.mjs';

const NOSYS = 52, CHARACTER_DEVICE = 2, CLOCK = 0;

/** Subscriptions of poll_oneoff that are no clocks. */
const asksForDescriptors = (memory, at, count) =>
    Array.from({ length: count }, (_, i) => new DataView(memory.buffer).getUint8(at + 48 * i + 8)).some((kind) => kind !== CLOCK);

function stdinIsDevice(usual, memory, fd, out) {
    const code = usual(fd, out);
    if (fd === 0)
        new DataView(memory.buffer).setUint8(out + 16, CHARACTER_DEVICE);
    return code;
}

/** By name: what is called instead of `usual(...args)`. */
const ODDITIES = {
    none: {},
    // Standard streams are character devices, whatever they are.
    terminal: {
        fd_fdstat_get(usual, memory, fd, out) {
            const code = usual(fd, out);
            if (fd < 3)
                new DataView(memory.buffer).setUint8(out, CHARACTER_DEVICE);
            return code;
        },
    },
    // Nothing waits for descriptors.
    no_waiting: {
        poll_oneoff(usual, memory, from, to, count, happened) {
            return asksForDescriptors(memory, from, count) ? NOSYS : usual(from, to, count, happened);
        },
    },
    // A descriptor is never said to be ready; the clocks are at once.
    never_ready: {
        poll_oneoff(usual, memory, from, to, count, happened) {
            if (!asksForDescriptors(memory, from, count))
                return usual(from, to, count, happened);
            new DataView(memory.buffer).setUint32(happened, 0, true);
            return 0;
        },
    },
    device: { fd_filestat_get: stdinIsDevice },
    // Standard input is a device too, and when the clock's time is over all have happened, but events have no names.
    unnamed_events: {
        fd_filestat_get: stdinIsDevice,
        poll_oneoff(_, memory, from, to, count, happened) {
            const view = new DataView(memory.buffer), clocks = Array.from({ length: count }, (_, i) => from + 48 * i);
            const times = clocks.filter((at) => view.getUint8(at + 8) === CLOCK).map((at) => view.getBigUint64(at + 24, true));
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(times[0]) / 1e6);
            new Uint8Array(memory.buffer, to, 32 * count).fill(0);
            view.setUint32(happened, count, true);
            return 0;
        },
    },
    no_stdin_status: { fd_filestat_get: (usual, _, fd, out) => (fd < 3 ? NOSYS : usual(fd, out)) },
    // All clocks are over whenever it is asked.
    early_clocks: {
        poll_oneoff(usual, memory, from, to, count, happened) {
            const view = new DataView(memory.buffer);
            for (let i = 0; i < count; i++) {
                new Uint8Array(memory.buffer, to + 32 * i, 32).fill(0);
                view.setBigUint64(to + 32 * i, view.getBigUint64(from + 48 * i, true), true);
                view.setUint8(to + 32 * i + 10, view.getUint8(from + 48 * i + 8));
            }
            view.setUint32(happened, count, true);
            return 0;
        },
    },
    coarse_clock: {
        clock_res_get(_, memory, id, out) {
            new DataView(memory.buffer).setBigUint64(out, 2n ** 56n, true);
            return 0;
        },
    },
    no_clock_events: { poll_oneoff: () => NOSYS },
};

const [file, oddity, files, ...args] = process.argv.slice(2);
const module = new WebAssembly.Module(fs.readFileSync(file));
const stdout = [], stderr = [], calls = {};
const wasi = new Program({
    args: ['remotemedia', ...args], stdin: fs.readFileSync(0), mounts: { '.': Folder.of(JSON.parse(files)) },
    write: (fd, bytes) => (fd === 1 ? stdout : stderr).push(bytes),
});
let memory = null;
for (const { name } of WebAssembly.Module.imports(module)) {
    const usual = wasi[name]?.bind(wasi) ?? (() => NOSYS);
    const odd = ODDITIES[oddity][name];
    wasi[name] = (...given) => {
        calls[name] = (calls[name] ?? 0) + 1;
        return odd ? odd(usual, memory, ...given) : usual(...given);
    };
}
const instance = await wasi.instantiate(module), started = performance.now();
memory = instance.exports.memory;
const text = (parts) => Buffer.concat(parts).toString();
const exit = wasi.start(instance);
console.log(JSON.stringify({ exit, stdout: text(stdout), stderr: text(stderr), milliseconds: performance.now() - started, calls }));
