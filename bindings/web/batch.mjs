// Batches of messages, in a buffer that goes from one thread to another. wire.mjs has what is in the messages.
const FEW = 32; // bytes that are copied one by one, which is faster than a call for so few
const MOST_EXPECTED = 1 << 22; // bytes that a batch has at first
const NOTHING = new ArrayBuffer(0);

/** Messages one behind the other, each at a multiple of 16 behind a head of 16 bytes: u32 length, u32 `mark`, zeros. */
export class Batch {
    count = 0;
    length = 0;
    bytes; // all that there is room for
    view;
    #expected; // bytes of the next batch
    #spare = NOTHING;
    #start; // of the message

    constructor(expected = 1024) {
        this.#expected = expected;
        this.#renew(0);
    }

    /** Appends a message that is in `memory` (a Uint8Array) already. */
    copy(memory, at, length, mark) {
        const before = this.length;
        this.begin();
        const to = this.room(length);
        if (length <= FEW)
            for (let i = 0; i < length; i++)
                this.bytes[to + i] = memory[at + i];
        else
            this.bytes.set(memory.subarray(at, at + length), to);
        this.finish(before, mark);
    }

    /** {buffer, length, count}: the batch, which is the caller's from then on. */
    take() {
        const taken = { buffer: this.bytes.buffer, length: this.length, count: this.count };
        this.#expected = Math.min(this.length + 64, MOST_EXPECTED);
        this.count = this.length = 0;
        this.bytes = null;
        return taken;
    }

    begin() {
        if (this.bytes === null)
            this.#renew(this.#expected);
        this.room(16);
        this.#start = this.length;
    }

    finish(before, mark) {
        this.view.setUint32(before, this.length - this.#start, true);
        this.view.setUint32(before + 4, mark, true);
        this.pad();
        this.count++;
    }

    /** Gives a buffer that nobody needs any more: fresh memory of some size is slow. */
    reuse(buffer) {
        this.#spare = buffer;
    }

    #renew(size) {
        const spare = this.#spare.byteLength >= size && this.#spare.byteLength <= 4 * size + 4096;
        this.bytes = spare ? new Uint8Array(this.#spare) : new Uint8Array(Math.max(size, 256));
        if (spare)
            this.#spare = NOTHING;
        this.view = new DataView(this.bytes.buffer);
    }

    room(size) {
        const at = this.length, end = at + size;
        if (end > this.bytes.length) {
            const old = this.bytes;
            this.#renew(Math.max(end + 16, old.length * 2));
            this.bytes.set(old.subarray(0, at));
        }
        this.length = end;
        return at;
    }

    pad() {
        const gap = -this.length & 15; // the start is a multiple of 16
        const at = this.room(gap);
        this.bytes.fill(0, at, at + gap);
    }
}

/** Where the messages of a batch are. */
export class Messages {
    bytes;
    view;
    #at = 0; // of the next message's head
    #end;
    mark = 0; // of the last message

    constructor({ buffer, length }) {
        this.bytes = new Uint8Array(buffer, 0, length);
        this.view = new DataView(buffer, 0, length);
        this.#end = length;
    }

    get done() {
        return this.#at >= this.#end;
    }

    /** The place of the next message, which is passed over. */
    skip() {
        const at = this.#at + 16, length = this.view.getUint32(this.#at, true);
        this.mark = this.view.getUint32(this.#at + 4, true);
        this.#at = at + length + (-length & 15);
        return { at, length };
    }
}
