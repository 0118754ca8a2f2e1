// The graph of a manifest as SVG, with what has passed each connection.
const SPACE = 'http://www.w3.org/2000/svg';
const BOX = { width: 136, height: 46 }, GAP = { along: 84, across: 22 }, EDGE = 12, SMALLEST = 0.7;

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

/** A connection over several ranks passes a place of its own in each of them: {layers: [[name]], links: [[name, name]], ways}. */
function layered(graph) {
    const rank = ranks(graph), layers = [], links = [];
    const put = (name, r) => (layers[r] ??= []).push(name);
    for (const { id } of graph.nodes)
        put(id, rank.get(id));
    const ways = graph.edges.map(({ from, to }, i) => {
        const way = [from];
        for (let r = rank.get(from) + 1; r < rank.get(to); r++) {
            way.push(`${i} ${r}`); // no id has a blank
            put(way.at(-1), r);
        }
        way.push(to);
        way.slice(1).forEach((name, k) => links.push([way[k], name]));
        return way;
    });
    return { layers: layers.filter(Boolean), links, ways };
}

/** Places of nodes and of what passes: ranks in a row (or a column), each in the order of its neighbours before. */
function layout(graph, upright) {
    const { layers, links, ways } = layered(graph), place = new Map();
    const most = Math.max(...layers.map((layer) => layer.length));
    const [along, across] = upright ? [BOX.height + 46, BOX.width + GAP.across] : [BOX.width + GAP.along, BOX.height + GAP.across];
    layers.forEach((layer, r) => {
        const wanted = (name) => {
            const before = links.filter(([, to]) => to === name).map(([from]) => place.get(from)?.side ?? 0);
            return before.length > 0 ? before.reduce((a, b) => a + b) / before.length : 0;
        };
        const sorted = layer.map((name, i) => ({ name, key: wanted(name), i })).sort((a, b) => a.key - b.key || a.i - b.i);
        sorted.forEach(({ name }, i) => {
            const side = (i + (most - layer.length) / 2) * across;
            place.set(name, { side, ...(upright ? { x: side, y: r * along } : { x: r * along, y: side }) });
        });
    });
    const all = [...place.values()];
    return { place, ways, width: Math.max(...all.map(({ x }) => x)) + BOX.width, height: Math.max(...all.map(({ y }) => y)) + BOX.height };
}

/** The path along the places of a way, and where its count stands. */
function curve(places, upright) {
    const middle = ({ x, y }) => (upright ? [x + BOX.width / 2, y] : [x, y + BOX.height / 2]);
    const depth = upright ? BOX.height : BOX.width;
    const plus = ([x, y], by) => (upright ? [x, y + by] : [x + by, y]);
    let from = plus(middle(places[0]), depth), path = `M${from.join(' ')}`, label = null;
    places.slice(1).forEach((place, i) => {
        const isLast = i === places.length - 2, to = plus(middle(place), isLast ? -6 : 0);
        const bend = (upright ? to[1] - from[1] : to[0] - from[0]) / 2;
        path += `C${plus(from, bend).join(' ')} ${plus(to, -bend).join(' ')} ${to.join(' ')}`;
        label ??= [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
        from = to;
        if (!isLast) {
            from = plus(to, depth);
            path += `L${from.join(' ')}`;
        }
    });
    return { path, label };
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
    #drawn = null; // the graph that is drawn,
    #upright = null; // and how
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

    #draw() {
        const graph = this.#graph, narrow = this.#figure.clientWidth < 520;
        if (graph === null || graph.nodes.length === 0)
            return this.#figure.replaceChildren();
        if (this.#drawn === graph && this.#upright === narrow)
            return;
        this.#drawn = graph;
        this.#upright = narrow;
        this.#boxes.clear();
        const { place, ways, width, height } = layout(graph, narrow);
        const whole = [width + 2 * EDGE, height + 2 * EDGE];
        const svg = element('svg', { viewBox: `${-EDGE} ${-EDGE} ${whole.join(' ')}`, 'aria-hidden': true });
        Object.assign(svg.style, { maxWidth: `${whole[0]}px`, minWidth: `${SMALLEST * whole[0]}px` }); // else it scrolls
        const defs = element('defs', {}), marker = element('marker', { id: 'tip', viewBox: '0 0 8 8', refX: 2, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto', markerUnits: 'userSpaceOnUse' });
        marker.append(element('path', { d: 'M0 0L8 4L0 8z' }));
        defs.append(marker);
        const lines = element('g', {}), words = element('g', {});
        this.#labels = graph.edges.map((edge, i) => {
            const { path: d, label: [x, y] } = curve(ways[i].map((name) => place.get(name)), narrow);
            const path = element('path', { d, 'marker-end': 'url(#tip)' });
            const beside = narrow ? { x: x + 8, 'text-anchor': 'start' } : { x, 'text-anchor': 'middle' };
            const text = element('text', { ...beside, y: y - (narrow ? 2 : 6), class: 'count' });
            const rate = element('text', { ...beside, y: y + (narrow ? 11 : 15), class: 'count' });
            lines.append(path);
            words.append(text, rate);
            return { edge, path, text, rate };
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

    /** A run begins: no counts. */
    reset() {
        this.#last = null;
        for (const { text, rate, path } of this.#labels) {
            text.textContent = rate.textContent = '';
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
        this.#labels.forEach(({ text, rate, path }, i) => {
            const speed = last === null ? 0 : ((counts[i] - (last.counts[i] ?? 0)) * 1000) / (time - last.time);
            text.textContent = Object.keys(metrics).length > 0 ? number.format(counts[i]) : '';
            rate.textContent = running && speed > 0 ? `${number.format(speed)}/s` : '';
            path.classList.toggle('flows', running && speed > 0);
        });
        for (const [id, { kind, type }] of this.#boxes) {
            if (metrics[id] === undefined)
                continue;
            const { in: taken, out, ns } = metrics[id];
            const packets = taken > 0 ? `${number.format(taken)} → ${number.format(out)}` : number.format(out);
            kind.textContent = ns > 1e6 ? `${packets}, ${number.format(ns / 1e6)} ms` : packets;
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
