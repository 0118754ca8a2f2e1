// Drives the demo page as a user does. Usage: node page.mjs MODULES BROWSER URL SCREENSHOTS FLAC [WORDS of a test's name]
import assert from 'node:assert/strict';
import path from 'node:path';
import { launch } from './browsers.mjs';

const PATIENCE = 60000;
const [modules, name, url, folder, flac, words = ''] = process.argv.slice(2);
const requests = new Set(), troubles = [];
const SIZE = { width: 1280, height: 860 };

let browser, page;

async function newPage(from = browser, size = SIZE) {
    const made = await from.newPage();
    made.setDefaultTimeout(PATIENCE);
    made.on('pageerror', (error) => troubles.push(error.message));
    made.on('request', (request) => requests.add(request.url()));
    await made.setViewport(size);
    return made;
}

const text = (selector, on = page) => on.$eval(selector, (element) => element.textContent);
const until = (test, ...more) => page.waitForFunction(test, {}, ...more);
const shot = (label, on = page) => on.screenshot({ path: path.join(folder, `${name}-${label}.png`) });
const modifier = 'Control';

/** Shows an example, from the gallery's link to the runtime's word on it. */
async function show(example, on = page) {
    if (on.url().startsWith(url))
        await on.$eval(`#gallery a[href="#${example}"]`, (link) => link.click());
    else
        await on.goto(`${url}#${example}`);
    await on.waitForSelector(`body[data-ready=${example}]`);
    await on.waitForFunction(() => document.querySelector('#problems').textContent !== '');
}

const ended = (on = page) => on.waitForFunction(() => document.querySelector('#stop').disabled && document.querySelector('#state').textContent !== '');

async function run() {
    await page.click('#run');
    await ended();
    return { state: await text('#state'), count: Number.parseInt(await text('#count') || '0', 10), plot: await page.$eval('#results', (element) => element.querySelector('canvas')?.getAttribute('aria-label') ?? '') };
}

