import { makeEditor } from './editor.mjs';
import { gallery } from './gallery.mjs';
import { GraphView, graphOf } from './graph.mjs';
import { fileNode, format, withoutFiles } from './manifest.mjs';
import { packed, unpacked } from './link.mjs';
import { LiveAudio } from 'remotemedia/live';
import { ResultsView } from './results.mjs';
import { Runner } from './runner.mjs';
import { useSchema } from './schema.mjs';
import { tabs } from './tabs.mjs';
import schema from '../generated/schema.json';
import speech from '../generated/speech.wav?url';

const at = (id) => document.getElementById(id);
const BUNDLED = { 'speech.wav': speech };
const files = {}; // name: bytes
let parsed = null; // the manifest, when it is JSON

// ---- What is shown

const graph = new GraphView(at('graph'));
const results = new ResultsView(at('results'), at('count'));

function state(text, bad = false) {
    at('state').textContent = text;
    at('state').classList.toggle('bad', bad);
}

function log({ level, text }) {
    at('log').hidden = false;
    at('log').append(`${level === 'info' ? '' : `${level}: `}${text}\n`);
    at('log').scrollTop = at('log').scrollHeight;
}

function progress({ loaded, total }) {
    const bar = at('loading');
    bar.hidden = loaded >= total;
    Object.assign(bar, { max: total, value: loaded });
    if (!bar.hidden)
        state(`loading ${(total / 1e6).toFixed(0)} MB`);
    else if (at('state').textContent.startsWith('loading'))
        state('');
}

const runner = new Runner({ onLog: log, onProgress: progress });
const texts = () => ({ manifest: editor.text('pipeline.json'), code: editor.text('nodes.py'), files });

// ---- The editor

async function validate() {
    const checked = texts(), error = await runner.validate(checked);
    if (checked.manifest !== editor.text('pipeline.json'))
        return null;
    at('problems').textContent = error ? error.code.replaceAll('_', ' ') : 'valid';
    at('problems').classList.toggle('bad', error !== null);
    if (error?.node)
        graph.fail(error.node);
    return error;
}

function changed(name, text) {
    if (name === 'nodes.py')
        return;
    at('problems').textContent = '';
    try {
        parsed = JSON.parse(text);
    } catch {
        parsed = null;
        return;
    }
    graph.show(graphOf(parsed));
}

useSchema(schema);
const editor = makeEditor(at('editor'), { schema, validate, run: () => run(), changed });
const fileTabs = tabs(at('files'), (tab) => editor.show(tab.textContent));
const viewTabs = tabs(at('views'), (tab) => results.show(tab.id.slice('tab-'.length)));

// ---- A run

let live = null, tracks = []; // audio that is recorded

/** The microphone, once the user allows it. */
async function microphone() {
    state('waiting for the microphone');
    tracks = (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks();
    live = await LiveAudio.open(new MediaStream(tracks), { onLoss: ({ frames }) => log({ level: 'warning', text: `${frames} frames of audio lost` }) });
    return live;
}

function endMicrophone() {
    tracks.forEach((track) => track.stop());
    tracks = [];
    live = null;
}

/** One item a line: JSON, or else text. Nothing at all: the manifest's own input, or sources generate. */
function items() {
    const lines = at('items').value.split('\n').filter((line) => line.trim() !== '');
    return lines.length === 0 ? undefined : lines.map((line) => {
        try {
            return JSON.parse(line);
        } catch {
            return line;
        }
    });
}

function explain(error) {
    const place = [error.node && `node ${error.node}`, error.item !== undefined && `item ${error.item}`, error.pointer].filter(Boolean).join(', ');
    state([error.message, place, error.hint].filter(Boolean).join('\n'), true);
    if (error.node)
        graph.fail(error.node);
    const frame = error.traceback?.findLast(({ file }) => file.endsWith('nodes.py'));
    if (frame !== undefined) {
        fileTabs.choose('tab-code');
        editor.markLine(frame.line, error.message);
    }
}

async function run() {
    if (at('run').disabled)
        return;
    at('run').disabled = true;
    at('stop').disabled = false;
    at('log').replaceChildren();
    at('log').hidden = true;
    results.clear();
    graph.reset();
    const since = performance.now();
    try {
        const source = at('kind').value === 'microphone' ? await microphone() : items();
        state(live ? 'recording' : 'running');
        await runner.run(texts(), source, {
            each: (sink, value) => results.add(sink, value),
            counts(metrics, running) {
                graph.update(metrics, running);
                if (live && running)
                    state(`recording, ${(live.stats.frames / live.context.sampleRate).toFixed(1)} s, ${live.stats.lost + live.stats.missed} frames lost`);
            },
        });
        state(`done in ${Math.round(performance.now() - since)} ms`);
    } catch (error) {
        explain(error);
    } finally {
        endMicrophone();
        at('run').disabled = false;
        at('stop').disabled = true;
    }
}

/** What was recorded goes through the pipeline; everything else ends where it is. */
const stop = () => (live ? live.stop() : runner.stop());

at('run').onclick = run;
at('stop').onclick = stop;
at('kind').onchange = ({ target }) => {
    const isLive = target.value === 'microphone';
    at('items').hidden = isLive;
    if (isLive && fileNode(parsed) >= 0)
        editor.replace(null, format(withoutFiles(parsed)));
};
document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.defaultPrevented)
        run();
});

