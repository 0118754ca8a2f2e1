// The graph of a manifest as SVG, with what has passed each connection.
const SPACE = 'http://www.w3.org/2000/svg';
const BOX = { width: 132, height: 46 }, GAP = { along: 78, across: 22 }, EDGE = 12;

function element(name, attributes, text) {
    const made = document.createElementNS(SPACE, name);
    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    if (text !== undefined)
        made.textContent = text;
    return made;
}

const nodeOf = (end) => String(end).split('.')[0];

/** {nodes, edges} of a manifest, or null while it is none. */
export function graphOf(manifest) {
    const inner = manifest?.manifest ?? manifest;
    if (!Array.isArray(inner?.nodes))
        return null;
    const nodes = inner.nodes.filter((node) => typeof node?.id === 'string').map(({ id, node_type: type }) => ({ id, type: String(type ?? '') }));
    const known = new Set(nodes.map(({ id }) => id));
    const edges = (Array.isArray(inner.connections) ? inner.connections : [])
        .map((edge) => ({ from: nodeOf(edge?.from), to: nodeOf(edge?.to) }))
        .filter(({ from, to }) => known.has(from) && known.has(to));
    return { nodes, edges };
}

/** How far each node is from the sources; what is in a cycle stays where it was found. */
function ranks({ nodes, edges }) {
    const rank = new Map(nodes.map(({ id }) => [id, 0]));
    for (let round = 0; round < nodes.length; round++)
        for (const { from, to } of edges)
            if (rank.get(to) <= rank.get(from))
                rank.set(to, Math.min(rank.get(from) + 1, nodes.length));
    return rank;
}

/** Places of nodes: ranks in a row (or a column), each with its nodes in the order of their neighbours. */
function layout(graph, upright) {
    const rank = ranks(graph), layers = [];
    for (const node of graph.nodes)
        (layers[rank.get(node.id)] ??= []).push(node);
    const rows = layers.filter(Boolean), place = new Map();
    for (const row of rows) {
        const wanted = (id) => {
            const before = graph.edges.filter(({ to }) => to === id).map(({ from }) => place.get(from)?.order).filter((n) => n !== undefined);
            return before.length > 0 ? before.reduce((a, b) => a + b) / before.length : 0;
        };
        const sorted = row.map((node, i) => ({ node, key: wanted(node.id), i })).sort((a, b) => a.key - b.key || a.i - b.i);
        sorted.forEach(({ node }, i) => place.set(node.id, { order: i - (row.length - 1) / 2 }));
    }
    const most = Math.max(...rows.map((row) => row.length));
    const [along, across] = upright ? [BOX.height + GAP.along - 30, BOX.width + GAP.across] : [BOX.width + GAP.along, BOX.height + GAP.across];
    rows.forEach((row, r) => row.forEach(({ id }) => {
        const at = place.get(id), side = (at.order + (most - 1) / 2) * across;
        Object.assign(at, upright ? { x: side, y: r * along } : { x: r * along, y: side });
    }));
    const all = [...place.values()];
    return { place, width: Math.max(...all.map(({ x }) => x)) + BOX.width, height: Math.max(...all.map(({ y }) => y)) + BOX.height };
}

