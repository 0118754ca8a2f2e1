// Runs in a reactor (remotemedia_reactor_*.wasm), of batches: docs/wasm.md has the exports. Nothing here blocks but the steps
// themselves; between them the host's event loop runs.
import { failed, PipelineError, refuse, trapped } from './errors.mjs';
import { soon } from './soon.mjs';

export const MORE = 0, PENDING = 2, DONE = 3, AGAIN = 4; // what a step or a push answers
const MOST = { count: 2048, bytes: 1 << 16 }; // results of a call, which takes fewer where others wait
const SLICE_MS = 8; // steps in a row, before other things of the page have their turn
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What all pipelines of one instance share. `instance` is a WebAssembly.Instance, initialised as WASI wants it. */
export class Instance {
    #call;
    #encoder = new TextEncoder();
    #decoder = new TextDecoder();
    #bytes = new Uint8Array(0); // the memory
    trap = null; // what ended the instance, and every run in it

    constructor(instance) {
        this.#call = instance.exports;
        if (this.#call.rm_interface?.() !== 1)
            refuse('value', 'the WebAssembly file is no remotemedia_reactor_*.wasm, or one of another version');
    }

    /** `manifest` is an object or its text, `options` (arrays, generate, measure, paths, queue_packets, seed, timeout_ms) an object. */
    open(manifest, options = {}) {
        const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
        const handle = this.#with([text, JSON.stringify(options)], (...texts) =>
            this.call('rm_open', ...texts),
        );
        return this.runOf(handle);
    }

    runOf(handle) {
        return new Steps(this, handle);
    }