// ---- Files

function showFiles() {
    at('names').textContent = Object.keys(files).join(', ');
}

async function bundled(names = []) {
    for (const name of Object.keys(files))
        delete files[name];
    for (const name of names)
        files[name] = new Uint8Array(await (await fetch(BUNDLED[name])).arrayBuffer());
    showFiles();
}

/** Audio files of the user: the first node that reads a file reads the last of them. */
async function addFiles(list) {
    const name = list.at(-1)?.name;
    if (name === undefined)
        return;
    if (fileNode(parsed) < 0)
        await choose(gallery.find((one) => one.name === 'speech'));
    for (const file of list)
        files[file.name] = new Uint8Array(await file.arrayBuffer());
    showFiles();
    at('kind').value = 'items';
    fileTabs.choose('tab-manifest');
    editor.replace(`/nodes/${fileNode(parsed)}/params/path`, JSON.stringify(name));
    await run();
}

at('pick').onchange = ({ target }) => addFiles([...target.files]);
document.addEventListener('dragover', (event) => {
    event.preventDefault();
    at('drop').hidden = false;
});
document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null)
        at('drop').hidden = true;
});
document.addEventListener('drop', (event) => {
    event.preventDefault();
    at('drop').hidden = true;
    addFiles([...event.dataTransfer.files]);
});

// ---- The gallery and links

async function choose({ name = '', manifest, code = '', items: lines = '', files: names, view = 'table' }) {
    delete document.body.dataset.ready;
    await runner.stop();
    for (const link of at('gallery').children)
        link.toggleAttribute('aria-current', link.hash === `#${name}`);
    await bundled(names);
    fileTabs.choose('tab-manifest');
    editor.set('nodes.py', code);
    editor.set('pipeline.json', manifest);
    at('items').value = lines;
    at('kind').value = 'items';
    at('items').hidden = false;
    viewTabs.choose(`tab-${view}`);
    results.clear();
    graph.reset();
    state('');
    document.body.dataset.ready = name;
}

async function follow() {
    const hash = decodeURIComponent(location.hash.slice(1));
    const known = gallery.find(({ name }) => name === hash);
    if (known || !hash.startsWith('p='))
        return choose(known ?? gallery[0]);
    try {
        await choose(await unpacked(hash.slice(2)));
    } catch {
        state('This link has no pipeline.', true);
    }
}

async function share() {
    const names = Object.keys(files).filter((name) => name in BUNDLED);
    const view = document.querySelector('#views [aria-selected=true]').id.slice('tab-'.length);
    const { manifest, code } = texts();
    history.replaceState(null, '', `#p=${await packed({ manifest, code, items: at('items').value, files: names, view })}`);
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    state('The address has the pipeline.');
}

at('gallery').append(...gallery.map(({ name, title }) => Object.assign(document.createElement('a'), { href: `#${name}`, textContent: title })));
at('gallery').addEventListener('click', ({ target }) => {
    if (target.hash === location.hash)
        follow(); // the same one again
});
at('share').onclick = share;
window.addEventListener('hashchange', follow);
await follow();
