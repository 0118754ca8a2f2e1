// The package in a page.
import { files, python } from './files.mjs';
import { pipelineFor } from './pipeline.mjs';
import { platform } from './platform_web.mjs';

export { PipelineError } from './errors.mjs';

export const Pipeline = pipelineFor(platform, { files, python });

/** The audio of a result, for the nodes of the Web Audio API. */
export function audioBufferOf({ data, shape: [length, numberOfChannels], sampleRate }) {
    const buffer = new AudioBuffer({ length, numberOfChannels, sampleRate });
    for (let c = 0; c < numberOfChannels; c++) {
        const channel = buffer.getChannelData(c);
        for (let i = 0; i < length; i++)
            channel[i] = data[i * numberOfChannels + c];
    }
    return buffer;
}
