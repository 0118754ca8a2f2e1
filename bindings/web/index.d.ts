/** Pipelines of RemoteMedia: docs/web.md. */

export type TypedArray =
    | Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array
    | BigInt64Array | BigUint64Array | Float32Array | Float64Array;

export type DType =
    | 'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64'
    | 'float16' | 'bfloat16' | 'float32' | 'float64' | 'complex64' | 'complex128' | 'opaque';

/** An array of any number of dimensions, in C order. With `sampleRate` it is audio: frames, each of one sample a channel. */
export interface Tensor<Data extends ArrayBufferView = TypedArray> {
    data: Data;
    shape: number[];
    /** Without it that of `data`. */
    dtype?: DType;
    sampleRate?: number;
    /** The bits of the speakers, as in WAVE_FORMAT_EXTENSIBLE; 0: not known. */
    layout?: number;
    /** numpy's description of elements whose dtype is `opaque`. */
    description?: string;
}

export interface Audio<Data extends ArrayBufferView = Float32Array> extends Tensor<Data> {
    /** Frames and channels. */
    shape: [number, number];
    sampleRate: number;
}

/** What looks like an AudioBuffer of the Web Audio API. */
export interface AudioBufferLike {
    readonly length: number;
    readonly numberOfChannels: number;
    readonly sampleRate: number;
    getChannelData(channel: number): Float32Array;
}

/** A value that comes out of a pipeline. A Uint8Array is bytes; integers past 2^53 are bigints. */
export type Value = null | boolean | number | bigint | string | Uint8Array | Tensor | Value[] | { [key: string]: Value };

/** A value that goes in. `undefined` is null, a Date its text, a typed array a tensor of one dimension (a Uint8Array: bytes). */
export type Item =
    | Value | undefined | TypedArray | Tensor<ArrayBufferView> | ArrayBuffer | DataView | AudioBufferLike | Date
    | readonly Item[] | ReadonlyMap<string, Item> | { readonly [key: string]: Item };

export interface Node {
    id: string;
    node_type: string;
    params?: { [name: string]: unknown };
    [field: string]: unknown;
}

export interface Manifest {
    version: 'v1';
    metadata?: { name?: string; [field: string]: unknown };
    nodes: Node[];
    connections?: { from: string; to: string; [field: string]: unknown }[];
    [field: string]: unknown;
}

/** A manifest, its text, or one with its items beside it. */
export type Document = Manifest | { manifest: Manifest; input_data?: unknown } | string;

export type Variant = 'lite' | 'full' | 'numpy';

export interface Log {
    stream: 'stdout' | 'stderr';
    level: 'error' | 'warning' | 'info' | 'debug';
    text: string;
}

export interface Progress {
    file: string;
    loaded: number;
    /** Bytes; undefined for a file of your own. */
    total?: number;
}

export interface OpenOptions {
    /** The WASM file. `auto`: lite where no node needs Python, numpy where it is imported, else full. */
    variant?: 'auto' | Variant;
    /** Run in a Worker: by default in a page, not in Node. */
    worker?: boolean;
    /** Files that the program sees in its current folder, where it also finds Python modules; URLs are fetched. A list has URLs. */
    files?: { [path: string]: string | Uint8Array | URL } | (string | URL)[];
    /** Pure Python wheels: URLs (in Node also paths) or their bytes. */
    wheels?: (string | URL | Uint8Array | ArrayBuffer | { url: string | URL; integrity?: string })[];
    /** Environment variables. */
    env?: { [name: string]: string };
    /** Another WASM file than the package's. */
    wasm?: string | URL | { url: string | URL; integrity?: string } | WebAssembly.Module;
    /** Gets each line that the program or a node prints; else they go to the console. What it throws is reported, and ends nothing. */
    onLog?: (log: Log) => void;
    /** Gets how much of the WASM file has come. */
    onProgress?: (progress: Progress) => void;
    /** Ends the pipeline. */
    signal?: AbortSignal;
    /** What arrays are in Python nodes that do not say so themselves. */
    arrays?: 'numpy' | 'tensor';
    /** Count the packets and the time of each node. */
    measure?: boolean;
    /** More folders with Python modules. */
    paths?: string[];
    /** Packets that a queue holds. */
    queuePackets?: number;
    /** The seed of Python's `random`. */
    seed?: number;
    /** Ends a run that takes longer. */
    timeoutMs?: number;
}

