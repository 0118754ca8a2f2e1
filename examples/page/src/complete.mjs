// Completion of manifests: names and words from the schema, and the ids of nodes.
import { syntaxTree } from '@codemirror/language';
import { childSchemas, expand } from './schema.mjs';
import { pathTo, rootOf, valueOf } from './tree.mjs';

/** The schemas of the place that `path` leads to, and its value. */
function at(schema, state, path) {
    let value = valueOf(state, rootOf(state)), schemas = expand(schema, value);
    for (const key of path) {
        schemas = childSchemas(schemas, value, key);
        value = value?.[key];
    }
    return { schemas, value };
}

const EMPTY = { string: '""', object: '{}', array: '[]' };

function properties(schema, state, path) {
    const { schemas, value } = at(schema, state, path), found = new Map();
    for (const { properties: known, required = [] } of schemas)
        for (const [name, one] of Object.entries(known ?? {}))
            if (!found.has(name) || one.properties)
                found.set(name, { one, boost: required.includes(name) ? 1 : 0 });
    return [...found].filter(([name]) => !Object.hasOwn(value ?? {}, name)).map(([name, { one, boost }]) => {
        const after = one.default === undefined ? (EMPTY[[].concat(one.type)[0]] ?? '') : JSON.stringify(one.default);
        return { label: name, type: 'property', boost, info: one.description, after };
    });
}

/** Words that stand in conditions, such as the node types, with what their branch says. */
function conditional(schemas, key) {
    return schemas.flatMap(({ allOf = [] }) => allOf.flatMap((part) =>
        (part.if?.properties?.[key]?.enum ?? []).map((label) => ({ label, info: part.then?.properties?.params?.description }))));
}

function values(schema, state, path) {
    const key = path.at(-1);
    if (path[0] === 'connections' && (key === 'from' || key === 'to'))
        return (valueOf(state, rootOf(state)).nodes ?? []).map(({ id }) => ({ label: String(id), type: 'variable' }));
    const words = at(schema, state, path).schemas.flatMap(({ enum: known = [], type }) =>
        [...known, ...(type === 'boolean' ? [true, false] : [])].map((label) => ({ label })));
    const all = [...words, ...conditional(at(schema, state, path.slice(0, -1)).schemas, key)];
    return all.filter(({ label }, i) => label !== null && all.findIndex((one) => one.label === label) === i)
        .map(({ label, info }) => ({ label: String(label), isText: typeof label === 'string', type: 'enum', info }));
}

/** A source for CodeMirror's autocompletion. */
export const completeFrom = (schema) => ({ state, pos, explicit }) => {
    let node = syntaxTree(state).resolveInner(pos, -1);
    while (node.type.isError && node.parent)
        node = node.parent;
    const quoted = node.name === 'String' || node.name === 'PropertyName';
    const named = node.name === 'PropertyName' || node.name === 'Object' || node.name === '{';
    if (named && /:\s*$/.test(state.sliceDoc(Math.max(0, pos - 20), pos)))
        return null;
    if (!explicit && !quoted)
        return null;
    const [from, to] = quoted ? [node.from, node.to] : [pos, pos];
    if (named) {
        const object = node.name === 'PropertyName' ? node.parent.parent : node.name === '{' ? node.parent : node;
        const old = node.name === 'PropertyName' && /^\s*:/.test(state.sliceDoc(to, to + 20));
        const options = properties(schema, state, pathTo(state, object)).map(({ after, ...one }) => ({
            ...one, label: `"${one.label}"`, displayLabel: one.label, apply: old ? `"${one.label}"` : `"${one.label}": ${after}`,
        }));
        return { from, to, options };
    }
    const holder = quoted ? node : node.name === 'Property' ? node : null;
    if (holder === null)
        return null;
    const options = values(schema, state, pathTo(state, holder)).map(({ isText = true, ...one }) => ({
        ...one, label: isText ? `"${one.label}"` : one.label, displayLabel: one.label,
    }));
    return { from, to, options };
};
