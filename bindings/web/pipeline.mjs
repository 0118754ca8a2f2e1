// The side of a pipeline that its user has. session.mjs is the other one, in a Worker or in this thread.
import { buffersOf } from './batch.mjs';
import { PipelineError, refuse, unpacked as thrown } from './errors.mjs';
import { Feed } from './feed.mjs';
import { Results } from './stream.mjs';
import { checkVariant, hasInput, variantOf } from './variant.mjs';

const OF_RUN = ['signal', 'source', 'transfer'];
const PYTHON = ['arrays', 'paths', 'seed']; // options that a file without Python has not

const heard = new WeakMap(); // by signal: what is called when it aborts, so that it has one listener whatever is open

/** Calls `abort` when the signal does; returns what forgets that. */
function onAbort(signal, abort) {
    if (!signal)
        return () => {};
    if (!heard.has(signal)) {
        const calls = new Set(), listener = () => calls.forEach((call) => call());
        heard.set(signal, { calls, listener });
        signal.addEventListener('abort', listener);
    }
    const { calls, listener } = heard.get(signal);
    calls.add(abort);
    return () => {
        if (!calls.delete(abort) || calls.size > 0)
            return;
        heard.delete(signal);
        signal.removeEventListener('abort', listener);
    };
}

/** A user's function: what it throws is told, and ends nothing. */
const guarded = (function_, report) => async (...args) => {
    try {
        await function_(...args);
    } catch (error) {
        report(error);
    }
};

/** A session in this thread, as a port; `serve` is that of session.mjs. */
function beside(serve) {
    let listen = () => {};
    const act = serve({ post: (message) => queueMicrotask(() => listen(message)) });
    return {
        post: (message) => queueMicrotask(() => act(message)),
        listen: (function_) => (listen = function_),
        terminate: () => {},
        hold: () => {},
    };
}

function print({ level, text, stream }) {
    const how = { error: 'error', warning: 'warn', debug: 'debug' }[level] ?? (stream === 'stderr' ? 'error' : 'log');
    console[how](text);
}

/** Refuses what is no options, or has others than `names`. */
function checkOptions(options, names) {
    if (Object(options) !== options)
        refuse('type', 'options are an object');
    const wrong = names && Object.keys(options).find((name) => !names.includes(name));
    if (wrong !== undefined)
        refuse('usage', `there is no option '${wrong}'; there are ${names.join(', ')}`);
    if (options.signal && !options.signal.throwIfAborted)
        refuse('type', "the option 'signal' is an AbortSignal");
}

function textOf(manifest) {
    try {
        const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
        return text ?? refuse('type', typeof manifest);
    } catch (error) {
        return refuse('type', `the manifest is no JSON: ${error.message}`);
    }
}

/**
 * `platform` has compile(file, options), read(place, integrity), base(), inflate(packed, size) or none, worker(), session(),
 * report(error) and workerByDefault; `table` is the generated list of files, {files, python, minor}.
 */
