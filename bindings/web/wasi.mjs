// WASI preview 1 over files in memory, for pages, Workers and Node alike. The standard streams are pipes: no terminal, no file.

const OK = 0, BADF = 8, EXIST = 20, INVAL = 28, ISDIR = 31, NOENT = 44, NOSYS = 52, NOTDIR = 54, NOTEMPTY = 55, PERM = 63, SPIPE = 70,
    NOTCAPABLE = 76;
const UNKNOWN = 0, FOLDER = 3, REGULAR = 4; // types of files
const CREATE = 1, ONLY_FOLDER = 2, EXCLUSIVE = 4, TRUNCATE = 8; // how a path is opened
const APPEND = 1; // a descriptor's flag
const READ = 2n, WRITE = 64n, ALL = (1n << 29n) - 1n; // rights
const MILLION = 1000000n;

const encoder = new TextEncoder(), decoder = new TextDecoder();
export const bytesOf = (content) => (typeof content === 'string' ? encoder.encode(content) : content);
const wallClock = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;

let inodes = 0n;

export class File {
    kind = REGULAR;
    inode = ++inodes;
    changed = wallClock();

    constructor(content = new Uint8Array(0)) {
        this.bytes = bytesOf(content); // may have more room than is used
        this.size = this.bytes.length;
    }

    get content() {
        return this.bytes.subarray(0, this.size);
    }

    resize(size) {
        if (size > this.bytes.length) {
            const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length));
            larger.set(this.content);
            this.bytes = larger;
        } else if (size < this.size) {
            this.bytes = this.bytes.slice(0, size); // what comes back is zero, and the bytes may be the host's
        }
        this.size = size;
        this.changed = wallClock();
    }

    read(at, into) {
        const found = this.bytes.subarray(Math.min(at, this.size), Math.min(at + into.length, this.size));
        into.set(found);
        return found.length;
    }

    write(at, from) {
        if (at + from.length > this.size)
            this.resize(at + from.length);
        else if (!this.own)
            this.bytes = this.bytes.slice(); // the host's until now
        this.own = true;
        this.bytes.set(from, at);
        this.changed = wallClock();
    }
}

export class Folder {
    kind = FOLDER;
    inode = ++inodes;
    changed = wallClock();
    entries = new Map();
    size = 0;

    /** A folder with the files of {path: text or bytes}. */
    static of(files) {
        const root = new Folder();
        for (const [path, content] of Object.entries(files)) {
            const names = path.split('/').filter((name) => name !== '' && name !== '.');
            let folder = root;
            for (const name of names.slice(0, -1)) {
                if (!folder.entries.has(name))
                    folder.entries.set(name, new Folder());
                folder = folder.entries.get(name);
            }
            folder.entries.set(names.at(-1), new File(content));
        }
        return root;
    }
}

/** Ends the program: thrown out of its call. */
export class Exit extends Error {
    constructor(code) {
        super(`the program ended itself with exit code ${code}`);
        this.code = code;
    }
}

// What a thread sleeps on. Pages without isolation have no other way to shared memory.
let nobody = null;

/** Until `end`, as performance.now() counts. A page must not sleep: it looks at the clock until then. */
function pause(end) {
    const sleeps = typeof WorkerGlobalScope !== 'undefined' || typeof document === 'undefined';
    const left = end - performance.now();
    if (sleeps && left > 1) {
        nobody ??= new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
        Atomics.wait(nobody, 0, 0, left - 1);
    }
    while (performance.now() < end);
}

export class Wasi {
    #memory = null;
    #env;
    #open; // by descriptor: {pipe: descriptor} or {node, at, flags, rights, mount}

