// Live audio in a page: `remotemedia/live`. A microphone or a node of the Web Audio API is the input of a run in a Worker, and audio
// that comes out is played. The samples go between the audio thread and the Worker; the page's own thread has no part in that.
import { PipelineError } from './index.mjs';
import { sharedQueue } from './live_worklet.mjs';

const PATIENCE_MS = 5000;
const NO_AUDIO = 'the browser runs no audio: the machine has no sound device, or the user has not clicked yet';
const loaded = new WeakMap(); // by context

function loadInto(context) {
    if (!loaded.has(context))
        loaded.set(context, context.audioWorklet.addModule(new URL('./live_worklet.mjs', import.meta.url)));
    return loaded.get(context);
}

const NONE = { frames: 0, lost: 0, overruns: 0, missed: 0, played: 0, silence: 0, underruns: 0 };

export class LiveAudio {
    #node;
    #source;
    #setup; // for the worklet and the Worker
    #ownsContext;
    #stats = NONE;
    #onLoss;
    #used = false;
    #ended = false;
    #stopped = []; // called when the worklet has stopped to record
    #begin;
    #steady = new Promise((resume) => (this.#begin = resume)); // the audio thread works, without gaps
    #works = false; // it works at all

    /** Not for users: `LiveAudio.open`. */
    constructor(context, source, options) {
        const { ownsContext, channels, outputChannels, frames, destination, onLoss } = options;
        Object.assign(this, { context, shared: options.shared });
        this.#source = source;
        this.#setup = options;
        this.#ownsContext = ownsContext;
        this.#onLoss = onLoss;
        this.#node = new AudioWorkletNode(context, 'remotemedia-live', {
            numberOfInputs: source === null ? 0 : 1, numberOfOutputs: 1, outputChannelCount: [outputChannels],
            channelCount: channels, channelCountMode: 'explicit',
        });
        this.#node.port.onmessage = ({ data }) => this.#hear(data);
        source?.connect(this.#node);
        if (destination !== null) // also where nothing is played: a node that leads nowhere does not work
            this.#node.connect(destination);
        this.frames = frames;
    }

    /**
     * `input` is a MediaStream, an AudioNode, or null where only audio is played. Call it when the user has clicked on something:
     * before that browsers let no audio run.
     */
    static async open(input, options = {}) {
        const { channels = 1, frames = 480, bufferMs = 1000, play, outputChannels = 1, latencyMs = 60, onLoss } = options;
        const shared = options.shared ?? globalThis.crossOriginIsolated === true;
        if (onLoss !== undefined && typeof onLoss !== 'function')
            throw new TypeError('onLoss is a function');
        if (typeof AudioWorkletNode === 'undefined')
            throw new PipelineError('unsupported', 'this host has no AudioWorklet; a page needs a secure address (https or localhost)');
        const isNode = typeof AudioNode !== 'undefined' && input instanceof AudioNode;
        const ownsContext = !isNode && options.context === undefined;
        const context = isNode ? input.context : (options.context ?? new AudioContext());
        await loadInto(context);
        const source = input === null || isNode ? input : context.createMediaStreamSource(input);
        const destination = options.destination === undefined ? context.destination : options.destination;
        const live = new LiveAudio(context, source, { ownsContext, channels, frames, bufferMs, play, outputChannels, latencyMs, onLoss, shared, destination });
        if (!isNode && input !== null)
            for (const track of input.getAudioTracks())
                track.addEventListener('ended', () => live.stop());
        try {
            await live.#begun();
        } catch (error) {
            live.#close();
            throw error;
        }
        return live;
    }

    /** Browsers do not say that they let no audio run: they only never begin. On a busy machine the gaps do not end; they are counted. */
    #begun() {
        return new Promise((resume, fail) => {
            this.context.resume().then(() => this.#steady).then(resume, fail);
            setTimeout(() => (this.#works ? resume() : fail(new PipelineError('unsupported', NO_AUDIO))), PATIENCE_MS);
        });
    }

    /** The node that plays: connected to the speakers, unless `destination` says otherwise. */
    get node() {
        return this.#node;
    }

    /** What has been recorded, lost, played and missed, in frames. */
    get stats() {
        return { ...this.#stats };
    }

    /** Ends the input; what was recorded still goes through the pipeline. */
    async stop() {
        if (this.#ended)
            return;
        this.#ended = true;
        this.#source?.disconnect(this.#node);
        this.#node.port.postMessage({ stop: 'input' });
        await new Promise((resume) => this.#stopped.push(resume));
    }

    #hear({ steady, stats, stopped, drained }) {
        if (steady)
            this.#begin();
        if (stats !== undefined) {
            this.#works = true;
            const last = this.#stats;
            this.#stats = stats;
            const lost = stats.lost + stats.missed - last.lost - last.missed;
            if (lost > 0)
                this.#tell({ side: 'input', frames: lost, stats });
            if (stats.silence > last.silence)
                this.#tell({ side: 'output', frames: stats.silence - last.silence, stats });
        }
        if (drained)
            this.#close();
        if (stopped)
            this.#stopped.splice(0).forEach((resume) => resume());
    }

    #tell(loss) {
        try {
            this.#onLoss?.(loss);
        } catch (error) {
            reportError(error);
        }
    }

    #close() {
        this.#node.port.postMessage({ stop: 'all' });
        this.#node.disconnect();
        if (this.#ownsContext && this.context.state !== 'closed')
            this.context.close();
    }

    /** For Pipeline: what the Worker gets, and how the run tells that it has ended. */
    liveRun() {
        if (this.#used || this.#ended)
            throw new PipelineError('usage', 'live audio is the input of one run; open it again');
        this.#used = true;
        const { channels, outputChannels, frames, bufferMs, latencyMs, play } = this.#setup, rate = this.context.sampleRate;
        const capacity = Math.max(Math.ceil((bufferMs / 1000) * rate), 2 * frames);
        const queue = (count, size) => ({ frames: size, channels: count, chunk: frames, memory: this.shared ? sharedQueue(size, count) : null });
        const input = this.#source === null ? null : queue(channels, capacity);
        const prefill = Math.ceil((latencyMs / 1000) * rate);
        const output = play === undefined ? null : queue(outputChannels, Math.max(capacity, 2 * prefill));
        const ins = new MessageChannel(), outs = new MessageChannel();
        const start = { input, output, inputPort: ins.port1, outputPort: outs.port1, chunk: frames, prefill };
        this.#node.port.postMessage({ start }, [ins.port1, outs.port1]);
        return {
            setup: { module: String(new URL('./live_session.mjs', import.meta.url)), input, output, play, frames, sampleRate: rate, inputPort: ins.port2, outputPort: outs.port2 },
            transfer: [ins.port2, outs.port2],
            /** The run takes no more, or has ended: `whole`, so that the rest is played, or not. */
            stop: (whole) => {
                this.stop();
                if (whole === false || (whole && output === null))
                    this.#close();
            },
        };
    }
}
