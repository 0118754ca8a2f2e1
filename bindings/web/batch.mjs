// Batches of messages, in buffers that go from one thread to another. wire.mjs has what is in the messages.
//
// A large array is no part of the batch's buffer but has its own, so that it is transferred, not copied: `parts` says where it belongs.
const FEW = 32; // bytes that are copied one by one, which is faster than a call for so few
const MOST_EXPECTED = 1 << 22; // bytes that a batch has at first
const MOST_SPARE = 4; // buffers
const APART = 1 << 16; // bytes from which an array has its own buffer
const TENSOR = 10; // a message's first byte

/** Whether an array of `length` bytes has its own buffer; the places of what follows are the same modulo 16 then. */
export const isApart = (length) => length >= APART && length % 16 === 0;

/** Where the data of the tensor is that a message at `at` consists of; `length` is that of the message. */
function dataOf(view, at, length) {
    if (length < APART || view.getUint8(at) !== TENSOR)
        return length;
    const size = Number(view.getBigUint64(at + 25 + view.getUint32(at + 21, true) + 8 * view.getUint8(at + 2), true));
    return isApart(size) ? length - size : length;
}

/**
 * Messages one behind the other, each at a multiple of 16 behind a head of 16 bytes: u32 length, u32 `mark`, u32 bytes of it that are
 * in `parts`, u32 without meaning.
 */
export class Batch {
    count = 0;
    length = 0;
    bytes; // all that there is room for
    view;
    #expected; // bytes of the next batch
    #parts = []; // {at, buffer, offset, length}: an array that belongs at `at`
    #apart = 0; // bytes in them
    #before; // of that, before the message
    #spare = [];
    #start; // of the message

    constructor(expected = 1024) {
        this.#expected = expected;
        this.#renew(0);
    }

    /** Appends a message that is in `memory` (a Uint8Array) already. */
    copy(memory, at, length, mark) {
        const before = this.length;
        this.begin();
        if (length <= FEW) {
            const to = this.room(length);
            for (let i = 0; i < length; i++)
                this.bytes[to + i] = memory[at + i];
        } else {
            const head = dataOf(new DataView(memory.buffer), at, length), to = this.room(head);
            this.bytes.set(memory.subarray(at, at + head), to);
            if (head < length)
                this.#copyApart(memory.subarray(at + head, at + length));
        }
        this.finish(before, mark);
    }

    #copyApart(data) {
        const buffer = this.#unused(data.length) ?? new ArrayBuffer(data.length);
        new Uint8Array(buffer, 0, data.length).set(data);
        this.put(buffer, 0, data.length);
    }

    /** Appends an array to the message, which is in a buffer of its own. */
    put(buffer, offset, length) {
        this.#parts.push({ at: this.length, buffer, offset, length });
        this.#apart += length;
    }

    /** Bytes of all messages. */
    get size() {
        return this.length + this.#apart;
    }

    /** {buffer, length, count, parts}: the batch, which is the caller's from then on. */
    take() {
        const taken = { buffer: this.bytes.buffer, length: this.length, count: this.count, parts: this.#parts };
        this.#expected = Math.min(this.length + 64, MOST_EXPECTED);
        this.count = this.length = this.#apart = 0;
        this.#parts = [];
        this.bytes = null;
        return taken;
    }

    begin() {
        if (this.bytes === null)
            this.#renew(this.#expected);
        this.room(16);
        this.#start = this.length;
        this.#before = this.#apart;
    }

    /** Forgets the message that was begun at `before`. */
    undo(before) {
        this.length = before;
        this.#parts = this.#parts.filter(({ at }) => at < before);
        this.#apart = this.#parts.reduce((sum, { length }) => sum + length, 0);
    }

    finish(before, mark) {
        const apart = this.#apart - this.#before;
        this.view.setUint32(before, this.length - this.#start + apart, true);
        this.view.setUint32(before + 4, mark, true);
        this.view.setUint32(before + 8, apart, true);
        this.room(-this.length & 15); // the next start is a multiple of 16; what is between has no meaning
        this.count++;
    }

    /** Gives a batch that nobody needs any more: fresh memory of some size is slow. */
    reuse({ buffer, parts }) {
        this.#spare = [...parts.map((part) => part.buffer), buffer, ...this.#spare].slice(0, MOST_SPARE);
    }

    #unused(size) {
        const i = this.#spare.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size + 4096);
        return i < 0 ? undefined : this.#spare.splice(i, 1)[0];
    }

    #renew(size) {
        this.bytes = new Uint8Array(this.#unused(size) ?? Math.max(size, 256));
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
}

/** Where the messages of a batch are. */
export class Messages {
    bytes;
    view;
    #at = 0; // of the next message's head
    #end;
    p = 0;
    mark = 0; // of the last message
    apart = 0; // its bytes that are in parts

    constructor({ buffer, length }) {
        this.bytes = new Uint8Array(buffer, 0, length);
        this.view = new DataView(buffer, 0, length);
        this.#end = length;
    }

    get done() {
        return this.#at >= this.#end;
    }

    /** Passes over the next message: it is at `p`, and its length is returned. */
    skip() {
        const length = this.view.getUint32(this.#at, true);
        this.mark = this.view.getUint32(this.#at + 4, true);
        this.apart = this.view.getUint32(this.#at + 8, true);
        this.p = this.#at + 16;
        this.#at = this.p + length - this.apart + (-length & 15);
        return length;
    }
}

/** What is transferred with a batch. */
export const buffersOf = ({ buffer, parts }) => (parts.length === 0 ? [buffer] : [...new Set([buffer, ...parts.map((part) => part.buffer)])]);