function curve(a, b, upright) {
    const [x1, y1] = upright ? [a.x + BOX.width / 2, a.y + BOX.height] : [a.x + BOX.width, a.y + BOX.height / 2];
    const [x2, y2] = upright ? [b.x + BOX.width / 2, b.y - 6] : [b.x - 6, b.y + BOX.height / 2];
    const bend = (upright ? y2 - y1 : x2 - x1) / 2;
    const path = upright ? `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}` : `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    return { path, middle: [(x1 + x2) / 2, (y1 + y2) / 2] };
}

const short = (text, most = 17) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1, notation: 'compact' });

/** Packets that have passed a connection: what its end took, where nothing else leads there; else what its beginning sent. */
function passed(metrics, edges, { from, to }) {
    const single = edges.filter((edge) => edge.to === to).length === 1;
    return single ? metrics[to]?.in : metrics[from]?.out;
}

export class GraphView {
    #figure;
    #graph = null;
    #labels = []; // {edge, path, text} of each connection
    #boxes = new Map();
    #last = null; // {time, counts} of the update before

    constructor(figure) {
        this.#figure = figure;
        new ResizeObserver(() => this.#draw()).observe(figure);
    }

    show(graph) {
        if (graph === null || JSON.stringify(graph) === JSON.stringify(this.#graph))
            return;
        this.#graph = graph;
        this.#draw();
    }

    #upright = null;

    #draw() {
        const graph = this.#graph, narrow = this.#figure.clientWidth < 520;
        if (graph === null || graph.nodes.length === 0)
            return this.#figure.replaceChildren();
        if (this.#drawn === graph && this.#upright === narrow)
            return;
        this.#drawn = graph;
        this.#upright = narrow;
        const { place, width, height } = layout(graph, narrow);
        const svg = element('svg', { viewBox: `${-EDGE} ${-EDGE} ${width + 2 * EDGE} ${height + 2 * EDGE}`, width: width + 2 * EDGE, 'aria-hidden': true });
        const defs = element('defs', {}), marker = element('marker', { id: 'tip', viewBox: '0 0 8 8', refX: 2, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto', markerUnits: 'userSpaceOnUse' });
        marker.append(element('path', { d: 'M0 0L8 4L0 8z' }));
        defs.append(marker);
        const lines = element('g', {}), words = element('g', {});
        this.#labels = graph.edges.map((edge) => {
            const { path: d, middle: [x, y] } = curve(place.get(edge.from), place.get(edge.to), narrow);
            const path = element('path', { d, 'marker-end': 'url(#tip)' });
            const text = element('text', { x, y: y + 4, class: 'count', 'text-anchor': 'middle' });
            lines.append(path);
            words.append(text);
            return { edge, path, text };
        });
        const sinks = new Set(graph.nodes.map(({ id }) => id).filter((id) => !graph.edges.some(({ from }) => from === id)));
        const boxes = graph.nodes.map(({ id, type }) => {
            const { x, y } = place.get(id), box = element('g', { class: sinks.has(id) ? 'sink' : '', transform: `translate(${x} ${y})` });
            const title = element('title', {}, `${id}: ${type}`);
            const name = element('text', { x: 10, y: 20, 'font-weight': 600 }, short(id, 16));
            const kind = element('text', { x: 10, y: 36, class: 'type' }, short(type, 20));
            box.append(title, element('rect', { width: BOX.width, height: BOX.height, rx: 6 }), name, kind);
            this.#boxes.set(id, { box, kind, type });
            return box;
        });
        svg.append(defs, lines, ...boxes, words);
        this.#figure.replaceChildren(svg);
        this.#describe();
    }

    #drawn = null;

    /** A run begins: no counts. */
    reset() {
        this.#last = null;
        for (const { text, path } of this.#labels) {
            text.textContent = '';
            path.classList.remove('flows');
        }
        for (const { box, kind, type } of this.#boxes.values()) {
            box.classList.remove('failed');
            kind.textContent = short(type, 20);
        }
    }

    /** Shows the counts; `running`: their rates too. */
    update(metrics, running) {
        const time = performance.now(), last = this.#last, counts = this.#labels.map(({ edge }) => passed(metrics, this.#graph.edges, edge) ?? 0);
        this.#labels.forEach(({ text, path }, i) => {
            const rate = last === null ? 0 : ((counts[i] - (last.counts[i] ?? 0)) * 1000) / (time - last.time);
            text.textContent = number.format(counts[i]) + (running && rate > 0 ? ` · ${number.format(rate)}/s` : '');
            path.classList.toggle('flows', running && rate > 0);
        });
        for (const [id, { kind, type }] of this.#boxes) {
            const { in: taken = 0, out = 0, ns = 0 } = metrics[id] ?? {};
            kind.textContent = `${number.format(taken)} in, ${number.format(out)} out${ns > 1e6 ? `, ${number.format(ns / 1e6)} ms` : ''}` || type;
        }
        this.#last = { time, counts };
        this.#describe();
    }

    fail(id) {
        this.#boxes.get(id)?.box.classList.add('failed');
    }

    #describe() {
        const words = this.#labels.map(({ edge, text }) => `${edge.from} to ${edge.to}${text.textContent ? `: ${text.textContent} packets` : ''}`);
        this.#figure.setAttribute('aria-label', `Graph of the pipeline: ${words.join('; ') || this.#graph.nodes.map(({ id }) => id).join(', ')}`);
    }
}