    /** `mounts` are {path in the program: Folder}; `write(descriptor, bytes)` gets what is written to 1 and 2. */
    constructor({ env = {}, mounts = {}, stdin = '', write = () => {} } = {}) {
        this.#env = Object.entries(env).map(([name, value]) => bytesOf(`${name}=${value}`));
        this.#open = [
            { pipe: new File(stdin), at: 0, rights: READ },
            { pipe: (bytes) => write(1, bytes), rights: WRITE },
            { pipe: (bytes) => write(2, bytes), rights: WRITE },
        ];
        for (const [mount, node] of Object.entries(mounts))
            this.#open.push({ node, mount: bytesOf(mount), rights: ALL });
    }

    /** A fresh instance of a module; what it imports and is not here answers "no such call". Calls throw the code of a failure. */
    async instantiate(module) {
        const calls = {};
        for (const { name } of WebAssembly.Module.imports(module))
            calls[name] = this[name] ? (...args) => this.#answer(name, args) : () => NOSYS;
        const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: calls });
        this.#memory = instance.exports.memory;
        return instance;
    }

    #answer(name, args) {
        try {
            return this[name](...args) ?? OK;
        } catch (error) {
            if (typeof error === 'number')
                return error;
            throw error;
        }
    }

    get #view() {
        return new DataView(this.#memory.buffer);
    }

    #bytes(at, length) {
        return new Uint8Array(this.#memory.buffer, at >>> 0, length >>> 0);
    }

    /** The pieces of memory that a list of (address, length) names. */
    #pieces(at, count) {
        const view = this.#view;
        return Array.from({ length: count }, (_, i) => this.#bytes(view.getUint32(at + 8 * i, true), view.getUint32(at + 8 * i + 4, true)));
    }

    // ---- Words

    sizes(words, count, size) {
        this.#view.setUint32(count, words.length, true);
        this.#view.setUint32(size, words.reduce((sum, word) => sum + word.length + 1, 0), true);
    }

    words(words, table, at) {
        for (const word of words) {
            this.#view.setUint32(table, at, true);
            this.#bytes(at, word.length + 1).set([...word, 0]);
            table += 4;
            at += word.length + 1;
        }
    }

    environ_sizes_get(count, size) {
        return this.sizes(this.#env, count, size);
    }

    environ_get(table, at) {
        return this.words(this.#env, table, at);
    }

    // ---- Time, chance, the end

    clock_time_get(id, _precision, out) {
        const time = id === 0 ? wallClock() : BigInt(Math.round(performance.now() * 1e6));
        this.#view.setBigUint64(out, time, true);
    }

    clock_res_get(_id, out) {
        this.#view.setBigUint64(out, 1000n, true);
    }

    random_get(at, length) {
        const bytes = this.#bytes(at, length);
        for (let from = 0; from < bytes.length; from += 65536) {
            const part = new Uint8Array(Math.min(65536, bytes.length - from)); // the memory may be a shared one
            bytes.set(crypto.getRandomValues(part), from);
        }
    }

    sched_yield() {}

    proc_exit(code) {
        throw new Exit(code);
    }

    /** Descriptors are always ready; clocks are waited for. */
    poll_oneoff(subscriptions, events, count, happened) {
        if (count === 0)
            return INVAL;
        const ends = Array.from({ length: count }, (_, i) => this.#endOf(subscriptions + 48 * i));
        pause(Math.min(...ends));
        const now = performance.now(), view = this.#view;
        let to = events;
        ends.forEach((end, i) => {
            const from = subscriptions + 48 * i;
            if (end > now)
                return;
            this.#bytes(to, 32).fill(0);
            view.setBigUint64(to, view.getBigUint64(from, true), true);
            view.setUint8(to + 10, view.getUint8(from + 8));
            to += 32;
        });
        view.setUint32(happened, (to - events) / 32, true);
    }

    /** When a subscription is over, as performance.now() counts. */
    #endOf(at) {
        const view = this.#view;
        if (view.getUint8(at + 8) !== 0)
            return 0; // a descriptor
        const time = view.getBigUint64(at + 24, true), isAbsolute = view.getUint16(at + 40, true) & 1;
        if (!isAbsolute)
            return performance.now() + Number(time) / 1e6;
        return view.getUint32(at + 16, true) === 0 ? performance.now() + Number(time - wallClock()) / 1e6 : Number(time) / 1e6;
    }

    // ---- Descriptors

    #at(fd) {
        const open = this.#open[fd];
        if (open === undefined)
            throw BADF;
        return open;
    }

    /** The open file at `fd`. */
    #file(fd) {
        const open = this.#at(fd);
        if (open.node?.kind !== REGULAR)
            throw open.node ? ISDIR : SPIPE;
        return open;
    }

    fd_close(fd) {
        this.#at(fd);
        this.#open[fd] = undefined;
    }

    fd_renumber(from, to) {
        this.#at(to);
        this.#open[to] = this.#at(from);
        this.#open[from] = undefined;
    }

    #mount(fd) {
        const { mount } = this.#at(fd);
        if (mount === undefined)
            throw BADF;
        return mount;
    }

    fd_prestat_get(fd, out) {
        const { length } = this.#mount(fd);
        this.#view.setUint32(out, 0, true);
        this.#view.setUint32(out + 4, length, true);
    }

    fd_prestat_dir_name(fd, at, length) {
        this.#bytes(at, length).set(this.#mount(fd).subarray(0, length));
    }

    fd_fdstat_get(fd, out) {
        const { node, flags = 0, rights } = this.#at(fd), view = this.#view;
        this.#bytes(out, 24).fill(0);
        view.setUint8(out, node?.kind ?? UNKNOWN);
        view.setUint16(out + 2, flags, true);
        view.setBigUint64(out + 8, rights, true);
        view.setBigUint64(out + 16, node?.kind === FOLDER ? ALL : 0n, true);
    }

    fd_fdstat_set_flags(fd, flags) {
        this.#at(fd).flags = flags;
    }

    #stat(node, out) {
        const view = this.#view;
        this.#bytes(out, 64).fill(0);
        view.setBigUint64(out + 8, node?.inode ?? 0n, true);
        view.setUint8(out + 16, node?.kind ?? UNKNOWN);
        view.setBigUint64(out + 24, 1n, true);
        view.setBigUint64(out + 32, BigInt(node?.size ?? 0), true);
        for (const at of [40, 48, 56])
            view.setBigUint64(out + at, node?.changed ?? 0n, true);
    }

    fd_filestat_get(fd, out) {
        this.#stat(this.#at(fd).node, out);
    }

    fd_filestat_set_size(fd, size) {
        this.#file(fd).node.resize(Number(size));
    }

    #touch(node, time, flags) {
        if (node === undefined)
            throw BADF;
        if (flags & 12)
            node.changed = flags & 4 ? time : wallClock();
    }

    fd_filestat_set_times(fd, _accessed, changed, flags) {
        this.#touch(this.#at(fd).node, changed, flags);
    }

    fd_advise(fd) {
        this.#at(fd);
    }

    fd_sync(fd) {
        this.#at(fd);
    }

    fd_datasync(fd) {
        this.#at(fd);
    }

    #readAt(file, at, pieces, out) {
        let total = 0;
        for (const piece of pieces) {
            const length = file.read(at + total, piece);
            total += length;
            if (length < piece.length)
                break;
        }
        this.#view.setUint32(out, total, true);
        return total;
    }

    fd_read(fd, list, count, out) {
        const open = this.#at(fd), file = open.node ?? open.pipe;
        if (!(open.rights & READ))
            throw BADF;
        if (file.kind !== REGULAR)
            throw ISDIR;
        open.at += this.#readAt(file, open.at, this.#pieces(list, count), out);
    }

    fd_pread(fd, list, count, offset, out) {
        this.#readAt(this.#file(fd).node, Number(offset), this.#pieces(list, count), out);
    }

    fd_write(fd, list, count, out) {
        const open = this.#at(fd), pieces = this.#pieces(list, count);
        if (!(open.rights & WRITE))
            throw BADF;
        if (open.node?.kind === FOLDER)
            throw ISDIR;
        let total = 0;
        for (const piece of pieces) {
            if (open.pipe)
                open.pipe(piece.slice());
            else {
                const at = open.flags & APPEND ? open.node.size : open.at;
                open.node.write(at, piece);
                open.at = at + piece.length;
            }
            total += piece.length;
        }
        this.#view.setUint32(out, total, true);
    }

    fd_pwrite(fd, list, count, offset, out) {
        const open = this.#file(fd);
        if (!(open.rights & WRITE))
            throw BADF;
        let at = Number(offset);
        for (const piece of this.#pieces(list, count)) {
            open.node.write(at, piece);
            at += piece.length;
        }
        this.#view.setUint32(out, at - Number(offset), true);
    }

    fd_seek(fd, offset, whence, out) {
        const open = this.#file(fd), at = [0, open.at, open.node.size][whence] + Number(offset);
        if (!(at >= 0))
            throw INVAL;
        open.at = at;
        this.#view.setBigUint64(out, BigInt(at), true);
    }

    fd_tell(fd, out) {
        this.fd_seek(fd, 0n, 1, out);
    }

    fd_readdir(fd, at, length, cookie, out) {
        const { node } = this.#at(fd);
        if (node?.kind !== FOLDER)
            throw node ? NOTDIR : BADF;
        const entries = [['.', node], ['..', node], ...node.entries];
        const end = at + length;
        let to = at;
        for (let i = Number(cookie); i < entries.length && to < end; i++) {
            const name = bytesOf(entries[i][0]), entry = new Uint8Array(24 + name.length), view = new DataView(entry.buffer);
            view.setBigUint64(0, BigInt(i + 1), true);
            view.setBigUint64(8, entries[i][1].inode, true);
            view.setUint32(16, name.length, true);
            view.setUint8(20, entries[i][1].kind);
            entry.set(name, 24);
            const part = entry.subarray(0, end - to); // what does not fit is cut: the program asks again
            this.#bytes(to, part.length).set(part);
            to += part.length;
        }
        this.#view.setUint32(out, to - at, true);
    }

    // ---- Paths

    /** {folder, name, node} of a path below the folder at `fd`; `node` is undefined where nothing is there. */
    #find(fd, at, length) {
        const top = this.#at(fd).node;
        if (top?.kind !== FOLDER)
            throw top ? NOTDIR : BADF;
        const path = decoder.decode(this.#bytes(at, length).slice()), names = path.split('/').filter((name) => name !== '' && name !== '.');
        const above = [];
        let folder = top, name = '', node = top;
        if (path === '')
            throw NOENT;
        if (path[0] === '/')
            throw NOTCAPABLE;
        for (name of names) {
            if (node === undefined)
                throw NOENT;
            if (node.kind !== FOLDER)
                throw NOTDIR;
            if (name !== '..') {
                above.push(node);
                folder = node;
                node = folder.entries.get(name);
            } else if (above.length > 0) {
                node = above.pop();
                folder = above.at(-1) ?? top;
            } else {
                throw NOTCAPABLE;
            }
        }
        if (/\/\.?$/.test(path) && node !== undefined && node.kind !== FOLDER)
            throw NOTDIR;
        return { folder, name, node };
    }

    /** As #find, of what is there. */
    #existing(fd, at, length) {
        const found = this.#find(fd, at, length);
        if (found.node === undefined)
            throw NOENT;
        return found;
    }

    path_filestat_get(fd, _flags, at, length, out) {
        this.#stat(this.#existing(fd, at, length).node, out);
    }

    path_filestat_set_times(fd, _follow, at, length, _accessed, changed, flags) {
        this.#touch(this.#existing(fd, at, length).node, changed, flags);
    }

    path_open(fd, _follow, at, length, how, rights, _inheriting, flags, out) {
        let { folder, name, node } = this.#find(fd, at, length);
        if (node === undefined && (!(how & CREATE) || how & ONLY_FOLDER))
            throw NOENT;
        if (node !== undefined && how & CREATE && how & EXCLUSIVE)
            throw EXIST;
        if (node?.kind === REGULAR && how & ONLY_FOLDER)
            throw NOTDIR;
        if (node?.kind === FOLDER && (rights & WRITE || how & (CREATE | TRUNCATE)) && !(how & ONLY_FOLDER))
            throw ISDIR;
        if (node === undefined)
            folder.entries.set(name, (node = new File()));
        else if (how & TRUNCATE)
            node.resize(0);
        let free = this.#open.findIndex((open, i) => i > 2 && open === undefined);
        if (free < 0)
            free = this.#open.length;
        this.#open[free] = { node, at: 0, flags, rights: node.kind === FOLDER ? ALL : rights };
        this.#view.setUint32(out, free, true);
    }

    /** As #find, of a place where nothing is. */
    #vacant(fd, at, length) {
        const found = this.#find(fd, at, length);
        if (found.node !== undefined)
            throw EXIST;
        return found;
    }

    path_create_directory(fd, at, length) {
        const { folder, name } = this.#vacant(fd, at, length);
        folder.entries.set(name, new Folder());
        folder.changed = wallClock();
    }

    #remove(fd, at, length, kind, wrong) {
        const { folder, name, node } = this.#existing(fd, at, length);
        if (node.kind !== kind)
            throw wrong;
        if (node.entries?.size > 0)
            throw NOTEMPTY;
        if (folder.entries.get(name) !== node)
            throw INVAL; // '.' or '..'
        folder.entries.delete(name);
        folder.changed = wallClock();
    }

    path_unlink_file(fd, at, length) {
        this.#remove(fd, at, length, REGULAR, ISDIR);
    }

    path_remove_directory(fd, at, length) {
        this.#remove(fd, at, length, FOLDER, NOTDIR);
    }

    path_rename(fd, at, length, toFd, toAt, toLength) {
        const from = this.#existing(fd, at, length), to = this.#find(toFd, toAt, toLength);
        if (to.node === from.node)
            return;
        if (to.node !== undefined && to.node.kind !== from.node.kind)
            throw to.node.kind === FOLDER ? ISDIR : NOTDIR;
        if (to.node?.entries?.size > 0)
            throw NOTEMPTY;
        from.folder.entries.delete(from.name);
        to.folder.entries.set(to.name, from.node);
    }

    path_link(fd, _follow, at, length, toFd, toAt, toLength) {
        const from = this.#existing(fd, at, length), to = this.#vacant(toFd, toAt, toLength);
        if (from.node.kind === FOLDER)
            throw PERM;
        to.folder.entries.set(to.name, from.node);
    }

    path_readlink(fd, at, length) {
        this.#existing(fd, at, length);
        throw INVAL; // no file is a link
    }
}
