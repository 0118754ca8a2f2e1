import { BatchReader } from './wire.mjs';

/** The results of one run: an async iterable of {sink, value}. */
export class Results {
    #run; // {taken(buffer), more(), metrics()}: the other side
    #sinks;
    #batches = [];
    #reader = null; // the first batch that is not read to its end
    #waiting = []; // {resolve, reject} of calls of next
    #outcome = null; // {end} or {error}
    #settle;

    /** `over` is called once, with the reason if there is one, when the run has ended on either side. */
    constructor(sinks, run, over) {
        this.#sinks = sinks;
        this.#run = run;
        this.#settle = over;
    }

    [Symbol.asyncIterator]() {
        return this;
    }

    /** What is known of the run at its end: {failed, graphInfo, metrics}; undefined before. */
    get end() {
        return this.#outcome?.end;
    }

    /** The counts of each node so far; after the run those of its end. */
    async metrics() {
        return this.#outcome === null ? this.#run.metrics() : (this.end?.metrics ?? {});
    }

    next() {
        if (this.#waiting.length === 0 && this.#open()) {
            try {
                return Promise.resolve({ value: this.#read(), done: false });
            } catch (error) {
                return Promise.reject(error);
            }
        }
        return new Promise((resolve, reject) => {
            this.#waiting.push({ resolve, reject });
            this.#serve();
        });
    }

    /** Ends the run: nobody wants the rest. */
    return() {
        return this.#leave();
    }

    async #leave(reason) {
        this.#drop();
        this.finish({ end: { failed: [] } }, true, reason);
        return { value: undefined, done: true };
    }

    /** The results as a ReadableStream. */
    readable() {
        return new ReadableStream({
            pull: async (controller) => {
                const { value, done } = await this.next();
                if (done)
                    controller.close();
                else
                    controller.enqueue(value);
            },
            cancel: (reason) => this.#leave(reason),
        }, { highWaterMark: 0 });
    }

    /** Puts all results that are there, and all that come, into {sink: [values]}. */
    async collect(outputs) {
        for (;;) {
            while (this.#open()) {
                const { sink, value } = this.#read();
                outputs[sink].push(value);
            }
            const { value, done } = await this.next();
            if (done)
                return;
            outputs[value.sink].push(value.value);
        }
    }

    // ---- For the pipeline

    deliver(batch) {
        this.#run.more();
        this.#batches.push(batch);
        this.#serve();
    }

    /** The run has ended, or is given up: after an error that is not `ordered`, results that are not read are dropped. */
    finish(outcome, ordered = true, reason = outcome.error) {
        if (this.#outcome !== null)
            return;
        this.#outcome = outcome;
        if (!ordered)
            this.#drop();
        this.#settle(reason);
        this.#serve();
    }

    #drop() {
        this.#batches = [];
        this.#reader = null;
    }

    #open() {
        if (this.#reader === null && this.#batches.length > 0) {
            this.#run.more();
            this.#reader = new BatchReader(this.#batches.shift());
        }
        return this.#reader !== null;
    }

    #read() {
        const value = this.#reader.next(), sink = this.#sinks[this.#reader.sink];
        if (this.#reader.done) {
            this.#run.taken(this.#reader.buffer);
            this.#reader = null;
        }
        return { sink, value };
    }

    #serve() {
        while (this.#waiting.length > 0) {
            const { resolve, reject } = this.#waiting[0];
            try {
                if (this.#open())
                    resolve({ value: this.#read(), done: false });
                else if (this.#outcome === null)
                    return;
                else if ('error' in this.#outcome) {
                    const { error } = this.#outcome;
                    this.#outcome = { end: undefined };
                    reject(error);
                } else
                    resolve({ value: undefined, done: true });
            } catch (error) {
                reject(error);
            }
            this.#waiting.shift();
        }
    }
}
