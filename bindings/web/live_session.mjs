// Live audio on the Worker's side of a run: items come from one queue, audio of one sink goes into another one.
import { buffersOf } from './batch.mjs';
import { packed, PipelineError } from './errors.mjs';
import { readerOf, writerOf } from './live_worklet.mjs';
import { BatchReader, BatchWriter } from './wire.mjs';

const WINDOW = 2; // batches of items on their way at once
const MOST = 64; // items in a batch, where the pipeline is behind

export class LiveRun {
    #setup;
    #tell;
    #run = null;
    #input;
    #output;
    #batch = new BatchWriter();
    #credits = WINDOW;
    #ended = false; // all items are in
    #pumps = false;
    #held = []; // {frames, done}: audio that waits for room, and what comes after it

    /** `tell` is that of the run. */
    constructor(setup, tell) {
        this.#setup = setup;
        this.#tell = tell;
        const { input, output, inputPort, outputPort } = setup;
        this.#input = input && readerOf(input, inputPort);
        this.#output = output && writerOf(output, outputPort);
        for (const [port, queue, act] of [[inputPort, this.#input, () => this.#pump()], [outputPort, this.#output, () => this.#drain()]])
            if (queue)
                port.onmessage = ({ data }) => {
                    queue.hear(data);
                    act();
                };
    }

    begin(run) {
        this.#run = run;
        this.#pump();
    }

    /** What the run tells, on its way to the page. */
    tell = (message, transfer) => {
        if (message.room > 0) {
            this.#credits += message.room;
            this.#pump();
        }
        if (message.say === 'room')
            return;
        const isLast = message.say === 'done' || message.say === 'failed';
        if (message.say === 'enough' || isLast)
            this.#ended = true;
        if (isLast)
            this.#hold(() => this.#output?.end());
        if (message.say === 'results' && this.#output !== null)
            return this.#split(message);
        this.#hold(() => this.#tell(message, transfer)); // in order
        this.#drain();
    };

    #pump() {
        if (this.#pumps || this.#run === null || this.#input === null)
            return;
        this.#pumps = true;
        while (this.#credits > 0 && !this.#ended && this.#take()) {
            this.#credits--;
            this.#run.items(this.#batch.take());
        }
        if (this.#input.ended && this.#input.filled === 0 && !this.#ended) {
            this.#ended = true;
            this.#run.end();
            this.#run.pipeline.look();
        }
        this.#pumps = false;
    }

    /** Writes the items that are there into the batch; false: none. */
    #take() {
        const { frames, sampleRate } = this.#setup, queue = this.#input, { channels } = queue;
        for (let items = 0; items < MOST; items++) {
            if (queue.filled < frames && !queue.ended) {
                queue.wait();
                if (queue.filled < frames && !queue.ended) // else they came just before
                    return items > 0;
            }
            const count = Math.min(frames, queue.filled), data = new Float32Array(count * channels);
            if (count === 0)
                return items > 0;
            queue.read(count, (i, c, sample) => (data[i * channels + c] = sample));
            this.#batch.write({ data, shape: [count, channels], dtype: 'float32', sampleRate });
        }
        return true;
    }

    /** Takes the audio of one sink out of a batch of results. */
    #split(message) {
        const values = new BatchReader(message.results), rest = new BatchWriter(), audio = [];
        const sink = this.#run.pipeline.sinks.indexOf(this.#setup.play);
        while (!values.done) {
            const value = values.next();
            if (values.sink === sink)
                audio.push(value);
            else
                rest.write(value, values.sink);
        }
        for (const value of audio)
            this.#hold(null, value);
        this.#hold(() => {
            if (rest.count === 0)
                return this.#run.taken();
            const results = rest.take();
            this.#tell({ ...message, results }, buffersOf(results)); // the page says when it is taken
        });
        this.#drain();
    }

    #hold(then, audio = null) {
        this.#held.push({ then, audio, at: 0 });
    }

    #drain() {
        while (this.#held.length > 0) {
            const first = this.#held[0];
            if (first.audio !== null && !this.#write(first))
                return;
            this.#held.shift();
            first.then?.();
        }
    }

    /** Writes audio as far as there is room; true: all of it. */
    #write(held) {
        const { audio: { data, shape, sampleRate }, at } = held, queue = this.#output, [frames, channels] = shape ?? [];
        if (sampleRate !== this.#setup.sampleRate)
            return this.#fail(sampleRate);
        const sample = channels === 1 ? (i) => data[held.at + i] : (i, c) => (c < channels ? data[(held.at + i) * channels + c] : 0);
        const count = Math.min(queue.room, frames - at);
        queue.write(count, sample, 1);
        held.at += count;
        if (held.at === frames)
            return true;
        queue.wait();
        return queue.room > queue.capacity / 2 && this.#write(held); // room came just before
    }

    #fail(rate) {
        const what = rate === undefined ? 'results that are no audio' : `audio of ${rate} Hz`;
        const message = `'${this.#setup.play}' has ${what}; what is played has ${this.#setup.sampleRate} Hz: put AudioResample before it`;
        this.#tell({ say: 'failed', error: packed(new PipelineError('type', message, { node: this.#setup.play })) });
        this.#output.end();
        this.#held = [];
        this.#run.close();
        return true;
    }
}
