const USAGE = -3; // all that an instance answers after a trap
const FIELDS = ['node', 'pointer', 'item', 'hint', 'traceback'];

/**
 * A failure. `code` is one of docs/errors.md, or `trap`, `exit`, `terminated`, `download`; the other fields are
 * those of an error document, undefined where they are not known. `outputs` has the results from before, where `run` failed.
 */
export class PipelineError extends Error {
    constructor(code, message, { cause, ...known } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.code = code;
        for (const name of FIELDS)
            if (known[name] !== undefined)
                this[name] = known[name];
    }
}
PipelineError.prototype.name = 'PipelineError';

export const refuse = (code, text, more) => {
    throw new PipelineError(code, text, more);
};

/** The error of a document {"status": "error", "error": {...}}; `code` is the number that a call returned. */
export const failed = (code, { error = {} } = {}) =>
    new PipelineError(error.code ?? (code === USAGE ? 'usage' : code), error.message ?? `the call failed with code ${code}`, error);

/** What can be sent to another thread, and back. */
export const packed = ({ code, message, node, pointer, item, hint, traceback }) => ({ code, message, node, pointer, item, hint, traceback });
export const unpacked = ({ code, message, ...more }) => new PipelineError(code, message, more);

/** What ended an instance otherwise than by a code. */
export function trapped(error) {
    if (error instanceof PipelineError)
        return error;
    const deep = error instanceof RangeError && /call stack|too much recursion/.test(error.message);
    const what = deep ? `${error.message}; data or calls are nested deeper than this host allows` : String(error);
    return new PipelineError('trap', `the program was ended by a trap: ${what}`, { cause: error });
}
