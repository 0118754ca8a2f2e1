// Compiled, never run: what TypeScript makes of the package's types.
import { audioBufferOf, Pipeline, PipelineError } from 'remotemedia';
import type { Audio, Manifest, Result, Tensor, Value } from 'remotemedia';

const manifest: Manifest = {
    version: 'v1',
    metadata: { name: 'types' },
    nodes: [{ id: 'x3', node_type: 'MultiplyNode', params: { factor: 3 } }],
    connections: [],
};

async function* items() {
    yield new Float32Array(3);
    yield { data: new Int16Array(4), shape: [2, 2], dtype: 'int16' as const };
}

export async function use(audio: AudioBuffer, signal: AbortSignal): Promise<void> {
    const pipeline = await Pipeline.open(manifest, {
        variant: 'auto', files: { 'm.py': 'x = 1', 'n.py': new URL('https://example.org/n.py') }, signal,
        wheels: ['a.whl', new URL('https://example.org/b.whl'), new Uint8Array(1), { url: 'c.whl', integrity: 'sha256-x' }],
        onLog: ({ level, text }) => console.log(level, text), onProgress: ({ loaded, total }) => console.log(loaded / (total ?? 1)),
    });
    const { outputs, failed } = await pipeline.run([1, 'two', null, { three: [3n] }, new Date(), audio]);
    const values: Value[] | undefined = outputs[pipeline.sinks[0]!];
    for await (const { sink, value } of pipeline.stream(items()))
        console.log(sink, value, values, failed.length);
    for await (const { value } of pipeline.stream<Tensor<Float32Array>>(new ReadableStream<Float32Array>(), { source: 'x3' }))
        console.log(value.data.length, value.shape);
    const heard: Audio = (await pipeline.run<Audio>([audio])).outputs['x3']![0]!;
    console.log(audioBufferOf(heard).duration);
    const results: ReadableStream<Result> = new ReadableStream<number>().pipeThrough(pipeline.transform());
    await results.cancel();
    try {
        await pipeline.cancel();
    } catch (error) {
        if (error instanceof PipelineError)
            console.log(error.code, error.pointer, error.traceback?.[0]?.line, error.outputs);
    }
    pipeline.terminate();
    // @ts-expect-error: no such option
    await Pipeline.open(manifest, { sed: 1 });
    // @ts-expect-error: no such variant
    await Pipeline.open(manifest, { variant: 'large' });
    // @ts-expect-error: a function is no value
    await pipeline.run([() => 1]);
    // @ts-expect-error: items come from an iterable
    await pipeline.run(5);
    // @ts-expect-error: made by open only
    new Pipeline();
}

import { LiveAudio, type LiveStats } from 'remotemedia/live';

export async function live(pipeline: Pipeline, stream: MediaStream): Promise<LiveStats> {
    const audio = await LiveAudio.open(stream, { channels: 2, play: 'out', onLoss: ({ side, frames }) => console.log(side, frames) });
    const results = pipeline.stream(audio);
    const counts: { [node: string]: { [name: string]: number } } = await results.metrics();
    console.log(counts['out']?.['in']);
    await audio.stop();
    // @ts-expect-error a number is no input
    await LiveAudio.open(1);
    return audio.stats;
}
