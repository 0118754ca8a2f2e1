// Takes items from whatever gives them and sends them in batches, as far as the other side has room.
import { PipelineError } from './errors.mjs';
import { soon } from './soon.mjs';
import { BatchWriter } from './wire.mjs';

const WINDOW = 2; // batches that are on their way at once
const FIRST = 16, MOST = 2048, LARGEST = 1 << 18; // items in the first batch and in any, bytes
const SLICE_MS = 8;

/** What an iterator gives, as loops check it. */
function anObject(given) {
    if (Object(given) !== given)
        throw new TypeError('the iterator of the items gives no object');
    return given;
}

/** The items of a ReadableStream. Its own iterator would wait for the item that is read before it tells the source that all is over. */
function readerOf(stream) {
    const reader = stream.getReader();
    return {
        async next() {
            const step = await reader.read();
            if (step.done)
                reader.releaseLock();
            return step;
        },
        return: (reason) => reader.cancel(reason).finally(() => reader.releaseLock()),
    };
}

function iteratorOf(items) {
    if (typeof items?.getReader === 'function')
        return readerOf(items);
    if (typeof items?.[Symbol.asyncIterator] === 'function')
        return anObject(items[Symbol.asyncIterator]());
    if (typeof items?.[Symbol.iterator] === 'function' && typeof items !== 'string')
        return anObject(items[Symbol.iterator]());
    throw new PipelineError('type', 'items come from an iterable, an async iterable or a ReadableStream');
}

export class Feed {
    #iterator;
    #send;
    #writer;
    #credits = WINDOW;
    #waiting = []; // for room
    #flushes = false; // as soon as the event loop is free
    #failure = null; // of a batch that was sent meanwhile
    #over = false;
    stopped = false; // what the source says then concerns nobody

    /** `transfers`: large arrays are given away. */
    constructor(items, send, transfers = false) {
        this.#iterator = iteratorOf(items);
        this.#writer = new BatchWriter(transfers);
        this.#send = send;
    }

    /** Takes a buffer that nobody needs any more. */
    reuse(buffer) {
        this.#writer.reuse(buffer);
    }

    /** The other side has room for more batches. */
    room(batches) {
        this.#credits += batches;
        this.#wake();
    }

    #wake() {
        for (const resume of this.#waiting.splice(0))
            resume();
    }

    /** Nobody wants more; `reason` is an error, where there was one. */
    stop(_, reason) {
        this.stopped = true;
        if (this.#over)
            return;
        this.#over = true;
        this.#wake();
        // Not at once: the source may be at work, and have called this.
        Promise.resolve().then(() => this.#iterator.return?.(reason)).catch(() => {});
    }

    /** Sends all items; resolves when they are sent, or when `stop` was called. An error comes when what was before it is sent. */
    async run() {
        try {
            return await this.#all();
        } catch (error) {
            if (error !== this.#failure)
                await this.#flush();
            throw error;
        }
    }

    async #all() {
        let most = FIRST, index = 0, since = performance.now();
        while (!this.#over) {
            let step = this.#iterator.next();
            if (typeof step?.then === 'function') {
                this.#flushSoon();
                step = await step;
            }
            if (anObject(step).done || this.#over)
                break;
            this.#write(step.value, index++);
            const full = this.#writer.count >= most || this.#writer.size >= LARGEST;
            const late = (index & 15) === 0 && performance.now() - since > SLICE_MS;
            if (full || late) {
                await this.#flush();
                most = Math.min(most * 2, MOST);
            }
            if (late) {
                await soon();
                since = performance.now();
            }
        }
        if (this.#over)
            return false;
        this.#over = true;
        await this.#flush();
        return true;
    }

    #write(value, index) {
        try {
            this.#writer.write(value);
        } catch (error) {
            const failed = error instanceof PipelineError ? error : new PipelineError('type', `the item cannot be read: ${error?.message ?? error}`, { cause: error });
            failed.item = index;
            throw failed;
        }
    }

    async #flush() {
        if (this.#failure !== null)
            throw this.#failure;
        while (this.#credits === 0 && this.#writer.count > 0)
            await new Promise((resume) => this.#waiting.push(resume));
        this.#flushNow();
    }

    #flushNow() {
        if (this.#writer.count === 0 || this.#credits === 0)
            return;
        this.#credits--;
        this.#send(this.#writer.take());
    }

    /** A source that has nothing at the moment must not hold up what it gave before. */
    #flushSoon() {
        if (this.#flushes || this.#writer.count === 0)
            return;
        this.#flushes = true;
        soon().then(() => this.#flush()).catch((error) => (this.#failure = error)).then(() => (this.#flushes = false));
    }
}
