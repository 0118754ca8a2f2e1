/** Live audio in a page: docs/web.md. */
/** Frames since the run began; an overrun or underrun is any number of frames in a row. */
export interface LiveStats {
    /** Recorded, the lost ones too. */
    frames: number;
    /** Recorded, but dropped, since the pipeline was behind. */
    lost: number;
    overruns: number;
    /** Not recorded: the browser gave the audio thread no time, or skipped it. */
    missed: number;
    played: number;
    /** Silence instead of audio that came too late. */
    silence: number;
    underruns: number;
}

export interface Loss {
    side: 'input' | 'output';
    frames: number;
    stats: LiveStats;
}

export interface LiveOptions {
    /** Channels of the input; 1. */
    channels?: number;
    /** Frames of an item; 480. */
    frames?: number;
    /** Audio that may wait for the pipeline before frames are lost; 1000. */
    bufferMs?: number;
    /** The sink whose audio is played. */
    play?: string;
    /** 1. */
    outputChannels?: number;
    /** Audio that is there before playing begins, also after an underrun; 60. */
    latencyMs?: number;
    /** Where audio is played: the speakers, another node, or nowhere. */
    destination?: AudioNode | null;
    /** For a MediaStream; else one is made, which ends with the run. */
    context?: AudioContext;
    /** Shared memory between the threads: by default where the page is isolated. */
    shared?: boolean;
    /** Hears of each loss. */
    onLoss?: (loss: Loss) => void;
}

/** The items of one run: `pipeline.stream(live)`. */
export class LiveAudio {
    private constructor();
    /** Call it when the user has clicked: before that browsers let no audio run. */
    static open(input: MediaStream | AudioNode | null, options?: LiveOptions): Promise<LiveAudio>;
    readonly context: BaseAudioContext;
    readonly node: AudioWorkletNode;
    readonly shared: boolean;
    readonly stats: LiveStats;
    /** Ends the input; what was recorded still goes through the pipeline. */
    stop(): Promise<void>;
    /** For Pipeline. */
    liveRun(): unknown;
}
