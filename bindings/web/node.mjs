// The package in Node.
import { files, minor, python } from './files.mjs';
import { pipelineFor } from './pipeline.mjs';
import { platform } from './platform_node.mjs';

export { audioBufferOf } from './audio.mjs';
export { PipelineError } from './errors.mjs';

export const Pipeline = pipelineFor(platform, { files, minor, python });
