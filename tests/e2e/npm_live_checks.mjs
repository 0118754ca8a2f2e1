// Checks of live audio. In a page, `all(shared)` runs them and returns a line for each; node npm_live_checks.mjs PROJECT PLAYWRIGHT drive
// does that in headless Chromium, with shared memory and with messages.
const RATE = 48000;

function equal(got, expected, what = '') {
    if (JSON.stringify(got) !== JSON.stringify(expected))
        throw new Error(`${what} got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
}

const manifest = (...nodes) => ({ version: 'v1', metadata: { name: 'live' }, nodes, connections: nodes.slice(1).map(({ id }, i) => ({ from: nodes[i].id, to: id })) });
const python = (id, code, more = {}) => ({ id, node_type: 'Python', params: { code }, ...more });
const PASS = { id: 'pass', node_type: 'PassThrough' };

/** A tone, which never pauses. */
function tone() {
    const context = new AudioContext({ sampleRate: RATE }), node = new OscillatorNode(context, { frequency: 440 });
    node.start();
    return node;
}

async function until(test) {
    while (!test())
        await new Promise((resume) => setTimeout(resume, 10));
}

async function failure(promise) {
    const error = await promise.then(() => null, (error) => error);
    if (error === null)
        throw new Error('it does not fail');
    return error;
}

const checksOf = ({ Pipeline, PipelineError, LiveAudio, shared }) => ({
    async stop() {
        const pipeline = await Pipeline.open(manifest(PASS)), live = await LiveAudio.open(tone(), { shared, frames: 960 });
        const sizes = [];
        for await (const { value } of pipeline.stream(live)) {
            sizes.push(value.data.length);
            equal([value.dtype, value.shape[1], value.sampleRate], ['float32', 1, RATE]);
            if (sizes.length === 20)
                live.stop();
        }
        const total = sizes.reduce((a, b) => a + b);
        equal(total, live.stats.frames - live.stats.lost, 'frames');
        equal(sizes.slice(0, -1).every((size) => size === 960), true);
        equal((await failure((async () => pipeline.run(live))())).code, 'usage'); // one run only
        pipeline.terminate();
        live.context.close();
    },
    async channels() {
        const context = new AudioContext({ sampleRate: RATE }), left = new ConstantSourceNode(context, { offset: 0.25 }), right = new ConstantSourceNode(context, { offset: -0.5 });
        const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
        left.connect(merger, 0, 0);
        right.connect(merger, 0, 1);
        left.start();
        right.start();
        const pipeline = await Pipeline.open(manifest(PASS)), live = await LiveAudio.open(merger, { shared, channels: 2 });
        for await (const { value } of pipeline.stream(live))
            if (value.data[0] !== 0) {
                equal([value.shape[1], value.data[0], value.data[1]], [2, 0.25, -0.5]);
                break;
            }
        pipeline.terminate();
        context.close();
    },
    async callback_that_throws() {
        equal((await failure(LiveAudio.open(tone(), { shared, onLoss: 5 }))).name, 'TypeError');
        const slow = python('slow', 'import time\ndef process(x):\n    time.sleep(0.4)\n    return x.shape[0]');
        const reported = [], pipeline = await Pipeline.open(manifest(slow)), onLoss = () => {
            throw new Error('of a loss');
        };
        const report = (event) => {
            reported.push(event.error.message);
            event.preventDefault();
        };
        addEventListener('error', report);
        const live = await LiveAudio.open(tone(), { shared, bufferMs: 100, onLoss });
        for await (const _ of pipeline.stream(live))
            if (live.stats.overruns > 0)
                await live.stop();
        removeEventListener('error', report);
        equal(reported.length > 0 && reported.every((message) => message === 'of a loss'), true, 'reported');
        pipeline.terminate();
        live.context.close();
    },
    /** A pipeline that is behind: what is lost is counted, and told. */
    async overrun() {
        const slow = python('slow', 'import time\ndef process(x):\n    time.sleep(0.4)\n    return x.shape[0]');
        const losses = [], pipeline = await Pipeline.open(manifest(slow));
        const live = await LiveAudio.open(tone(), { shared, bufferMs: 100, onLoss: (loss) => losses.push(loss) });
        let frames = 0;
        for await (const { value } of pipeline.stream(live)) {
            frames += value;
            if (live.stats.overruns > 0)
                live.stop();
        }
        const { stats } = live;
        equal(stats.lost > 0 && losses.some(({ side }) => side === 'input'), true);
        equal(frames, stats.frames - stats.lost, 'frames');
        pipeline.terminate();
        live.context.close();
    },
    async play() {
        const pipeline = await Pipeline.open(manifest(PASS)), source = tone(), { context } = source;
        const analyser = new AnalyserNode(context), samples = new Float32Array(analyser.fftSize);
        analyser.connect(context.destination);
        const live = await LiveAudio.open(source, { shared, play: 'pass', destination: analyser, latencyMs: 200 });
        const over = pipeline.run(live);
        await until(() => (analyser.getFloatTimeDomainData(samples), Math.max(...samples) > 0.9));
        live.stop();
        equal((await over).outputs, { pass: [] }); // all of it was played
        await until(() => live.stats.played === live.stats.frames - live.stats.lost);
        pipeline.terminate();
        context.close();
    },
    /** Audio that comes too late: silence is counted, and told. */
    async underrun() {
        const slow = python('slow', 'import time\nn = 0\ndef process(x):\n    global n\n    n += 1\n    if n == 40:\n        time.sleep(1)\n    return x');
        const losses = [], pipeline = await Pipeline.open(manifest(slow, PASS));
        const live = await LiveAudio.open(tone(), { shared, play: 'pass', onLoss: (loss) => losses.push(loss), bufferMs: 2000 });
        const over = pipeline.run(live);
        await until(() => losses.some(({ side }) => side === 'output'));
        live.stop();
        await over;
        equal(live.stats.underruns > 0 && live.stats.silence > 0, true);
        pipeline.terminate();
        live.context.close();
    },
    /** Without an input: a source generates what is played, as fast as it is played. */
    async source() {
        const context = new AudioContext({ sampleRate: RATE });
        const pipeline = await Pipeline.open(manifest({ id: 'file', node_type: 'AudioFileSource', params: { path: 'tone.wav' } }), { files: { 'tone.wav': wav(2 * RATE) } });
        const live = await LiveAudio.open(null, { shared, context, play: 'file', bufferMs: 200 });
        const since = performance.now();
        equal((await pipeline.run(live)).outputs, { file: [] });
        equal(performance.now() - since > 1000, true, 'not faster than it is played');
        await until(() => live.stats.played === 2 * RATE);
        pipeline.terminate();
        context.close();
    },
    async abort() {
        const controller = new AbortController(), pipeline = await Pipeline.open(manifest(PASS));
        const live = await LiveAudio.open(tone(), { shared }), reason = new Error('enough');
        const results = pipeline.stream(live, { signal: controller.signal });
        await results.next();
        controller.abort(reason);
        equal((await failure((async () => { for await (const _ of results); })())) === reason, true);
        equal((await pipeline.run([1])).outputs, { pass: [1] });
        const next = await LiveAudio.open(tone(), { shared });
        for await (const _ of pipeline.stream(next))
            break;
        await next.stop();
        pipeline.terminate();
    },
    async wrong_rate() {
        const pipeline = await Pipeline.open(manifest({ id: 'rate', node_type: 'AudioResample', params: { sample_rate: 16000 } }));
        const live = await LiveAudio.open(tone(), { shared, play: 'rate' }), error = await failure(pipeline.run(live));
        equal([error instanceof PipelineError, error.code, error.node], [true, 'type', 'rate']);
        pipeline.terminate();
        live.context.close();
    },
});

/** A WAV file of silence, one channel of 16 bits. */
function wav(frames) {
    const bytes = new Uint8Array(44 + 2 * frames), view = new DataView(bytes.buffer), put = (at, word) => bytes.set([...word].map((c) => c.charCodeAt(0)), at);
    put(0, 'RIFF');
    put(8, 'WAVEfmt ');
    put(36, 'data');
    for (const [at, value] of [[4, 36 + 2 * frames], [16, 16], [24, RATE], [28, 2 * RATE], [40, 2 * frames]])
        view.setUint32(at, value, true);
    for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]])
        view.setUint16(at, value, true);
    return bytes;
}

export async function all(shared) {
    const { Pipeline, PipelineError } = await import('remotemedia'), { LiveAudio } = await import('remotemedia/live');
    const lines = [];
    for (const [name, check] of Object.entries(checksOf({ Pipeline, PipelineError, LiveAudio, shared })))
        lines.push(await check().then(() => `${name}: ok`, (error) => `${name}: ${error.stack}`));
    return lines;
}

async function drive(project, playwright) {
    const [fs, path, { launch }, { serve }] = await Promise.all([import('node:fs'), import('node:path'),
        import('../support/hosts/browser/chromium.mjs'), import('../support/hosts/browser/serve.mjs')]);
    fs.writeFileSync(path.join(project, 'live_checks.html'), `<!doctype html><link rel="icon" href="data:,"><script type="importmap">{"imports":
        {"remotemedia": "./node_modules/remotemedia/index.mjs", "remotemedia/live": "./node_modules/remotemedia/live.mjs"}}</script>`);
    const server = await serve(project), browser = await launch(playwright, ['--autoplay-policy=no-user-gesture-required']);
    try {
        for (const shared of [true, false]) {
            const page = await browser.newPage();
            page.on('pageerror', (error) => console.log(`page: ${error.stack}`));
            await page.goto(`${server.url}live_checks.html`);
            for (const line of await page.evaluate((shared) => import('./live_checks.mjs').then(({ all }) => all(shared)), shared))
                console.log(`${shared ? 'shared' : 'messages'} ${line}`);
            await page.close();
        }
    } finally {
        await browser.close();
        server.close();
    }
}

if (typeof process !== 'undefined' && process.argv[4] === 'drive')
    await drive(process.argv[2], process.argv[3]);
