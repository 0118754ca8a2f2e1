// The audio thread's side of live audio, and the queues between it and a pipeline's Worker. The file imports nothing, so that it can
// be loaded as it is as a module of an AudioWorklet; live_session.mjs imports the queues.
//
// A queue holds interleaved frames: in memory that both threads share, or in messages. One thread writes, the other one reads. The
// port carries messages of both: {samples} from the writer, {taken} from the reader, {wake} and {end}.
const WRITTEN = 0, READ = 1, READER_WAITS = 2, WRITER_WAITS = 3, ENDED = 4; // words at the head of shared memory
const HEAD = 8;
const powerOfTwo = (least) => 2 ** Math.ceil(Math.log2(least));

/** Memory for a queue of `frames` at least. */
export const sharedQueue = (frames, channels) => new SharedArrayBuffer(4 * (HEAD + powerOfTwo(frames) * channels));

class Shared {
    constructor({ memory, channels }) {
        this.words = new Int32Array(memory, 0, HEAD);
        this.samples = new Float32Array(memory, 4 * HEAD);
        this.channels = channels;
        this.capacity = this.samples.length / channels;
    }

    get filled() { // the counts wrap
        return (Atomics.load(this.words, WRITTEN) - Atomics.load(this.words, READ)) >>> 0;
    }
}

class SharedWriter extends Shared {
    constructor(queue, port) {
        super(queue);
        this.port = port;
    }

    get room() {
        return this.capacity - this.filled;
    }

    /** Writes `count` frames, which there is room for; `sample(i, channel)` gives them. `enough`: what the reader waits for. */
    write(count, sample, enough) {
        const { words, samples, channels, capacity } = this, written = Atomics.load(words, WRITTEN);
        for (let i = 0; i < count; i++) {
            const at = ((written + i) & (capacity - 1)) * channels;
            for (let c = 0; c < channels; c++)
                samples[at + c] = sample(i, c);
        }
        Atomics.store(words, WRITTEN, (written + count) | 0);
        if (this.filled >= enough && Atomics.exchange(words, READER_WAITS, 0) === 1)
            this.port.postMessage({ wake: true });
    }

    /** The reader wakes a writer that waits for room, when there is half of all. */
    wait() {
        Atomics.store(this.words, WRITER_WAITS, 1);
    }

    end() {
        Atomics.store(this.words, ENDED, 1);
        this.port.postMessage({ wake: true });
    }

    hear() {}
}

class SharedReader extends Shared {
    constructor(queue, port) {
        super(queue);
        this.port = port;
    }

    get ended() {
        return Atomics.load(this.words, ENDED) === 1;
    }

    /** Gives `count` frames, which are there, to `put(i, channel, sample)`. */
    read(count, put) {
        const { words, samples, channels, capacity } = this, read = Atomics.load(words, READ);
        for (let i = 0; i < count; i++) {
            const at = ((read + i) & (capacity - 1)) * channels;
            for (let c = 0; c < channels; c++)
                put(i, c, samples[at + c]);
        }
        Atomics.store(words, READ, (read + count) | 0);
        if (2 * this.filled <= capacity && Atomics.exchange(words, WRITER_WAITS, 0) === 1)
            this.port.postMessage({ wake: true });
    }

    wait() {
        Atomics.store(this.words, READER_WAITS, 1);
    }

    hear() {}
}

class MessageWriter {
    #chunk;
    #used = 0; // frames in the chunk
    #sent = 0; // frames that the reader has not taken yet
    #spare = [];

    constructor({ frames, channels, chunk }, port) {
        Object.assign(this, { capacity: powerOfTwo(frames), channels, port, frames: chunk });
        this.#chunk = new Float32Array(chunk * channels);
    }

    get room() {
        return this.capacity - this.#sent - this.#used;
    }

    write(count, sample) {
        const { channels } = this;
        for (let i = 0; i < count; i++) {
            for (let c = 0; c < channels; c++)
                this.#chunk[this.#used * channels + c] = sample(i, c);
            if (++this.#used === this.frames)
                this.#send();
        }
    }

    #send() {
        const samples = this.#chunk.subarray(0, this.#used * this.channels);
        this.#sent += this.#used;
        this.port.postMessage({ samples }, [samples.buffer]);
        this.#chunk = this.#spare.pop() ?? new Float32Array(this.frames * this.channels);
        this.#used = 0;
    }

    wait() {}

