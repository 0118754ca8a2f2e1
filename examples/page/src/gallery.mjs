// The examples: {name, title, manifest, code, items, files, view}. Each is shown by a link to #name.
import { format } from './manifest.mjs';

const manifest = (name, nodes, connections) =>
    format({ version: 'v1', metadata: { name }, nodes, connections: connections.map(([from, to]) => ({ from, to })) });
const chain = (...ids) => ids.slice(1).map((id, i) => [ids[i], id]);
const SPEECH = { id: 'file', node_type: 'AudioFileSource', params: { path: 'speech.wav', channels: 1 } };

export const gallery = [
    {
        name: 'text',
        title: 'Text',
        manifest: manifest('text', [
            { id: 'words', node_type: 'nodes:Words' },
            { id: 'loud', node_type: 'UppercaseTransform' },
            { id: 'count', node_type: 'nodes:Count' },
        ], chain('words', 'loud', 'count')),
        code: `import re


class Words:
    """Each word of a line."""

    def process(self, line):
        yield from re.findall(r"\\w+", line)


class Count:
    """How often a word has come."""

    def __init__(self):
        self.seen = {}

    def process(self, word):
        self.seen[word] = self.seen.get(word, 0) + 1
        return {"word": word, "times": self.seen[word], "letters": len(word)}
`,
        items: 'the same bytes in every browser\nthe same results as in the terminal\n',
        view: 'table',
    },
    {
        name: 'spectrogram',
        title: 'Spectrogram',
        manifest: manifest('spectrogram', [
            SPEECH,
            { id: 'blocks', node_type: 'AudioBuffer', params: { frames: 256, remainder: 'pad' } },
            { id: 'spectrum', node_type: 'nodes:Spectrum', arrays: 'numpy' },
        ], chain('file', 'blocks', 'spectrum')),
        code: `import numpy as np


class Spectrum:
    """The spectrum of the last two blocks, in dB."""

    def __init__(self):
        self.last = None

    def process(self, block):
        block = block[:, 0]
        last, self.last = self.last, block
        if last is None:
            return None
        both = np.concatenate([last, block]) * np.hanning(2 * len(block))
        return (20 * np.log10(np.abs(np.fft.rfft(both)) + 1e-6)).astype(np.float32)
`,
        items: '',
        files: ['speech.wav'],
        view: 'plot',
    },
    {
        name: 'speech',
        title: 'Speech',
        manifest: manifest('speech', [
            SPEECH,
            { id: 'rate', node_type: 'AudioResample', params: { sample_rate: 16000 } },
            { id: 'frames', node_type: 'AudioBuffer', params: { frames: 320 }, is_output_node: true },
            { id: 'speech', node_type: 'VoiceActivity' },
        ], chain('file', 'rate', 'frames', 'speech')),
        code: '',
        items: '',
        files: ['speech.wav'],
        view: 'plot',
    },
    {
        name: 'async',
        title: 'Async',
        manifest: manifest('async', [
            { id: 'ask', node_type: 'nodes:Ask', max_in_flight: 4 },
            { id: 'mean', node_type: 'nodes:Mean' },
        ], chain('ask', 'mean')),
        code: `import asyncio
import random


class Ask:
    """Waits for an answer, as for a server; four questions wait at once."""

    async def process(self, question):
        await asyncio.sleep(random.uniform(0.1, 0.4))
        return len(question) ** 2


class Mean:
    def __init__(self):
        self.sum = self.count = 0

    def process(self, answer):
        self.sum += answer
        self.count += 1
        return {"answer": answer, "mean": self.sum / self.count}
`,
        items: Array.from({ length: 24 }, (_, i) => `question ${'?'.repeat(1 + ((i * 7) % 10))}`).join('\n') + '\n',
        view: 'plot',
    },
    {
        name: 'branches',
        title: 'Branches',
        manifest: manifest('branches', [
            { id: 'celsius', node_type: 'PassThrough' },
            { id: 'kelvin', node_type: 'Add', params: { addend: 273.15 } },
            { id: 'times_1_8', node_type: 'Multiply', params: { factor: 1.8 } },
            { id: 'fahrenheit', node_type: 'Add', params: { addend: 32 } },
            { id: 'units', node_type: 'Merge' },
            { id: 'last_three', node_type: 'Window', params: { size: 3 } },
        ], [...chain('celsius', 'times_1_8', 'fahrenheit', 'units'), ...chain('celsius', 'kelvin', 'units'), ['celsius', 'units'], ['celsius', 'last_three']]),
        code: '',
        items: Array.from({ length: 48 }, (_, i) => (15 + 8 * Math.sin(i / 4)).toFixed(2)).join('\n') + '\n',
        view: 'table',
    },
    {
        name: 'error',
        title: 'An error',
        manifest: manifest('error', [
            { id: 'double', node_type: 'Multiply', params: { factor: 2 } },
            { id: 'inverse', node_type: 'nodes:Inverse' },
        ], [['double', 'invers']]),
        code: `class Inverse:
    """Fails at 0: mend the connection, then run to see the error's line here."""

    def process(self, x):
        return 1 / x
`,
        items: '4\n2\n0\n1\n',
        view: 'table',
    },
];
