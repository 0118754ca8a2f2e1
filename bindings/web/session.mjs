// The side of a pipeline that has the WebAssembly instance: in a Worker, or beside its user. Messages come and go through a
// port; pipeline.mjs is the other side. Items and results are batches (batch.mjs), whose buffers are transferred.
import { Batch, buffersOf } from './batch.mjs';
import { packed, PipelineError, trapped } from './errors.mjs';
import { AGAIN, DONE, Instance } from './steps.mjs';
import { Folder, Wasi } from './wasi.mjs';

const WINDOW = 3; // batches of results that are on their way at once; the other side says of one that it is read when the next comes
const LARGEST = { length: 1 << 16, size: 1 << 18 }; // bytes of a batch that is sent at once, without and with large arrays
const HOME = '/app', PACKAGES = '/packages'; // where the program finds the user's files, and what was in wheels
const LEVELS = new Set(['error', 'warning', 'info', 'debug']);

/** Lines of one of the program's two streams. */
class Lines {
    #rest = '';
    #decoder = new TextDecoder();

    constructor(stream, tell) {
        Object.assign(this, { stream, tell });
    }

    add(bytes) {
        const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
        this.#rest = lines.pop();
        for (const line of lines) {
            const [, level, text] = /^(\w+): (.*)$/s.exec(line) ?? [];
            const known = this.stream === 'stderr' && LEVELS.has(level);
            this.tell({ stream: this.stream, level: known ? level : 'info', text: known ? text : line });
        }
    }
}

async function instantiate(module, { files, packages, env }, tell) {
    const home = Folder.of(files), lines = [null, new Lines('stdout', tell), new Lines('stderr', tell)];
    const wasi = new Wasi({ env, mounts: { '.': home, [HOME]: home, ...(packages && { [PACKAGES]: Folder.of(packages) }) }, write: (fd, bytes) => lines[fd].add(bytes) });
    const instance = await wasi.instantiate(module);
    instance.exports._initialize?.();
    return new Instance(instance);
}

/** One run of a pipeline. */
class Run {
    #inbox = []; // batches that are not all pushed, the first one opened
    #ended = false;
    #closed = false;
    #cancelled = false; // or closed: nothing waits any more
    #broken = false; // the items ended in an error
    #all = false; // and what came before was pushed when the last step was made
    #results = new Batch();
    #under = 0; // batches of results on their way
    #free = 0; // batches of items that were pushed, of which the other side does not know: it is told with results where there are any
    #room = () => {};

    constructor(pipeline, source, tell) {
        Object.assign(this, { pipeline, source, tell });
    }

    items(batch) {
        this.#inbox.push(batch);
        this.#feed();
        this.pipeline.look();
    }

    /** The source failed: the run ends when what it gave before has gone through. */
    break() {
        this.#broken = true;
        this.pipeline.look();
    }

    end() {
        this.#ended = true;
        this.#feed();
    }

    taken(count = 1) {
        this.#under -= count;
        this.#room();
    }

    metrics() {
        this.tell({ say: 'metrics', metrics: this.pipeline.metrics });
    }

    cancel() {
        this.#cancelled = true;
        this.pipeline.cancel();
        this.#room();
    }

    /** Nobody wants the rest. */
    close() {
        this.#closed = true;
        this.cancel();
    }

    #feed() {
        while (this.#inbox.length > 0) {
            const batch = (this.#inbox[0] = this.#inbox[0].push ? this.#inbox[0] : this.#open(this.#inbox[0]));
            const code = batch.push(this.source);
            if (code === AGAIN)
                return;
            batch.close();
            this.#inbox.shift();
            this.#ended ||= code === DONE;
            if (code === DONE)
                this.tell({ say: 'enough' });
            else
                this.#free++;
        }
        if (this.#ended)
            this.pipeline.end();
        this.#ended = false;
    }

    /** Copies a batch into the instance's memory; its buffers are then free for results. */
    #open(batch) {
        const opened = this.pipeline.open(batch);
        this.#results.reuse(...buffersOf(batch));
        return opened;
    }

    async work() {
        const batch = this.#results;
        const send = () => {
            const room = this.#free, results = batch.length > 0 ? batch.take() : null;
            this.#free = 0;
            if (results !== null) {
                this.#under++;
                this.tell({ say: 'results', results, room }, buffersOf(results));
            } else if (room > 0) {
                this.tell({ say: 'room', room });
            }
        };
        try {
            for await (const code of this.pipeline.turns(send)) {
                let idle = code === AGAIN && this.#all;
                while (!this.#closed && this.pipeline.pullInto(batch)) {
                    idle = false;
                    if (batch.length < LARGEST.length && batch.size < LARGEST.size)
                        continue;
                    send();
                    while (this.#under >= WINDOW && !this.#cancelled)
                        await new Promise((resume) => (this.#room = resume));
                }
                if (idle) {
                    send();
                    return this.tell({ say: 'broken' });
                }
                this.#all ||= this.#broken && this.#inbox.length === 0 && (this.pipeline.look(), true);
                this.#feed();
            }
            send();
            const { failures, graphInfo, metrics } = this.pipeline;
            this.tell({ say: 'done', end: { failed: failures, graphInfo, metrics } });
        } catch (error) {
            send();
            this.tell({ say: 'failed', error: packed(trapped(error)) });
        } finally {
            this.release();
        }
    }

    release() {
        try {
            for (const batch of this.#inbox.splice(0))
                batch.close?.();
            this.pipeline.close();
        } catch (error) {
            if (!(error instanceof PipelineError))
                throw error; // else the instance has trapped
        }
    }
}

/** Serves one Pipeline: `port` has post(message, transfer), and calls what `serve` returns with each message. */
export function serve(port) {
    const runs = new Map();
    let setup, reactor = null, opened = null;

    const open = async (generate) => {
        reactor ??= await instantiate(setup.module, setup, (log) => port.post({ say: 'log', log }));
        return reactor.open(setup.manifest, generate ? { ...setup.options, generate } : setup.options);
    };

    /** A run of the pipeline that was opened to check the manifest, or of another one. */
    const start = async ({ generate, source, audio }, tell) => {
        if (reactor?.trap)
            reactor = opened = null; // this run has a new instance
        const live = audio && new (await import(/* @vite-ignore */ audio.module)).LiveRun(audio, tell);
        if (generate) {
            opened?.close();
            opened = null;
        }
        const pipeline = opened ?? (await open(generate));
        opened = null;
        const run = new Run(pipeline, source, live?.tell ?? tell);
        live?.begin(run);
        return run;
    };

    const actions = {
        async open(message) {
            setup = message;
            if (setup.python)
                setup.options.paths = [HOME, ...(setup.packages ? [PACKAGES] : []), ...(setup.options.paths ?? [])];
            opened = await open(false);
            port.post({ say: 'opened', sinks: opened.sinks, graphInfo: opened.graphInfo });
        },
        async start({ run: id, ...how }) {
            const tell = (message, transfer) => port.post({ ...message, run: id }, transfer);
            const starting = start(how, tell);
            runs.set(id, starting); // messages that come meanwhile wait for it
            try {
                await (await starting).work();
            } finally {
                runs.delete(id);
            }
        },
    };
    /** What concerns a run that goes on. */
    const pass = async ({ do: action, run: id, batch, taken }) => {
        const run = await runs.get(id);
        if (taken > 0)
            run?.taken(taken);
        if (action !== 'taken')
            run?.[action](batch);
    };
    return (message) => {
        (actions[message.do] ?? pass)(message).catch((error) =>
            port.post({ say: 'failed', run: message.run, error: packed(trapped(error)) }),
        );
    };
}
