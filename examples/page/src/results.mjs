// The results of a run as a plot, a table or JSON.
import { Plot } from './plot.mjs';

const KEPT = 10000, SHOWN = 200, COLUMNS = 8;

const isPlain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value) && !ArrayBuffer.isView(value.data);

/** A value as text of some characters; arrays by what they are. */
export function brief(value) {
    return JSON.stringify(value, (_, part) => {
        if (typeof part === 'bigint')
            return Number(part);
        if (part instanceof Uint8Array)
            return `${part.length} bytes`;
        if (ArrayBuffer.isView(part?.data))
            return `${part.sampleRate ? `audio, ${part.sampleRate} Hz, ` : ''}${part.dtype} [${part.shape.join(', ')}]`;
        return part;
    });
}

function row(cells, name) {
    const line = document.createElement('tr');
    for (const cell of cells) {
        const made = document.createElement(name);
        const isNumber = typeof cell === 'number';
        made.textContent = cell === undefined ? '' : isNumber ? String(Number(cell.toPrecision(10))) : typeof cell === 'string' ? cell : brief(cell);
        if (isNumber)
            made.className = 'number';
        line.append(made);
    }
    return line;
}

export class ResultsView {
    #place;
    #count;
    #rows = []; // {number, sink, value}
    #total = 0;
    #plot = new Plot();
    #view = 'plot';
    #canvas = document.createElement('canvas');
    #asked = false;

    constructor(place, count) {
        this.#place = place;
        this.#count = count;
        this.#canvas.setAttribute('role', 'img');
        new ResizeObserver(() => this.#soon()).observe(place);
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#soon());
    }

    clear() {
        this.#rows = [];
        this.#total = 0;
        this.#plot = new Plot();
        this.#soon();
    }

    add(sink, value) {
        this.#rows.push({ number: ++this.#total, sink, value });
        if (this.#rows.length > 2 * KEPT)
            this.#rows.splice(0, KEPT);
        this.#plot.add(sink, value);
        this.#soon();
    }

    show(view) {
        this.#view = view;
        this.#soon();
    }

    #soon() {
        if (this.#asked)
            return;
        this.#asked = true;
        requestAnimationFrame(() => {
            this.#asked = false;
            this.#draw();
        });
    }

    #draw() {
        this.#count.textContent = this.#total === 0 ? '' : `${this.#total.toLocaleString('en')} result${this.#total === 1 ? '' : 's'}`;
        if (this.#total === 0)
            return this.#say('Results come here.');
        if (this.#view === 'plot')
            return this.#drawPlot();
        const rows = this.#rows.slice(-SHOWN), last = this.#place.scrollTop + this.#place.clientHeight >= this.#place.scrollHeight - 40;
        this.#place.replaceChildren(this.#view === 'table' ? this.#table(rows) : this.#json(rows));
        if (last)
            this.#place.scrollTop = this.#place.scrollHeight;
    }

    #say(text) {
        const line = document.createElement('p');
        line.textContent = text;
        this.#place.replaceChildren(line);
    }

    #drawPlot() {
        if (this.#plot.empty)
            return this.#say('These results are no numbers, arrays or audio: see the table.');
        if (this.#place.firstChild !== this.#canvas)
            this.#place.replaceChildren(this.#canvas);
        this.#plot.draw(this.#canvas);
    }

    #table(rows) {
        const names = new Set(rows.flatMap(({ value }) => (isPlain(value) ? Object.keys(value) : [])));
        const keys = [...names].slice(0, COLUMNS), others = rows.some(({ value }) => !isPlain(value));
        const table = document.createElement('table'), head = document.createElement('thead'), body = document.createElement('tbody');
        head.append(row(['', 'sink', ...keys, ...(others ? ['value'] : [])], 'th'));
        [...head.firstChild.cells].forEach((cell) => cell.classList.toggle('number', rows.some(({ value }) => typeof value?.[cell.textContent] === 'number')));
        body.append(...rows.map(({ number, sink, value }) =>
            row([number, sink, ...keys.map((key) => (isPlain(value) ? value[key] : undefined)), ...(others ? [isPlain(value) ? undefined : value] : [])], 'td')));
        table.append(head, body);
        return table;
    }

    #json(rows) {
        const text = document.createElement('pre');
        text.textContent = rows.map(({ sink, value }) => `{"sink": ${JSON.stringify(sink)}, "value": ${brief(value)}}`).join('\n');
        return text;
    }
}