const rows = () => page.$$eval('#results tbody tr', (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
const counts = () => page.$$eval('#graph text.count', (all) => all.map((one) => one.textContent).filter(Boolean));

/** Distinct colours of the canvas: few, where nothing is drawn. */
const colours = () => page.$eval('#results canvas', (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
});

/** Puts the cursor behind the first place of `before` in the editor. */
async function cursorBehind(before) {
    await page.evaluate((before) => {
        const content = document.querySelector('.cm-content'), walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
        content.focus();
        for (const line of content.querySelectorAll('.cm-line')) {
            const at = line.textContent.indexOf(before);
            if (at < 0)
                continue;
            let left = at + before.length;
            walker.currentNode = line;
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                if (left <= node.length)
                    return getSelection().collapse(node, left);
                left -= node.length;
            }
        }
        throw new Error(`${before} is not there`);
    }, before);
    await page.evaluate(() => new Promise(requestAnimationFrame));
}

class Skip extends Error {}

const tests = {
    async 'text: a table, and counts on the graph'() {
        await show('text');
        const { state, count } = await run();
        assert.match(state, /^done in/);
        assert.equal(count, 13);
        assert.deepEqual((await rows())[6], ['7', 'count', 'THE', '2', '3']);
        await until(() => document.querySelectorAll('#graph text.count').length > 0);
        assert.deepEqual(await counts(), ['13', '13']);
        assert.match(await page.$eval('#graph', (graph) => graph.getAttribute('aria-label')), /words to loud: 13 packets/);
        await shot('text');
    },
    async 'spectrogram: drawn on a canvas'() {
        await show('spectrogram');
        const { count } = await run();
        assert.equal(count, 567);
        await until(() => document.querySelector('#results canvas')?.getAttribute('aria-label') === '567 arrays as columns');
        assert(await colours() > 100);
        await shot('spectrogram');
    },
    async 'speech: segments over the waveform'() {
        await show('speech');
        assert.equal((await run()).count, 457);
        await until(() => document.querySelector('#results canvas')?.getAttribute('aria-label') === '9.1 s of audio, 3 segments');
        assert(await colours() > 4);
        await shot('speech');
    },
    async 'speech: the microphone'() {
        await show('speech');
        await page.select('#kind', 'microphone');
        await until(() => !document.querySelector('#editor').textContent.includes('AudioFileSource'));
        await page.click('#run');
        await until(() => /^recording, [1-9]|runs no audio/.test(document.querySelector('#state').textContent));
        if (name === 'firefox' && /runs no audio/.test(await text('#state')))
            throw new Skip('Firefox runs no audio on a machine without a sound device'); // Chromium does
        await shot('microphone');
        await page.click('#stop');
        await ended();
        assert.match(await text('#state'), /^done in/);
        const seconds = await page.$eval('#results canvas', (canvas) => Number.parseFloat(canvas.getAttribute('aria-label')));
        assert(seconds > 0.9, `${seconds} s`);
    },
    async 'async: rates on the graph while it runs'() {
        await show('async');
        await page.click('#run');
        await until(() => [...document.querySelectorAll('#graph text.count')].some((one) => one.textContent.endsWith('/s')));
        assert(await page.$('#graph path.flows'));
        await shot('async-running');
        await ended();
        assert.match(await text('#state'), /^done in/);
        assert.equal(await text('#count'), '24 results');
        assert.deepEqual(await counts(), ['24']);
        await shot('async');
    },
    async 'branches: several sinks, a merge'() {
        await show('branches');
        assert.equal((await run()).count, 94);
        assert.deepEqual((await rows()).at(-1).slice(0, 2), ['94', 'last_three']);
        assert.deepEqual(await counts(), Array(7).fill('48'));
        await shot('branches');
    },
    async 'an error: its place is marked, and when it is mended that of the next one'() {
        await show('error');
        await page.waitForSelector('.cm-lintRange-error');
        assert.equal(await text('.cm-lintRange-error'), '"invers"');
        assert.equal(await text('#problems'), 'unknown node');
        await page.click('#run');
        await ended();
        assert.match(await text('#state'), /did you mean 'inverse'\?\n\/connections\/0\/to/);
        await shot('error');
        await cursorBehind('"to": "invers');
        await page.keyboard.type('e');
        await until(() => document.querySelector('#problems').textContent === 'valid');
        await page.click('#run');
        await ended();
        assert.match(await text('#state'), /division by zero\nnode inverse, item 2/);
        assert.equal(await text('#count'), '2 results');
        await page.waitForSelector('.cm-lintRange-error');
        assert.match(await text('.cm-lintRange-error'), /return 1 \/ x/);
        assert(await page.$('#graph .failed'));
        await shot('error-python');
    },
    async 'the editor: errors from the schema, completion'() {
        await show('branches');
        await cursorBehind('"factor": ');
        await page.keyboard.press('Delete');
        await page.keyboard.press('Delete');
        await page.keyboard.press('Delete');
        await page.keyboard.type('"x"');
        await until(() => document.querySelector('.cm-lintRange-error')?.textContent === '"x"');
        assert.notEqual(await text('#problems'), 'valid');
        await show('text');
        await show('branches');
        await cursorBehind('"node_type": "Merge');
        await page.keyboard.type('X');
        await page.keyboard.press('Backspace');
        for (let i = 0; i < 'Merge'.length; i++)
            await page.keyboard.press('Backspace');
        await page.keyboard.down(modifier);
        await page.keyboard.press(' ');
        await page.keyboard.up(modifier);
        await page.keyboard.type('Wind');
        await until(() => [...document.querySelectorAll('.cm-completionLabel')].some((one) => one.textContent === 'Window'));
        await shot('completion');
        await page.waitForSelector('.cm-tooltip-autocomplete li[aria-selected]');
        await new Promise((resume) => setTimeout(resume, 100)); // CodeMirror takes no key sooner
        await page.keyboard.press('Enter');
        await until(() => /"units", "node_type": "Window"/.test(document.querySelector('.cm-content').textContent));
        await cursorBehind('{ "from": "celsius", "to": "last_three"');
        await page.keyboard.type(', ');
        await page.keyboard.down(modifier);
        await page.keyboard.press(' ');
        await page.keyboard.up(modifier);
        await until(() => [...document.querySelectorAll('.cm-completionLabel')].some((one) => one.textContent === 'queue'));
    },
    async 'a file is dropped, another one chosen: our nodes decode them'() {
        await show('text');
        await page.evaluate(async () => {
            const bytes = new Uint8Array(44 + 2 * 8000), view = new DataView(bytes.buffer), put = (at, word) => bytes.set([...word].map((c) => c.charCodeAt(0)), at);
            put(0, 'RIFF'), put(8, 'WAVEfmt '), put(36, 'data');
            [[4, 36 + 16000], [16, 16], [24, 8000], [28, 16000], [40, 16000]].forEach(([at, value]) => view.setUint32(at, value, true));
            [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, value]) => view.setUint16(at, value, true));
            for (let i = 0; i < 8000; i++)
                view.setInt16(44 + 2 * i, 20000 * Math.sin(i / 3), true);
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], 'one second.wav'));
            document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        });
        await until(() => /^1.0 s of audio/.test(document.querySelector('#results canvas')?.getAttribute('aria-label')));
        assert.match(await text('#names'), /one second\.wav/);
        await (await page.$('#pick')).uploadFile(flac);
        await until(() => /^9.1 s of audio, 3 segments/.test(document.querySelector('#results canvas')?.getAttribute('aria-label')));
        assert.match(await text('.cm-content'), /speech\.flac/);
        await shot('dropped');
    },
    async 'a link has the pipeline'() {
        await show('text');
        await page.type('#items', 'linked ');
        await page.click('#share');
        await until(() => location.hash.startsWith('#p='));
        const other = await newPage();
        await other.goto(await page.url());
        await other.waitForSelector('body[data-ready]');
        assert.match(await other.$eval('#items', ({ value }) => value), /linked /);
        await other.click('#run');
        await ended(other);
        assert.equal(await text('#count', other), '14 results');
        await other.close();
    },
    async 'the keyboard alone'() {
        await page.close();
        page = await newPage(); // nothing has the focus
        await show('text');
        const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.hash || document.activeElement.className);
        const seen = [];
        for (let i = 0; i < 24 && !seen.includes('results'); i++) {
            await page.keyboard.press('Tab');
            seen.push(await focused());
        }
        for (const place of ['#speech', 'share', 'tab-manifest', 'cm-content', 'kind', 'pick', 'items', 'run', 'tab-table', 'results'])
            assert(seen.some((one) => one.includes(place)), `${place} is not among ${seen}`);
        await page.keyboard.down(modifier);
        await page.keyboard.press('Enter');
        await page.keyboard.up(modifier);
        await until(() => document.querySelector('#count').textContent === '13 results');
        await page.focus('#tab-table');
        await page.keyboard.press('ArrowRight');
        assert.equal(await focused(), 'tab-json');
        await until(() => document.querySelector('#results pre')?.textContent.includes('{"sink": "count", "value": {"word":"THE"'));
        await shot('json');
        await page.focus('#gallery a[href="#branches"]');
        await page.keyboard.press('Enter');
        await page.waitForSelector('body[data-ready=branches]');
    },
    async 'stop ends what never returns'() {
        await show('text');
        await page.click('#tab-code');
        await cursorBehind('    def process(self, line):');
        await page.keyboard.press('Enter');
        await page.keyboard.type('while True: pass');
        await page.click('#run');
        await until(() => !document.querySelector('#stop').disabled);
        await page.click('#stop');
        await ended();
        assert.match(await text('#state'), /the pipeline was terminated/);
        await show('branches');
        assert.equal((await run()).count, 94);
    },
    async 'a phone: nothing is wider than the screen'() {
        const phone = await newPage(browser, { width: 360, height: 740 });
        for (const example of ['text', 'speech', 'branches', 'error']) {
            await show(example, phone);
            await phone.click('#run');
            await ended(phone);
            const [content, width] = await phone.evaluate(() => [document.scrollingElement.scrollWidth, innerWidth]);
            assert(content <= width, `${example}: ${content} > ${width}`);
            await phone.screenshot({ path: path.join(folder, `${name}-phone-${example}.png`), fullPage: true });
        }
        await phone.close();
    },
    async 'in the dark'() {
        const night = await launch(modules, name, { dark: true });
        try {
            const dark = await newPage(night);
            await show('speech', dark);
            await dark.click('#run');
            await ended(dark);
            const light = (selector) => dark.$eval(selector, (element) => getComputedStyle(element).backgroundColor.match(/\d+/g).slice(0, 3).every((part) => part > 128));
            assert.deepEqual([await light('body'), await light('.cm-editor'), await light('#results')], [false, false, false]);
            await shot('dark', dark);
        } finally {
            await night.close();
        }
    },
    async 'nothing but its own files'() {
        const others = [...requests].filter((one) => !one.startsWith(url) && !/^(data|blob):/.test(one));
        assert.deepEqual(others, []);
        assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    },
    async 'no trouble'() {
        assert.deepEqual(troubles, []);
    },
};

let passed = 0, failed = 0, skipped = 0;
browser = await launch(modules, name);
try {
    page = await newPage();
    for (const [title, test] of Object.entries(tests)) {
        if (!title.includes(words)) {
            skipped++;
            continue;
        }
        const since = performance.now();
        const error = await test().then(() => null, (error) => error);
        const isSkip = error instanceof Skip;
        console.log(`${isSkip ? `skipped: ${error.message}:` : error ? 'FAILED' : 'ok'} ${title} (${Math.round(performance.now() - since)} ms)`);
        if (isSkip) {
            skipped++;
        } else if (error) {
            failed++;
            console.log(error.stack);
            await shot(`failed-${failed}`).catch(() => {});
            await page.close().catch(() => {});
            page = await newPage();
        } else {
            passed++;
        }
    }
} finally {
    await browser.close();
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
