// Pipelines in a reactor for a host that has an instance of it, in Node or in a page; what is in a Worker needs steps.mjs only.
import { PipelineError } from './errors.mjs';
import { Batch } from './batch.mjs';
import { AGAIN, Instance, Steps } from './steps.mjs';
import { BatchReader, BatchWriter } from './wire.mjs';

export { PipelineError };

/** What all pipelines of one instance share. `instance` is a WebAssembly.Instance, initialised as WASI wants it. */
export class Reactor extends Instance {
    runOf(handle) {
        return new ReactorPipeline(this, handle);
    }

    get version() {
        this.call('rm_version');
        return JSON.parse(this.text());
    }
}

/** One run. Items go in by push (or `run`), results come out of `results`. */
class ReactorPipeline extends Steps {
    /** False when the queue is full: results must be taken first. `source` is a node's id; '' for every source. */
    push(item, source = '') {
        const batch = new BatchWriter();
        batch.write(item);
        const opened = this.open(batch.take());
        const code = opened.push(source);
        opened.close();
        return code !== AGAIN;
    }

    /** {sink, value} one after the other, to the end of the run; a failure comes after what was emitted before it. */
    async *results() {
        const batch = new Batch();
        for await (const _ of this.turns())
            while (this.pullInto(batch)) {
                const results = new BatchReader(batch.take());
                while (!results.done) {
                    const value = results.next();
                    yield { sink: this.sinks[results.sink], value };
                }
            }
    }

    /** {sink id: [values]} of a whole run over `items`, pushed as there is room; null: the manifest's own input. */
    async run(items = null) {
        const outputs = Object.fromEntries(this.sinks.map((id) => [id, []]));
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
}
