// Values of JavaScript as bytes, and back: docs/wasm-node.md has the encoding.
//
// null, booleans, strings, lists and plain objects are what they are. A whole number is an integer, any other a float; integers
// past 2^53 are BigInts. A Uint8Array is bytes. {data, shape, dtype} is a tensor, with sampleRate audio; any other typed array is
// a tensor of one dimension, and an AudioBuffer is audio.
import { Batch, isApart } from './batch.mjs';
import { PipelineError } from './errors.mjs';

const NULL = 0, FALSE = 1, TRUE = 2, INT = 3, FLOAT = 4, BIGINT = 5, STRING = 6, BYTES = 7, LIST = 8, MAP = 9, TENSOR = 10,
    TUPLE = 11, SET = 12, FROZENSET = 13, DICT = 14, BYTEARRAY = 15;
const DEEPEST = 200;
const SHORT_TEXT = 32; // characters that are read and written one by one, which is faster than a call for so few
const OPAQUE = 17;

const Half = globalThis.Float16Array ?? Uint16Array; // a host without it gets the bits
// By number, from 1 on. Complex numbers are two elements of their array.
const DTYPES = 'bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' ');
const ARRAYS = [Uint8Array, Int8Array, Int16Array, Int32Array, BigInt64Array, Uint8Array, Uint16Array, Uint32Array, BigUint64Array, Half, Uint16Array,
    Float32Array, Float64Array, Float32Array, Float64Array];
const FIRST_COMPLEX = 14;
const OF_ARRAY = new Map([[Uint8ClampedArray, 'uint8']]); // those of numbers
for (let number = FIRST_COMPLEX - 1; number > 1; number--)
    OF_ARRAY.set(ARRAYS[number - 1], DTYPES[number - 1]); // of two with one array the first

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const refused = (what) => new PipelineError('type', `a pipeline takes no ${what}`);

/** A batch of values; with `transfers` the buffers of large arrays are given away, else they are copied. */
export class BatchWriter extends Batch {
    count = 0;
    #transfers;

    constructor(transfers = false) {
        super();
        this.#transfers = transfers;
    }

    /** Appends a value, of the sink with that index if it is a result; what fails leaves the batch as it was. */
    write(value, sink = 0) {
        const { length, apart, parts } = this, { length: before } = parts;
        try {
            this.room(16);
            this.#value(value, 0);
            this.view.setUint32(length, this.length - length - 16, true);
            this.view.setUint32(length + 4, sink, true);
            this.room(-this.length & 15); // the next start is a multiple of 16; what is between has no meaning
            this.count++;
        } catch (error) {
            Object.assign(this, { length, apart });
            parts.length = before;
            throw error;
        }
    }

    take() {
        this.count = 0;
        const batch = super.take();
        if (this.#transfers)
            this.#give(batch.parts);
        return batch;
    }

    /** Takes the buffers away from their owner, as far as it may: those of WebAssembly stay, and what is in them is copied. */
    #give(parts) {
        const given = new Map();
        for (const part of parts) {
            const { buffer, offset, length } = part;
            if (!given.has(buffer)) {
                if (buffer.byteLength === 0)
                    throw new PipelineError('value', 'an array was given away before it was sent');
                try {
                    given.set(buffer, structuredClone(buffer, { transfer: [buffer] }));
                } catch {
                    Object.assign(part, { buffer: buffer.slice(offset, offset + length), offset: 0 });
                    continue;
                }
            }
            part.buffer = given.get(buffer);
        }
    }