    /** Calls an export by its name; a negative answer, and a trap, is thrown. */
    call(name, ...args) {
        let code;
        try {
            code = this.trap === null && this.#call[name](...args);
        } catch (error) {
            this.trap = trapped(error);
        }
        if (this.trap !== null)
            throw this.trap;
        if (code >= 0)
            return code;
        throw failed(code, this.#call.rm_error() === 0 ? JSON.parse(this.text()) : undefined);
    }

    /** The address of so many bytes, until release. */
    alloc(length) {
        const at = this.#call.rm_alloc(length) >>> 0;
        if (at === 0)
            throw this.trap ?? new PipelineError('out_of_memory', 'the instance has no memory left');
        return at;
    }

    /** The address of a copy of `bytes`, until release. */
    put(bytes) {
        const at = this.alloc(bytes.length);
        this.memory.set(bytes, at);
        return at;
    }

    /** The addresses of a copy of a batch, which comes first, and of its parts; until release. */
    putBatch({ buffer, length, parts }) {
        const size = 16 + length + 12 * parts.length, places = [this.alloc(size)], [base] = places;
        try {
            for (const part of parts)
                places.push(this.put(new Uint8Array(part.buffer, part.offset, part.length)));
        } catch (error) {
            places.forEach((at) => this.release(at));
            throw error;
        }
        const words = (at, values) => new Uint32Array(this.memory.buffer, at, values.length).set(values);
        words(base, [length, parts.length, 0, 0]);
        this.memory.set(new Uint8Array(buffer, 0, length), base + 16);
        words(base + 16 + length, parts.flatMap((part, i) => [part.at, places[i + 1], part.length]));
        return { places, size };
    }

    release(at) {
        this.#call.rm_release(at);
    }

    /** Pushes the messages of the batch at an address that are not pushed yet; `source` is a node's id, '' for every source. */
    push(handle, source, at, length) {
        return this.#with([source], (...text) => this.call('rm_push_many', handle, ...text, at, length));
    }

    pendingMs(handle) {
        return this.#call.rm_pending_ms(handle);
    }

    /** The memory as it is; growing makes another, and the one before has no bytes any more. */
    get memory() {
        if (this.#bytes.length === 0)
            this.#bytes = new Uint8Array(this.#call.memory.buffer);
        return this.#bytes;
    }

    /** Where the text of the last call that gave one is. */
    place() {
        return [this.#call.rm_text() >>> 0, this.#call.rm_text_length() >>> 0];
    }

    text() {
        const [at, length] = this.place();
        return this.#decoder.decode(this.memory.subarray(at, at + length));
    }

    /** Calls `function_` with address and length of each text, which are the instance's only meanwhile. */
    #with(texts, function_) {
        const args = [];
        try {
            for (const text of texts) {
                const bytes = this.#encoder.encode(text);
                args.push(this.put(bytes), bytes.length);
            }
            return function_(...args);
        } finally {
            for (let i = 0; i < args.length; i += 2)
                this.release(args[i]);
        }
    }
}

/** One run: batches of items go in by `open`, `turns` goes on with it, `pullInto` takes results. */
export class Steps {
    #reactor;
    #handle;
    #awake = null; // called when turns should look again
    #looks = 0; // how often it was told to

    constructor(reactor, handle) {
        this.#reactor = reactor;
        this.#handle = handle;
        this.sinks = this.#describe(0);
    }

    /** A batch of items in the instance's memory: `push` pushes the next ones and returns MORE (all were pushed), AGAIN or DONE. */
    open(batch) {
        const { places, size } = this.#reactor.putBatch(batch);
        return {
            push: (source) => {
                const code = this.#reactor.push(this.#handle, source, places[0], size);
                this.look();
                return code;
            },
            close: () => places.forEach((at) => this.#reactor.release(at)),
        };
    }

    end() {
        this.#reactor.call('rm_end', this.#handle);
        this.look();
    }

    cancel() {
        this.#reactor.call('rm_cancel', this.#handle);
        this.look();
    }

    close() {
        this.#reactor.call('rm_close', this.#handle);
    }

    /**
     * Yields what each step answers, when there may be results to pull; ends with the run. A failure is thrown after what was emitted
     * before it. `rests` is called before other things of the event loop have their turn.
     */
    async *turns(rests = () => {}) {
        let failure = null, since = performance.now();
        for (;;) {
            const looks = this.#looks;
            const code = this.#step((error) => (failure = error));
            yield code;
            if (failure !== null)
                throw failure;
            if (code === DONE)
                return;
            const waits = looks === this.#looks && (code === AGAIN || code === PENDING);
            if (!waits && performance.now() - since <= SLICE_MS)
                continue;
            rests();
            if (waits && looks === this.#looks)
                await this.#waitForInput(code === AGAIN ? Infinity : this.#reactor.pendingMs(this.#handle));
            else
                await soon();
            since = performance.now();
        }
    }

    /** Appends results to a batch; false when there are none. */
    pullInto(batch) {
        if (this.#reactor.call('rm_pull_many', this.#handle, MOST.count, MOST.bytes) !== MORE)
            return false;
        this.#looks++; // there is room again
        batch.append(this.#reactor.memory, this.#reactor.place()[0]);
        return true;
    }

    get graphInfo() {
        return this.#describe(1);
    }

    get failures() {
        return this.#describe(2);
    }

    get metrics() {
        return this.#describe(3);
    }

    #describe(what) {
        this.#reactor.call('rm_describe', this.#handle, what);
        return JSON.parse(this.#reactor.text());
    }

    #step(failed) {
        try {
            return this.#reactor.call('rm_step', this.#handle);
        } catch (error) {
            if (error.code === 'trap')
                throw error; // there is nothing left to pull
            failed(error);
            return DONE;
        }
    }

    /** Makes turns look again for work. */
    look() {
        this.#looks++;
        this.#awake?.();
    }

    /** Until push, end or cancel, or for `ms`. */
    #waitForInput(ms) {
        return new Promise((resume) => {
            const over = () => {
                clearTimeout(timer);
                this.#awake = null;
                resume();
            };
            const timer = ms === Infinity ? null : setTimeout(over, Math.min(ms, LONGEST_TIMER_MS));
            this.#awake = over;
        });
    }
}
