// Opens and runs pipelines; one that was checked is kept for the next run.
import { Pipeline, PipelineError } from 'remotemedia';

export class Runner {
    #opened = null; // {key, pipeline: a promise}
    #onLog;
    #onProgress;
    results = null; // of the run that is going on

    constructor({ onLog, onProgress }) {
        this.#onLog = onLog;
        this.#onProgress = onProgress;
    }

    /** The pipeline of these texts; the one of others ends. */
    open({ manifest, code, files }) {
        const key = JSON.stringify([manifest, code, Object.entries(files).map(([name, { length }]) => [name, length])]);
        if (this.#opened?.key === key)
            return this.#opened.pipeline;
        if (this.results === null)
            this.#drop();
        const contents = code.trim() === '' ? files : { ...files, 'nodes.py': code };
        const pipeline = Pipeline.open(manifest, { files: contents, measure: true, onLog: this.#onLog, onProgress: this.#onProgress });
        pipeline.catch(() => {}); // whoever waits for it hears of it
        this.#opened = { key, pipeline };
        return pipeline;
    }

    /** What is wrong with a manifest, as the runtime says; null: nothing. */
    async validate(texts) {
        if (this.results !== null)
            return null; // not beside a run
        try {
            await this.open(texts);
            return null;
        } catch (error) {
            if (error instanceof PipelineError)
                return error;
            throw error;
        }
    }

    /** Runs over `items`; `each(sink, value)` and `counts(metrics, running)` hear of it. */
    async run(texts, items, { each, counts }) {
        const pipeline = await this.open(texts);
        const results = (this.results = pipeline.stream(items));
        let last = {}; // a run that fails tells no more
        const timer = setInterval(async () => {
            const metrics = await results.metrics();
            if (this.results === results)
                counts((last = metrics), true);
        }, 250);
        try {
            for await (const { sink, value } of results)
                each(sink, value);
            return results.end;
        } finally {
            clearInterval(timer);
            this.results = null;
            counts(results.end?.metrics ?? last, false);
        }
    }

    /** Ends the run: kindly, or after a second with its Worker. */
    async stop() {
        const opened = this.#opened, pipeline = await opened?.pipeline.catch(() => null);
        if (!pipeline || this.results === null)
            return;
        const hard = setTimeout(() => {
            pipeline.terminate();
            this.#opened = null;
        }, 1000);
        await pipeline.cancel();
        clearTimeout(hard);
    }

    #drop() {
        this.#opened?.pipeline.then((pipeline) => pipeline.terminate(), () => {});
        this.#opened = null;
    }
}