    end() {
        if (this.#used > 0)
            this.#send();
        this.port.postMessage({ end: true });
    }

    hear({ taken }) {
        if (taken === undefined)
            return;
        this.#sent -= taken.length / this.channels;
        if (this.#spare.length < 8)
            this.#spare.push(new Float32Array(taken.buffer));
    }
}

class MessageReader {
    #chunks = [];
    #used = 0; // frames of the first one that are read
    filled = 0;
    ended = false;

    constructor({ channels }, port) {
        Object.assign(this, { channels, port });
    }

    read(count, put) {
        const { channels } = this;
        for (let i = 0; i < count; i++) {
            const [chunk] = this.#chunks;
            for (let c = 0; c < channels; c++)
                put(i, c, chunk[this.#used * channels + c]);
            if (++this.#used * channels === chunk.length) {
                this.#chunks.shift();
                this.#used = 0;
                this.port.postMessage({ taken: chunk }, [chunk.buffer]);
            }
        }
        this.filled -= count;
    }

    wait() {}

    hear({ samples, end }) {
        if (samples !== undefined) {
            this.#chunks.push(samples);
            this.filled += samples.length / this.channels;
        }
        this.ended ||= end === true;
    }
}

/** `queue` is {memory, frames, channels, chunk}; without memory it is one of messages. */
export const writerOf = (queue, port) => (queue.memory ? new SharedWriter(queue, port) : new MessageWriter(queue, port));
export const readerOf = (queue, port) => (queue.memory ? new SharedReader(queue, port) : new MessageReader(queue, port));

const TOLD_MS = 250;
const WINDOW_MS = 1000, LATE_MS = 5; // a clock that loses more in a window leaves something out; less is drift
const SETTLED = 16; // quanta in a row; a context that has just begun leaves some out

if (globalThis.registerProcessor !== undefined)
    registerProcessor('remotemedia-live', class extends AudioWorkletProcessor {
        #input = null; // the writer of what is recorded
        #output = null; // the reader of what is played
        #playing = false;
        #expected = null; // the next quantum's first frame
        #steady = 0; // quanta in a row
        #clock = null; // {lag, least, until}: the audio clock against the system's, in ms
        #losing = false;
        #told = 0;
        #over = false;
        #stats = { frames: 0, lost: 0, overruns: 0, missed: 0, played: 0, silence: 0, underruns: 0 };

        constructor() {
            super();
            this.port.onmessage = ({ data }) => this.#hear(data);
        }

        #hear({ start, stop }) {
            if (start !== undefined) {
                const { input, output, inputPort, outputPort } = start;
                this.enough = start.chunk;
                this.prefill = start.prefill;
                this.#input = input && writerOf(input, inputPort);
                this.#output = output && readerOf(output, outputPort);
                for (const [port, queue] of [[inputPort, this.#input], [outputPort, this.#output]])
                    if (queue)
                        port.onmessage = ({ data }) => queue.hear(data);
            }
            if (stop) {
                this.#input?.end();
                this.#input = null;
                this.#over = this.#output === null || stop === 'all';
                this.#tell();
                this.port.postMessage({ stopped: true });
            }
        }

        #tell() {
            this.#told = currentTime;
            this.port.postMessage({ stats: { ...this.#stats } });
        }

        /** Counts what the browser leaves out: quanta that it skips, and time in which it asks for none. */
        #follow(count) {
            let missed = this.#expected === null ? 0 : currentFrame - this.#expected;
            this.#expected = currentFrame + count;
            this.#steady = missed > 0 ? 0 : this.#steady + 1;
            if (this.#steady === SETTLED)
                this.port.postMessage({ steady: true });
            if (this.#input === null && this.#output === null)
                return;
            const now = Date.now(), lag = now - currentTime * 1000;
            this.#clock ??= { lag, least: lag, until: now + WINDOW_MS };
            this.#clock.least = Math.min(this.#clock.least, lag); // else a callback that is only late would count
            if (now >= this.#clock.until) {
                const late = this.#clock.least - this.#clock.lag;
                if (late > LATE_MS)
                    missed += Math.round((late / 1000) * sampleRate);
                this.#clock = { lag: this.#clock.least, least: lag, until: now + WINDOW_MS };
            }
            this.#stats.missed += missed;
        }

        #record(channels, count) {
            const stats = this.#stats;
            stats.frames += count;
            if (this.#input.room < count) {
                stats.lost += count;
                stats.overruns += this.#losing ? 0 : 1;
                this.#losing = true;
                return;
            }
            this.#losing = false;
            this.#input.write(count, (i, c) => channels[c]?.[i] ?? 0, this.enough);
        }

        #play(channels, count) {
            const queue = this.#output, stats = this.#stats, { filled } = queue;
            this.#playing ||= filled >= this.prefill || (queue.ended && filled > 0);
            if (!this.#playing) {
                if (stats.played > 0 && !queue.ended)
                    stats.silence += count;
                return;
            }
            const ready = Math.min(filled, count);
            queue.read(ready, (i, c, sample) => {
                if (c < channels.length)
                    channels[c][i] = sample;
            });
            stats.played += ready;
            if (ready < count) {
                this.#playing = false; // until there is a reserve again
                if (queue.ended)
                    return this.port.postMessage({ drained: true });
                stats.silence += count - ready;
                stats.underruns++;
            }
        }

        process([input], [output]) {
            const losses = ({ overruns, underruns, missed }) => overruns + underruns + missed;
            const before = losses(this.#stats), count = output[0].length;
            this.#follow(count);
            if (this.#input !== null)
                this.#record(input ?? [], count);
            if (this.#output !== null)
                this.#play(output, count);
            if (before !== losses(this.#stats) || currentTime - this.#told > TOLD_MS / 1000)
                this.#tell();
            return !this.#over;
        }
    });
