// The side of a pipeline that its user has. session.mjs is the other one, in a Worker or in this thread.
import { PipelineError, unpacked } from './errors.mjs';
import { Feed } from './feed.mjs';
import { HOME, serve } from './session.mjs';
import { Results } from './stream.mjs';
import { checkVariant, hasInput, variantOf } from './variant.mjs';

// Options of the runtime, by their names here; a file without Python has none of PYTHON.
const PYTHON = ['arrays', 'paths', 'seed'];
const RUNTIME = { arrays: 'arrays', measure: 'measure', paths: 'paths', queuePackets: 'queue_packets', seed: 'seed', timeoutMs: 'timeout_ms' };

/** A session in this thread, as a port. */
function beside() {
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

function runtimeOptions(given) {
    const options = {};
    for (const [name, value] of Object.entries(given)) {
        if (RUNTIME[name] === undefined)
            throw new PipelineError('usage', `there is no option '${name}'`);
        if (value !== undefined)
            options[RUNTIME[name]] = value;
    }
    return options;
}

/** `files` with the content of those that are named by a URL. */
async function loaded(files, platform) {
    const contents = Object.entries(files).map(async ([path, content]) => [path, content instanceof URL ? await platform.read(content) : content]);
    return Object.fromEntries(await Promise.all(contents));
}

/** `platform` has compile(file, options), read(url), worker() and workerByDefault; `table` is the generated list of files. */
export function pipelineFor(platform, table) {
    return class Pipeline {
        #port;
        #runs = new Map(); // by number: {results, feed, over, cancel}
        #lastRun = 0;
        #manifest;
        #ended = null; // the error that every later call gets
        #opening;

        /** Not for users: `Pipeline.open`. */
        constructor(port, setup, onLog) {
            this.#port = port;
            this.#manifest = setup.manifest;
            this.ready = new Promise((resolve, reject) => (this.#opening = { resolve, reject }));
            port.listen((message) => this.#hear(message, onLog), (error) => this.#end(error));
            port.hold(true);
            port.post({ do: 'open', ...setup });
        }

        static async open(manifest, options = {}) {
            const { variant = 'auto', worker = platform.workerByDefault, files = {}, env = {}, wasm, onLog = print, onProgress, signal, ...rest } = options;
            signal?.throwIfAborted();
            const runtime = runtimeOptions(rest), contents = await loaded(files, platform);
            const chosen = variant === 'auto' ? variantOf(manifest, { files: contents, ...runtime }, table.python) : variant;
            checkVariant(chosen, Object.keys(table.files));
            if (chosen === 'lite')
                PYTHON.forEach((name) => delete runtime[name]);
            else
                runtime.paths = [HOME, ...(runtime.paths ?? [])];
            const module = wasm instanceof WebAssembly.Module ? wasm : await platform.compile(wasm ?? table.files[chosen], { onProgress, signal });
            signal?.throwIfAborted();
            const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
            const pipeline = new Pipeline(worker ? platform.worker() : beside(), { module, manifest: text, files: contents, env, options: runtime }, onLog);
            pipeline.variant = chosen;
            const abort = () => pipeline.#end(signal.reason);
            signal?.addEventListener('abort', abort, { once: true });
            try {
                await pipeline.ready;
            } catch (error) {
                pipeline.terminate();
                throw error;
            }
            return pipeline;
        }

        /** The results of a run over `items`, as they come; without items the manifest's own, or sources generate. */
        stream(items, { signal, source = '' } = {}) {
            signal?.throwIfAborted();
            if (this.#ended !== null)
                throw this.#ended;
            const run = ++this.#lastRun, post = (message, transfer) => this.#port.post({ ...message, run }, transfer);
            const live = items?.liveRun?.() ?? null; // its items do not come by this thread
            const feed = live ?? (items === undefined || items === null ? null : new Feed(items, (batch) => post({ do: 'items', batch }, [batch.buffer])));
            let settle;
            const over = new Promise((resolve) => (settle = resolve));
            const asked = []; // for the metrics, whose answers come in this order
            const metrics = () => new Promise((resolve) => {
                asked.push(resolve);
                post({ do: 'metrics' });
                over.then(() => resolve(results.metrics()));
            });
            const results = new Results(this.sinks, { taken: () => post({ do: 'taken' }), metrics }, () => {
                settle();
                this.#runs.delete(run);
                this.#port.hold(this.#runs.size > 0);
                signal?.removeEventListener('abort', abort);
                feed?.stop(results.end?.metrics !== undefined);
                post({ do: 'close' });
            });
            const fail = (error) => results.finish({ error }, false);
            const abort = () => fail(signal.reason);
            signal?.addEventListener('abort', abort, { once: true });
            this.#runs.set(run, { results, feed, over, asked, cancel: () => post({ do: 'cancel' }) });
            this.#port.hold(true);
            const generate = live === null ? feed === null && !hasInput(this.#manifest) : live.setup.input === null;
            post({ do: 'start', generate, source, audio: live?.setup }, live?.transfer);
            feed?.run?.().then((all) => all && post({ do: 'end' }), fail);
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
                    return run?.results.deliver(message.results);
                case 'metrics':
                    return run?.asked.shift()(message.metrics);
                case 'room':
                    return run?.feed?.room();
                case 'enough':
                    return run?.feed?.stop();
                case 'done':
                    return run?.results.finish({ end: message.end });
                case 'failed':
                    if (message.run === undefined)
                        return this.#opening.reject(unpacked(message.error));
                    return run?.results.finish({ error: unpacked(message.error) });
            }
        }
    };
}
