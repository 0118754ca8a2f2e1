// JSON text as CodeMirror sees it, also while it is not whole: its values, and where they are.
import { syntaxTree } from '@codemirror/language';
import { escaped } from './schema.mjs';

const VALUES = new Set(['Object', 'Array', 'String', 'Number', 'True', 'False', 'Null']);

const children = (node, names) => {
    const found = [];
    for (let child = node.firstChild; child; child = child.nextSibling)
        if (names.has(child.name))
            found.push(child);
    return found;
};
const valueIn = (node) => children(node, VALUES)[0];
const PROPERTY = new Set(['Property']), NAME = new Set(['PropertyName']);

function text(state, node) {
    try {
        return JSON.parse(state.sliceDoc(node.from, node.to));
    } catch {
        return state.sliceDoc(node.from + 1, node.to); // a string that has no end yet
    }
}

/** [key, node of the value or undefined, node of the key] of what an object or array holds. */
export function entries(state, node) {
    if (node.name === 'Array')
        return children(node, VALUES).map((child, i) => [String(i), child, child]);
    return children(node, PROPERTY).flatMap((property) => {
        const name = children(property, NAME)[0];
        return name ? [[text(state, name), valueIn(property), name]] : [];
    });
}

export const rootOf = (state) => valueIn(syntaxTree(state).topNode);

/** The value of a node, without what is missing. */
export function valueOf(state, node) {
    if (node === undefined || node.name === 'Null')
        return null;
    if (node.name === 'Array')
        return entries(state, node).map(([, child]) => valueOf(state, child));
    if (node.name === 'Object')
        return Object.fromEntries(entries(state, node).map(([key, child]) => [key, valueOf(state, child)]));
    return node.name === 'True' || (node.name !== 'False' && text(state, node));
}

/** {from, to} of what a JSON pointer names, or the nearest thing around it. With `atKey` that of the key. */
export function rangeOf(state, pointer, atKey = false) {
    let node = rootOf(state), range = node ?? { from: 0, to: state.doc.length };
    for (const part of pointer.split('/').slice(1)) {
        const entry = node && entries(state, node).find(([key]) => escaped(key) === part);
        if (!entry)
            break;
        node = entry[1];
        range = (atKey ? entry[2] : node) ?? entry[2];
    }
    const long = state.doc.lineAt(range.from); // a whole object is marked at its first line only
    return { from: range.from, to: Math.max(Math.min(range.to, long.to), range.from) };
}

/** The keys from the root to a node, and the container that is the last of them. */
export function pathTo(state, node) {
    const path = [];
    for (let at = node; at; at = at.parent) {
        const parent = at.parent;
        if (at.name === 'Property')
            path.unshift(text(state, children(at, NAME)[0]));
        else if (parent?.name === 'Array' && VALUES.has(at.name))
            path.unshift(String(children(parent, VALUES).findIndex((child) => child.from === at.from)));
    }
    return path;
}