export interface RunOptions {
    /** Ends the run; it then fails with the signal's reason. */
    signal?: AbortSignal;
    /** Give the buffers of large arrays in items away instead of copying them: they are detached. */
    transfer?: boolean;
    /** The node that gets the items; without it all sources get each item. */
    source?: string;
}

export interface Result<V = Value> {
    sink: string;
    value: V;
}

export interface GraphInfo {
    node_count: number;
    source_count: number;
    sink_count: number;
    execution_order: string[];
}

/** An item that failed under `"on_error": "collect"`. */
export interface Failure {
    code: string;
    message: string;
    node?: string;
    item?: number;
    [field: string]: unknown;
}

export interface RunEnd {
    failed: Failure[];
    graphInfo: GraphInfo;
    metrics: { [node: string]: { [name: string]: number } };
}

export interface RunResult<V = Value> extends RunEnd {
    /** The results of each sink. */
    outputs: { [sink: string]: V[] };
}

/** What has audio of its own: a LiveAudio of `remotemedia/live`. */
export interface LiveItems {
    liveRun(): unknown;
}

export type Items = Iterable<Item> | AsyncIterable<Item> | ReadableStream<Item> | LiveItems;

/** The results of one run, as they come. Leaving a loop over them ends the run. */
export interface Results<V = Value> extends AsyncIterableIterator<Result<V>> {
    next(): Promise<IteratorResult<Result<V>, undefined>>;
    return(): Promise<IteratorResult<Result<V>, undefined>>;
    [Symbol.asyncIterator](): Results<V>;
    readable(): ReadableStream<Result<V>>;
    /** What each node has done so far; `ns` where the pipeline was opened with `measure`. */
    metrics(): Promise<RunEnd['metrics']>;
    /** What is known at the end of the run; undefined before. */
    readonly end: RunEnd | undefined;
}

export class Pipeline {
    private constructor();
    /** Loads the WASM file and checks the manifest; what is wrong with it is a PipelineError. */
    static open(manifest: Document, options?: OpenOptions): Promise<Pipeline>;
    readonly variant: Variant;
    /** The ids of the nodes whose results come out. */
    readonly sinks: string[];
    readonly graphInfo: GraphInfo;
    /** Without items the manifest's own, or sources generate. Several runs may be open at once. */
    stream<V = Value>(items?: Items | null, options?: RunOptions): Results<V>;
    run<V = Value>(items?: Items | null, options?: RunOptions): Promise<RunResult<V>>;
    transform<V = Value>(options?: RunOptions): { writable: WritableStream<Item>; readable: ReadableStream<Result<V>> };
    /** Asks all runs to end: they fail with the code `cancelled`. A node that computes for ever does not end. */
    cancel(): Promise<void>;
    /** Ends the pipeline at once; in a Worker whatever a node does. */
    terminate(): void;
}

export interface Frame {
    file: string;
    line: number;
    function?: string;
    text?: string;
}

export class PipelineError extends Error {
    /** One of docs/errors.md; or trap, terminated, download. */
    readonly code: string;
    readonly node?: string;
    /** A JSON pointer into the manifest. */
    readonly pointer?: string;
    /** The index of the item that failed. */
    readonly item?: number;
    readonly hint?: string;
    /** Of Python code, outermost first. */
    readonly traceback?: Frame[];
    /** Of `run`: the results of the items before. */
    readonly outputs?: { [sink: string]: Value[] };
}

type HostAudioBuffer = typeof globalThis extends { AudioBuffer: { prototype: infer B } } ? B : AudioBufferLike;

/** Audio that came out of a pipeline, as an AudioBuffer; where there is none, a PipelineError. */
export function audioBufferOf(audio: Audio): HostAudioBuffer;
