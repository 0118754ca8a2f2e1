// Batches of messages, in buffers that go from one thread to another: docs/wasm.md has their form. wire.mjs has what is in the messages.
//
// A large array is not in the batch's buffer but has its own, so that it is transferred, not copied: `parts` says where it belongs.
const MOST_EXPECTED = 1 << 22; // bytes that a batch has at first
const MOST_SPARE = 4; // buffers
const APART = 1 << 16; // bytes from which an array has its own buffer
const NONE = new Uint8Array(0);

export const isApart = (length) => length >= APART;

/** Messages one behind the other, each at a multiple of 16 behind a head of 16 bytes: u32 length, u32 index of a sink. */
export class Batch {
    length = 0;
    apart = 0; // bytes in parts
    parts = []; // {at, buffer, offset, length}: an array that belongs at `at`
    bytes = NONE; // all that there is room for
    view;
    #expected = 1024; // bytes of the next batch
    #spare = [];

    /** Appends the messages of a batch that is at `at` in an instance's `memory` (a Uint8Array). */
    append(memory, at) {
        const [length, count] = new Uint32Array(memory.buffer, at, 2), first = at + 16;
        const table = new Uint32Array(memory.buffer, first + length, 3 * count), to = this.room(length);
        this.bytes.set(memory.subarray(first, first + length), to);
        for (let i = 0; i < 3 * count; i += 3) {
            const size = table[i + 2], buffer = this.#unused(size) ?? new ArrayBuffer(size);
            new Uint8Array(buffer).set(memory.subarray(table[i + 1], table[i + 1] + size));
            this.put(to + table[i], buffer, 0, size);
        }
    }

    put(at, buffer, offset, length) {
        this.parts.push({ at, buffer, offset, length });
        this.apart += length;
    }

    /** Bytes of all messages. */
    get size() {
        return this.length + this.apart;
    }

    /** {buffer, length, parts}: the batch, which is the caller's from then on. */
    take() {
        const { bytes: { buffer }, length, parts } = this;
        this.#expected = Math.min(length + 64, MOST_EXPECTED);
        this.length = this.apart = 0;
        this.parts = [];
        this.bytes = NONE;
        return { buffer, length, parts };
    }

    /** Gives buffers that nobody needs any more: fresh memory of some size is slow. */
    reuse(...buffers) {
        this.#spare = [...buffers, ...this.#spare].slice(0, MOST_SPARE);
    }

    #unused(size) {
        const i = this.#spare.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size + 4096);
        return i < 0 ? undefined : this.#spare.splice(i, 1)[0];
    }

    room(size) {
        const at = this.length, end = at + size, old = this.bytes;
        if (end > old.length) {
            const wanted = Math.max(end + 16, old.length * 2, at === 0 ? this.#expected : 256);
            this.bytes = new Uint8Array(this.#unused(wanted) ?? wanted);
            this.view = new DataView(this.bytes.buffer);
            this.bytes.set(old.subarray(0, at));
        }
        this.length = end;
        return at;
    }
}

/** What is transferred with a batch. */
export const buffersOf = ({ buffer, parts }) => (parts.length === 0 ? [buffer] : [...new Set([buffer, ...parts.map((part) => part.buffer)])]);