    #tag(tag) {
        const at = this.room(1);
        this.bytes[at] = tag;
    }

    #head(tag, count) {
        const at = this.room(5);
        this.bytes[at] = tag;
        this.view.setUint32(at + 1, count, true);
    }

    #i64(value) {
        const at = this.room(8); // before the view is taken: it may be another one afterwards
        this.view.setBigInt64(at, value, true);
    }

    #raw({ buffer, byteOffset: from, byteLength: length }) {
        const bytes = new Uint8Array(buffer, from, length);
        if (!isApart(length)) {
            const at = this.room(length);
            this.bytes.set(bytes, at);
        } else if (this.#transfers && buffer instanceof ArrayBuffer) {
            this.put(this.length, buffer, from, length);
        } else {
            this.put(this.length, bytes.slice().buffer, 0, length);
        }
    }

    /** A u32 length and the text. */
    #text(text) {
        const at = this.room(4 + text.length);
        let i = 0;
        if (text.length <= SHORT_TEXT)
            for (; i < text.length; i++) {
                const unit = text.charCodeAt(i);
                if (unit > 127)
                    break;
                this.bytes[at + 4 + i] = unit;
            }
        if (i < text.length || text.length > SHORT_TEXT) {
            this.length = at + 4;
            this.room(text.length * 3);
            this.length = at + 4 + encoder.encodeInto(text, this.bytes.subarray(at + 4)).written;
        }
        this.view.setUint32(at, this.length - at - 4, true);
    }

    #value(value, depth) {
        switch (typeof value) {
            case 'number':
                return this.#number(value);
            case 'string':
                this.#tag(STRING);
                return this.#text(value);
            case 'boolean':
                return this.#tag(value ? TRUE : FALSE);
            case 'undefined':
                return this.#tag(NULL);
            case 'bigint':
                return this.#bigint(value);
            case 'object':
                return value === null ? this.#tag(NULL) : this.#object(value, depth);
            default:
                throw refused(typeof value);
        }
    }

    #number(value) {
        const at = this.room(9);
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
            this.bytes[at] = INT;
            this.view.setUint32(at + 1, value % 4294967296, true); // the low bits, also of a negative number
            this.view.setInt32(at + 5, Math.floor(value / 4294967296), true);
        } else {
            this.bytes[at] = FLOAT;
            this.view.setFloat64(at + 1, value, true);
        }
    }

    #bigint(value) {
        if (BigInt.asIntN(64, value) === value) {
            const at = this.room(9);
            this.bytes[at] = INT;
            this.view.setBigInt64(at + 1, value, true);
            return;
        }
        let words = 2;
        while (BigInt.asIntN(64 * words, value) !== value)
            words++;
        this.#head(BIGINT, 8 * words);
        for (let i = 0; i < words; i++)
            this.#i64(BigInt.asIntN(64, value >> BigInt(64 * i)));
    }

    #object(value, depth) {
        if (depth >= DEEPEST)
            throw new PipelineError('limit', `a value is nested deeper than ${DEEPEST} levels`);
        if (Array.isArray(value)) {
            this.#head(LIST, value.length);
            for (const item of value)
                this.#value(item, depth + 1);
        } else if (value instanceof Uint8Array || value instanceof ArrayBuffer || value instanceof DataView) {
            this.#head(BYTES, value.byteLength);
            this.#raw(value instanceof ArrayBuffer ? new Uint8Array(value) : value);
        } else if (ArrayBuffer.isView(value)) {
            this.#tensor({ data: value, shape: [value.length] });
        } else if (ArrayBuffer.isView(value.data) && Array.isArray(value.shape)) {
            this.#tensor(value);
        } else if (typeof value.getChannelData === 'function') {
            this.#tensor(interleaved(value));
        } else if (typeof value.toJSON === 'function') {
            this.#value(value.toJSON(), depth);
        } else {
            this.#map(value, depth);
        }
    }

    #map(value, depth) {
        const prototype = Object.getPrototypeOf(value);
        if (!(value instanceof Map) && prototype !== null && Object.getPrototypeOf(prototype) !== null)
            throw refused(`object of the class ${value.constructor?.name ?? '?'}`);
        const at = this.length;
        let count = 0;
        this.#head(MAP, 0);
        for (const [key, item] of value instanceof Map ? value : Object.entries(value)) {
            if (item === undefined || typeof item === 'function')
                continue; // as in JSON
            if (typeof key !== 'string')
                throw refused(`Map with a key that is a ${typeof key}`);
            this.#text(key);
            this.#value(item, depth + 1);
            count++;
        }
        this.view.setUint32(at + 1, count, true);
    }

    #tensor({ data, shape, dtype = OF_ARRAY.get(data.constructor), sampleRate, layout = 0, description = '' }) {
        const opaque = dtype === 'opaque', number = opaque ? OPAQUE : DTYPES.indexOf(dtype) + 1;
        const Type = ARRAYS[number - 1] ?? Uint8Array, each = number >= FIRST_COMPLEX && !opaque ? 2 : 1;
        if (number === 0)
            throw refused(`tensor with the dtype ${dtype} in a ${data.constructor.name}`);
        if (!(data instanceof Type) && !(dtype === 'uint8' && data instanceof Uint8ClampedArray) && !(dtype === 'float16' && data instanceof Uint16Array))
            throw new PipelineError('type', `a tensor of ${dtype} has its data in a ${Type.name}, not a ${data.constructor.name}`);
        const count = shape.reduce((product, size) => product * size, 1);
        const item = opaque ? data.byteLength / count : Type.BYTES_PER_ELEMENT * each;
        if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || count * item !== data.byteLength)
            throw new PipelineError('value', `a tensor of the shape [${shape}] has not ${data.length / each} elements`);
        if (shape.length > 255)
            throw new PipelineError('limit', 'a tensor has at most 255 dimensions');
        if (sampleRate !== undefined && (sampleRate !== (sampleRate | 0) || sampleRate < 1))
            throw new PipelineError('value', 'a sampleRate is a whole number from 1 to 2147483647');
        if (!Number.isSafeInteger(layout) || layout < 0 || typeof description !== 'string')
            throw new PipelineError('value', 'a layout is a whole number from 0 on, a description a text');
        this.#tensorHead([number, shape.length, sampleRate === undefined ? 0 : 1, 0], sampleRate ?? 0, layout, item, description);
        for (const size of shape)
            this.#i64(BigInt(size));
        this.#i64(BigInt(data.byteLength));
        const at = this.room(-this.length & 15); // in the message, whose start is a multiple of 16
        this.bytes.fill(0, at, this.length);
        this.#raw(data);
    }

    #tensorHead(bytes, rate, layout, item, description) {
        const at = this.room(21);
        this.bytes[at] = TENSOR;
        this.bytes.set(bytes, at + 1);
        this.view.setInt32(at + 5, rate, true);
        this.view.setBigUint64(at + 9, BigInt(layout), true);
        this.view.setUint32(at + 17, item, true);
        this.#text(description);
    }
}

