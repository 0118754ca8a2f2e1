// The editor: two texts, the manifest and nodes.py, each with its own history, in one view.
import { autocompletion } from '@codemirror/autocomplete';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { python } from '@codemirror/lang-python';
import { forceLinting, linter, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { completeFrom } from './complete.mjs';
import { errorsOf } from './schema.mjs';
import { rangeOf } from './tree.mjs';

const colours = HighlightStyle.define([
    { tag: tags.propertyName, color: 'var(--ink)', fontWeight: '600' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--text)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--number)' },
    { tag: [tags.keyword, tags.operatorKeyword], color: 'var(--word)' },
    { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
]);
const surface = { backgroundColor: 'var(--sheet)', color: 'var(--ink)', border: '1px solid var(--line)' };
const theme = EditorView.theme({
    '&': { color: 'var(--ink)', backgroundColor: 'var(--sheet)', fontSize: '13px' },
    '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--soft)', borderColor: 'var(--line)' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--mark) 8%, transparent)' },
    '.cm-content': { caretColor: 'var(--ink)', fontFamily: 'ui-monospace, monospace' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
        { background: 'color-mix(in srgb, var(--mark) 30%, transparent)' },
    '.cm-tooltip': surface,
    '.cm-panels': surface,
    '.cm-completionInfo': { maxWidth: '20rem' },
    '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--mark)', color: 'var(--on-mark)' },
});

/** `validate(text)` gives the runtime's error or null; `run` is Ctrl-Enter; `changed(name, text)` tells of each change. */
export function makeEditor(parent, { schema, validate, run, changed }) {
    const isJson = jsonParseLinter();

    async function check(view) {
        const { state } = view;
        const broken = isJson(view);
        if (broken.length > 0)
            return broken;
        const wrong = errorsOf(schema, JSON.parse(state.doc.toString()));
        const mark = ({ pointer = '', message, hint, atKey }, source) => ({
            ...rangeOf(state, pointer, atKey), severity: 'error', source, message: hint ? `${message}\n${hint}` : message,
        });
        const error = await validate(state.doc.toString());
        const own = error ? [mark({ ...error, atKey: error.code === 'unknown_parameter' || error.code === 'unknown_field' }, error.code)] : [];
        return [...own, ...wrong.map((one) => mark(one, 'schema')).filter(({ from }) => own[0]?.from !== from)];
    }

    const common = (name) => [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => (run(), true) }])),
        basicSetup, theme, syntaxHighlighting(colours), lintGutter(), EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': name }),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && changed(name, state.doc.toString())),
    ];
    const extensions = {
        'pipeline.json': [json(), linter(check, { delay: 400 }), autocompletion({ override: [completeFrom(schema)] })],
        'nodes.py': [python(), indentUnit.of('    ')],
    };
    const fresh = (name, doc) => EditorState.create({ doc, extensions: [common(name), extensions[name]] });
    const states = { 'pipeline.json': fresh('pipeline.json', ''), 'nodes.py': fresh('nodes.py', '') };
    let shown = 'pipeline.json';
    const view = new EditorView({ parent, state: states[shown] });

    return {
        view,
        text: (name) => (name === shown ? view.state : states[name]).doc.toString(),
        show(name) {
            if (name === shown)
                return;
            states[shown] = view.state;
            shown = name;
            view.setState(states[name]);
            forceLinting(view);
        },
        set(name, text) {
            states[name] = fresh(name, text);
            if (name === shown)
                view.setState(states[name]);
            changed(name, text);
        },
        /** Replaces what a JSON pointer names, or the whole manifest; it can be undone. */
        replace(pointer, text) {
            this.show('pipeline.json');
            const { from, to } = pointer === null ? { from: 0, to: view.state.doc.length } : rangeOf(view.state, pointer);
            view.dispatch({ changes: { from, to, insert: text } });
        },
        /** Marks a line of nodes.py, from 1. */
        markLine(number, message) {
            this.show('nodes.py');
            const { from, to } = view.state.doc.line(Math.min(number, view.state.doc.lines));
            view.dispatch(setDiagnostics(view.state, [{ from, to, severity: 'error', message }]));
            view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'center' }) });
        },
    };
}
