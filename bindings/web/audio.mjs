import { PipelineError } from './errors.mjs';

/** Audio that came out of a pipeline, for the nodes of the Web Audio API. */
export function audioBufferOf({ data, shape: [length, numberOfChannels], sampleRate }) {
    if (typeof AudioBuffer === 'undefined')
        throw new PipelineError('unsupported', 'this host has no AudioBuffer');
    const buffer = new AudioBuffer({ length, numberOfChannels, sampleRate });
    for (let c = 0; c < numberOfChannels; c++) {
        const channel = buffer.getChannelData(c);
        for (let i = 0; i < length; i++)
            channel[i] = data[i * numberOfChannels + c];
    }
    return buffer;
}