export function pipelineFor(platform, table) {
    return class Pipeline {
        #port;
        #runs = new Map(); // by number: {results, feed, over, cancel}
        #lastRun = 0;
        #manifest;
        #ended = null; // the error that every later call gets
        #opening;
        #forget = () => {}; // the signal

        /** Not for users: `Pipeline.open`. */
        constructor(port, manifest, variant, onLog) {
            this.#port = port;
            this.#manifest = manifest;
            this.variant = variant;
            this.ready = new Promise((resolve, reject) => (this.#opening = { resolve, reject }));
            port.listen((message) => this.#hear(message, onLog), (error) => this.#end(error));
            port.hold(true);
        }

        static async open(manifest, options = {}) {
            checkOptions(options);
            const { variant = 'auto', worker = platform.workerByDefault, onLog = print, onProgress, signal, ...rest } = options;
            if (typeof onLog !== 'function' || typeof (onProgress ?? print) !== 'function')
                throw new TypeError('the options onLog and onProgress are functions');
            signal?.throwIfAborted();
            const text = textOf(manifest), given = Object.keys(rest).length > 0 ? await (await import('./options.mjs')).optionsOf(rest, platform, table.minor, refuse) : {};
            const { files = {}, packages, numpy, env = {}, wasm, runtime = {} } = given;
            const chosen = variant === 'auto' ? variantOf(manifest, { files, numpy, ...runtime }, table.python) : variant;
            checkVariant(chosen, Object.keys(table.files));
            const hasPython = chosen !== 'lite';
            if (!hasPython)
                PYTHON.forEach((name) => delete runtime[name]);
            signal?.throwIfAborted();
            const port = worker ? platform.worker() : beside(await platform.session()); // a Worker starts while the file comes
            const pipeline = new Pipeline(port, text, chosen, guarded(onLog, platform.report)), abort = () => pipeline.#end(signal.reason);
            pipeline.#forget = onAbort(signal, abort);
            const module = wasm instanceof WebAssembly.Module ? Promise.resolve(wasm) : platform.compile(wasm ?? table.files[chosen], { onProgress: onProgress && guarded(onProgress, platform.report) });
            const setup = { manifest: text, files, packages, env, python: hasPython, options: runtime };
            module.then((module) => pipeline.#ended ?? port.post({ do: 'open', module, ...setup })).catch((error) => pipeline.#end(error));
            if (signal?.aborted)
                abort();
            try {
                await pipeline.ready;
            } catch (error) {
                pipeline.terminate();
                throw error;
            }
            return pipeline;
        }

        /** The results of a run over `items`, as they come; without items the manifest's own, or sources generate. */
        stream(items, options = {}) {
            checkOptions(options, OF_RUN);
            const { signal, source = '', transfer = false } = options;
            signal?.throwIfAborted();
            if (this.#ended !== null)
                throw this.#ended;
            const run = ++this.#lastRun, post = (message, transfer) => this.#port.post({ ...message, run }, transfer);
            const live = items?.liveRun?.() ?? null; // its items do not come by this thread
            let read = 0; // batches of results, of which the other side does not know
            const send = (message, transfer) => {
                const taken = read;
                read = 0;
                post({ ...message, taken }, transfer);
            };
            const feed = live ?? (items === undefined || items === null ? null : new Feed(items, (batch) => send({ do: 'items', batch }, buffersOf(batch)), transfer));
            let settle;
            const over = new Promise((resolve) => (settle = resolve));
            const asked = []; // for the metrics, whose answers come in this order
            const metrics = () => new Promise((resolve) => {
                asked.push(resolve);
                post({ do: 'metrics' });
                over.then(() => resolve(results.metrics()));
            });
            /** A batch is read, and one that has come waits, or comes: then the other side is told. */
            const taken = (buffer) => {
                feed?.reuse?.(buffer);
                read++;
            };
            const more = () => read > 0 && send({ do: 'taken' });
            const results = new Results(this.sinks, { taken, more, metrics }, (reason) => {
                settle();
                this.#runs.delete(run);
                this.#port.hold(this.#runs.size > 0);
                forget();
                feed?.stop(results.end?.metrics !== undefined, reason);
                post({ do: 'close' });
            });
            const forget = onAbort(signal, () => results.finish({ error: signal.reason }, false));
            const broken = (error) => {
                if (feed.stopped)
                    return;
                this.#runs.get(run).error = error; // for when all before it has gone through
                feed.stop(false, error);
                post({ do: 'break' });
            };
            this.#runs.set(run, { results, feed, over, asked, cancel: () => post({ do: 'cancel' }) });
            this.#port.hold(true);
            const generate = live === null ? feed === null && !hasInput(this.#manifest) : live.setup.input === null;
            post({ do: 'start', generate, source, audio: live?.setup }, live?.transfer);
            feed?.run?.().then((all) => all && post({ do: 'end' }), broken);
            return results;
        }

        /** {outputs: {sink: [values]}, failed, graphInfo, metrics} of a whole run. */
        async run(items, options) {
            const outputs = Object.fromEntries(this.sinks.map((sink) => [sink, []]));
            const results = this.stream(items, options);
            try {
                await results.collect(outputs);
            } catch (error) {
                if (error instanceof PipelineError)
                    error.outputs = outputs;
                throw error;
            }
            return { outputs, ...results.end };
        }

        /** {writable, readable} of a run: items in, {sink, value} out. */
        transform(options) {
            const { readable, writable } = new TransformStream();
            return { writable, readable: this.stream(readable, options).readable() };
        }

        /** Asks all runs to end, and waits until they have: with the code `cancelled`. */
        async cancel() {
            const runs = [...this.#runs.values()];
            runs.forEach(({ cancel }) => cancel());
            await Promise.all(runs.map(({ over }) => over));
        }

        /** Ends the pipeline at once, and with it a Worker, whatever it does. */
        terminate() {
            this.#end(new PipelineError('terminated', 'the pipeline was terminated'));
        }

        [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
            this.terminate();
        }

        #end(error) {
            this.#ended ??= error;
            this.#forget();
            this.#opening.reject(error);
            for (const { results } of [...this.#runs.values()])
                results.finish({ error }, false);
            this.#port.terminate();
        }

        #hear(message, onLog) {
            const run = this.#runs.get(message.run);
            switch (message.say) {
                case 'opened':
                    Object.assign(this, { sinks: message.sinks, graphInfo: message.graphInfo });
                    this.#port.hold(this.#runs.size > 0);
                    return this.#opening.resolve();
                case 'log':
                    return onLog(message.log);
                case 'results':
                    run?.feed?.room?.(message.room); // not that of live audio, whose items are not of this thread
                    return run?.results.deliver(message.results);
                case 'metrics':
                    return run?.asked.shift()(message.metrics);
                case 'room':
                    return run?.feed?.room?.(message.room);
                case 'enough':
                    return run?.feed?.stop();
                case 'done':
                    return run?.results.finish({ end: message.end });
                case 'broken':
                    return run?.results.finish({ error: run.error });
                case 'failed':
                    if (message.run === undefined)
                        return this.#opening.reject(thrown(message.error));
                    return run?.results.finish({ error: thrown(message.error) });
            }
        }
    };
}