/** The audio of an AudioBuffer: frames of one sample a channel. */
function interleaved(buffer) {
    const { numberOfChannels: channels, length, sampleRate } = buffer;
    const data = new Float32Array(channels * length);
    for (let c = 0; c < channels; c++) {
        const from = buffer.getChannelData(c);
        for (let i = 0; i < length; i++)
            data[i * channels + c] = from[i];
    }
    return { data, shape: [length, channels], dtype: 'float32', sampleRate };
}

/** The values of a batch, whose buffer nobody needs when they are read. */
export class BatchReader {
    sink = 0; // index of the last value's
    #batch;
    #bytes;
    #view;
    #part = 0; // the next one
    #at = 0; // of the next message
    #p = 0;

    constructor(batch) {
        this.#batch = batch;
        this.#bytes = new Uint8Array(batch.buffer);
        this.#view = new DataView(batch.buffer);
    }

    get buffer() {
        return this.#batch.buffer;
    }

    get done() {
        return this.#at >= this.#batch.length;
    }

    next() {
        const at = this.#at, length = this.#view.getUint32(at, true);
        this.sink = this.#view.getUint32(at + 4, true);
        this.#p = at + 16;
        this.#at = this.#p + ((length + 15) & -16);
        return this.#value();
    }

    #u32() {
        const value = this.#view.getUint32(this.#p, true);
        this.#p += 4;
        return value;
    }

    #take(length) {
        const taken = this.#bytes.subarray(this.#p, this.#p + length);
        this.#p += length;
        return taken;
    }

    #text() {
        const length = this.#u32(), at = this.#p;
        if (length <= SHORT_TEXT) {
            let text = '';
            for (let i = at; i < at + length; i++) {
                if (this.#bytes[i] > 127)
                    return decoder.decode(this.#take(length));
                text += String.fromCharCode(this.#bytes[i]);
            }
            this.#p += length;
            return text;
        }
        return decoder.decode(this.#take(length));
    }

    #int() {
        const low = this.#view.getUint32(this.#p, true), high = this.#view.getInt32(this.#p + 4, true);
        this.#p += 8;
        const value = high * 4294967296 + low;
        return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
    }

    #bigint() {
        const bytes = this.#take(this.#u32());
        let text = '0x';
        for (let i = bytes.length - 1; i >= 0; i--)
            text += bytes[i].toString(16).padStart(2, '0');
        return BigInt.asIntN(bytes.length * 8, BigInt(text));
    }

    #list() {
        const count = this.#u32(), list = new Array(count);
        for (let i = 0; i < count; i++)
            list[i] = this.#value();
        return list;
    }

    #map() {
        const map = {};
        for (let count = this.#u32(); count > 0; count--) {
            const key = this.#text(), value = this.#value();
            if (key === '__proto__')
                Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
            else
                map[key] = value;
        }
        return map;
    }

    #dict() {
        const map = new Map();
        for (let count = this.#u32(); count > 0; count--) {
            const key = this.#value();
            map.set(key, this.#value());
        }
        return map;
    }

    /** {buffer, offset} of an array of so many bytes. */
    #array(length) {
        const part = this.#batch.parts[this.#part];
        if (part?.at !== this.#p)
            return { buffer: this.#take(length).slice().buffer, offset: 0 };
        this.#part++;
        return part;
    }

    #tensor() {
        const [number, dimensions, media] = this.#take(4);
        const rate = this.#view.getInt32(this.#p, true), layout = this.#view.getBigUint64(this.#p + 4, true);
        this.#p += 16; // with the size of an element
        const description = this.#text();
        const shape = Array.from({ length: dimensions }, () => this.#int());
        const length = this.#int();
        this.#p += -this.#p & 15;
        const dtype = DTYPES[number - 1] ?? 'opaque', Type = ARRAYS[number - 1] ?? Uint8Array;
        const { buffer, offset } = this.#array(length), data = new Type(buffer, offset, length / Type.BYTES_PER_ELEMENT);
        return {
            data, shape, dtype,
            ...(media === 1 ? { sampleRate: rate, layout: Number(layout) } : {}),
            ...(description ? { description } : {}),
        };
    }

    #value() {
        const tag = this.#bytes[this.#p++];
        switch (tag) {
            case NULL:
                return null;
            case FALSE:
            case TRUE:
                return tag === TRUE;
            case INT:
                return this.#int();
            case FLOAT:
                this.#p += 8;
                return this.#view.getFloat64(this.#p - 8, true);
            case BIGINT:
                return this.#bigint();
            case STRING:
                return this.#text();
            case BYTES:
            case BYTEARRAY:
                return this.#take(this.#u32()).slice();
            case LIST:
            case TUPLE:
            case SET:
            case FROZENSET:
                return this.#list();
            case MAP:
                return this.#map();
            case DICT:
                return this.#dict();
            case TENSOR:
                return this.#tensor();
            default:
                throw new PipelineError('internal', `a result has the unknown tag ${tag}`);
        }
    }
}
