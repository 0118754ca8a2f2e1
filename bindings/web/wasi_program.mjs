// WASI for a program: a command line goes in, an exit code comes out.
import { bytesOf, Exit, Wasi } from './wasi.mjs';

export { Folder } from './wasi.mjs';

export class Program extends Wasi {
    #args;

    /** `args` begin with the program's name; the rest is as in Wasi. */
    constructor({ args = [], ...more }) {
        super(more);
        this.#args = args.map(bytesOf);
    }

    args_sizes_get(count, size) {
        return this.sizes(this.#args, count, size);
    }

    args_get(table, at) {
        return this.words(this.#args, table, at);
    }

    /** Runs the command in an instance; its exit code. */
    start(instance) {
        try {
            instance.exports._start();
            return 0;
        } catch (error) {
            if (error instanceof Exit)
                return error.code;
            throw error;
        }
    }
}

/** {path: bytes} of all files in a folder. */
export function filesOf(folder, before = '', found = {}) {
    for (const [name, entry] of folder.entries)
        if (entry.entries)
            filesOf(entry, `${before}${name}/`, found);
        else
            found[before + name] = entry.content;
    return found;
}
