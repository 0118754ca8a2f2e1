// Pipelines in a reactor (remotemedia_reactor_*.wasm), in Node or in a page: docs/wasm.md has the exports. Nothing here
// blocks but the steps themselves; between them the host's event loop runs.

const MORE = 0, DONE = 3, AGAIN = 4, PENDING = 2; // what a step answers
const JSON_ENCODING = 0;
const SLICE_MS = 8; // steps in a row, before other things of the page have their turn
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A failure of a call or a run: `code`, `message` and, in `document`, all that is known. */
export class PipelineError extends Error {
    constructor(code, document) {
        super(document?.error?.message ?? `the call failed with code ${code}`);
        this.name = 'PipelineError';
        this.code = document?.error?.code ?? code;
        this.document = document;
    }
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, Math.min(ms, LONGEST_TIMER_MS)));

/** What all pipelines of one instance share. `instance` is a WebAssembly.Instance, initialised as WASI wants it. */
export class Reactor {
    #call;
    #encoder = new TextEncoder();
    #decoder = new TextDecoder();

    constructor(instance) {
        this.#call = instance.exports;
        if (this.#call.rm_interface?.() !== 1)
            throw new TypeError('this is no reactor, or one with another interface');
    }

    /** `manifest` and `options` (generate, measure, paths, queue_packets, seed, timeout_ms) are plain objects. */
    open(manifest, options = {}) {
        const handle = this.#with([JSON.stringify(manifest), JSON.stringify(options)], (...texts) =>
            this.#call.rm_open(...texts),
        );
        return new Pipeline(this, handle);
    }

    get version() {
        this.call('rm_version');
        return JSON.parse(this.text());
    }

    /** Calls an export by its name; a negative answer is thrown. */
    call(name, ...args) {
        return this.#checked(this.#call[name](...args));
    }

    push(handle, source, item) {
        return this.#with([source, item], (...texts) => this.#call.rm_push(handle, JSON_ENCODING, ...texts));
    }

    pull(handle) {
        return this.call('rm_pull', handle, JSON_ENCODING);
    }

    pulledSink() {
        return this.#call.rm_pulled_sink();
    }

    pendingMs(handle) {
        return this.#call.rm_pending_ms(handle);
    }

    /** The text of the last call that gave one. */
    text() {
        const length = this.#call.rm_text_length();
        return this.#decoder.decode(new Uint8Array(this.#call.memory.buffer, this.#call.rm_text(), length));
    }

    #checked(code) {
        if (code >= 0)
            return code;
        throw new PipelineError(code, this.#call.rm_error() === 0 ? JSON.parse(this.text()) : undefined);
    }

    /** Calls `function` with address and length of each text, which are the instance's only meanwhile. */
    #with(texts, function_) {
        const args = [], blocks = [];
        try {
            for (const text of texts) {
                const bytes = this.#encoder.encode(text);
                const at = this.#call.rm_alloc(bytes.length);
                if (at === 0)
                    throw new RangeError('the instance has no memory left');
                blocks.push(at);
                new Uint8Array(this.#call.memory.buffer, at, bytes.length).set(bytes);
                args.push(at, bytes.length);
            }
            return this.#checked(function_(...args));
        } finally {
            for (const at of blocks)
                this.#call.rm_release(at);
        }
    }
}

/** One run. Items go in by push (or `run`), results come out of `results`. */
class Pipeline {
    #reactor;
    #handle;
    #sinks;
    #awake = null; // called when results should look again
    #looks = 0; // how often it was told to

    constructor(reactor, handle) {
        this.#reactor = reactor;
        this.#handle = handle;
        this.#sinks = this.#describe(0);
    }

    /** False when the queue is full: results must be taken first. `source` is a node's id; '' for every source. */
    push(item, source = '') {
        const code = this.#reactor.push(this.#handle, source, JSON.stringify(item) ?? 'null');
        this.#look();
        return code !== AGAIN;
    }

    end() {
        this.#reactor.call('rm_end', this.#handle);
        this.#look();
    }

    cancel() {
        this.#reactor.call('rm_cancel', this.#handle);
        this.#look();
    }

    close() {
        this.#reactor.call('rm_close', this.#handle);
    }

    /** {sink, value} one after the other, to the end of the run; a failure comes after what was emitted before it. */
    async *results() {
        let failure = null, since = performance.now();
        for (;;) {
            const looks = this.#looks;
            const code = this.#step((error) => (failure = error));
            for (let pulled = this.#pull(); pulled; pulled = this.#pull()) {
                yield pulled;
                this.#looks++; // there is room again
                since = performance.now();
            }
            if (failure !== null)
                throw failure;
            if (code === DONE)
                return;
            const waits = looks === this.#looks && (code === AGAIN || code === PENDING);
            if (waits)
                await this.#waitForInput(code === AGAIN ? Infinity : this.#reactor.pendingMs(this.#handle));
            else if (performance.now() - since > SLICE_MS)
                await pause(0);
            else
                continue;
            since = performance.now();
        }
    }

    /** {sink id: [values]} of a whole run over `items`, pushed as there is room; null: the manifest's own input. */
    async run(items = null) {
        const outputs = Object.fromEntries(this.#sinks.map((id) => [id, []]));
        let next = 0;
        const feed = () => {
            while (items !== null && next < items.length && this.push(items[next]))
                next++;
            if (items !== null && next === items.length) {
                next++;
                this.end();
            }
        };
        feed();
        for await (const { sink, value } of this.results()) {
            outputs[sink].push(value);
            feed();
        }
        return outputs;
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
            if (!(error instanceof PipelineError))
                throw error;
            failed(error);
            return DONE;
        }
    }

    #pull() {
        if (this.#reactor.pull(this.#handle) !== MORE)
            return null;
        return { sink: this.#sinks[this.#reactor.pulledSink()], value: JSON.parse(this.#reactor.text()) };
    }

    #look() {
        this.#looks++;
        this.#awake?.();
    }

    /** Until push, end or cancel, or for `ms`. */
    #waitForInput(ms) {
        return new Promise((resume) => {
            const timer = ms === Infinity ? null : setTimeout(resume, Math.min(ms, LONGEST_TIMER_MS));
            this.#awake = () => {
                clearTimeout(timer);
                this.#awake = null;
                resume();
            };
        });
    }
}
