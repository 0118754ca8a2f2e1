// Manifests as text.
const line = (value) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');

/** A manifest with a line for each node and connection. */
export function format(manifest) {
    const fields = Object.entries(manifest).map(([key, value]) => {
        const text = Array.isArray(value) && value.length > 0 ? `[\n${value.map((one) => `    ${line(one)}`).join(',\n')}\n  ]` : line(value);
        return `  ${JSON.stringify(key)}: ${text}`;
    });
    return `{\n${fields.join(',\n')}\n}\n`;
}

const isFile = ({ node_type: type }) => type === 'AudioFileSource';

/** The same without nodes that read audio files: what they led to are sources. */
export function withoutFiles({ nodes, connections = [], ...more }) {
    const gone = new Set(nodes.filter(isFile).map(({ id }) => id));
    const stays = ({ from }) => !gone.has(String(from).split('.')[0]);
    return { ...more, nodes: nodes.filter((node) => !isFile(node)), connections: connections.filter(stays) };
}

/** The index of the first node that reads an audio file, or -1. */
export const fileNode = (manifest) => manifest?.nodes?.findIndex?.(isFile) ?? -1;
