// Runs the WASM program in a page or a Worker: compile once, then as many runs as wanted, each in a fresh instance.
//
// The WASI host is @bjorn3/browser_wasi_shim 0.4.2, in the folder shim/. What it lacks is added below.
import { Directory, Fd, File, OpenDirectory, PreopenDirectory, WASI, wasi } from "./shim/index.js";

const ALL_RIGHTS = (1n << 29n) - 1n;
// What a Worker sleeps on. Pages without isolation have no other way to shared memory.
const nobody = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);

/** The compiled program; `url` must be served as application/wasm. */
export function compile(url) {
  return WebAssembly.compileStreaming(fetch(url));
}

/**
 * Runs the program once and gives {exit, stdout, stderr, files}, all bytes; a trap of the program rejects.
 *
 * `args` are the words after the program's name, `stdin` is text or bytes, `env` an object of texts, `files` an object
 * of paths and their contents. The files lie in the current directory, and also in `directory` where one is named.
 * The page or Worker is busy until the run has ended.
 */
export async function run(program, { args = [], stdin = "", env = {}, files = {}, directory } = {}) {
  const [stdout, stderr, root] = [new Output(), new Output(), folderOf(files)];
  const places = [".", ...(directory ? [directory] : [])].map((name) => new PreopenDirectory(name, root.contents));
  const host = new WASI(
    ["remotemedia", ...args],
    Object.entries(env).map(([name, value]) => `${name}=${value}`),
    [new Input(stdin), stdout, stderr, ...places],
    { debug: false }, // it logs every call otherwise
  );
  const imports = { ...host.wasiImport, ...added(host) };
  const instance = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: imports });
  const exit = host.start(instance);
  return { exit, stdout: stdout.bytes(), stderr: stderr.bytes(), files: filesOf(root) };
}

export function text(bytes) {
  return new TextDecoder().decode(bytes);
}

function bytesOf(content) {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function folderOf(files) {
  const root = new Directory(new Map());
  for (const [path, content] of Object.entries(files)) {
    const names = path.split("/");
    let folder = root;
    for (const name of names.slice(0, -1)) {
      if (!folder.contents.has(name)) folder.contents.set(name, new Directory(new Map()));
      folder = folder.contents.get(name);
    }
    folder.contents.set(names.at(-1), new File(bytesOf(content)));
  }
  return root;
}

function filesOf(folder, before = "", found = {}) {
  for (const [name, entry] of folder.contents) {
    if (entry instanceof Directory) filesOf(entry, `${before}${name}/`, found);
    else found[before + name] = entry.data;
  }
  return found;
}

// A standard stream is a pipe: no terminal, no file, no place to go to.
class Pipe extends Fd {
  fd_fdstat_get() {
    return { ret: wasi.ERRNO_SUCCESS, fdstat: new wasi.Fdstat(wasi.FILETYPE_UNKNOWN, 0) };
  }

  fd_filestat_get() {
    return { ret: wasi.ERRNO_SUCCESS, filestat: new wasi.Filestat(0n, wasi.FILETYPE_UNKNOWN, 0n) };
  }

  fd_seek() {
    return { ret: wasi.ERRNO_SPIPE, offset: 0n };
  }

  fd_tell() {
    return { ret: wasi.ERRNO_SPIPE, offset: 0n };
  }
}

class Input extends Pipe {
  rights = BigInt(wasi.RIGHTS_FD_READ);

  constructor(content) {
    super();
    this.rest = bytesOf(content);
  }

  fd_read(size) {
    const data = this.rest.subarray(0, size);
    this.rest = this.rest.subarray(data.length);
    return { ret: wasi.ERRNO_SUCCESS, data };
  }
}

class Output extends Pipe {
  rights = BigInt(wasi.RIGHTS_FD_WRITE);
  parts = [];

  fd_write(data) {
    this.parts.push(data);
    return { ret: wasi.ERRNO_SUCCESS, nwritten: data.byteLength };
  }

  bytes() {
    const all = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

// When a subscription of poll_oneoff is over, as performance.now() counts.
function endOf(view, at) {
  if (view.getUint8(at + 8) !== wasi.EVENTTYPE_CLOCK) return 0;
  const time = Number(view.getBigUint64(at + 24, true)) / 1e6;
  if (!(view.getUint16(at + 40, true) & wasi.SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME)) return performance.now() + time;
  return view.getUint32(at + 16, true) === wasi.CLOCKID_REALTIME ? performance.now() + time - Date.now() : time;
}

// A Worker sleeps; a page must not, so it looks at the clock until then.
function pause(end) {
  if (typeof WorkerGlobalScope !== "undefined") {
    const left = end - performance.now();
    if (left > 1) Atomics.wait(nobody, 0, 0, left - 1);
  }
  while (performance.now() < end);
}

// What the shim does not do, or does otherwise than other hosts.
function added(host) {
  const view = () => new DataView(host.inst.exports.memory.buffer);
  const isFolder = (fd) => host.fds[fd] instanceof OpenDirectory;
  const write = BigInt(wasi.RIGHTS_FD_WRITE);
  return {
    // The shim counts the characters of arguments, not their bytes.
    args_sizes_get(count, size) {
      const bytes = host.args.reduce((sum, word) => sum + bytesOf(word).length + 1, 0);
      view().setUint32(count, host.args.length, true);
      view().setUint32(size, bytes, true);
      return wasi.ERRNO_SUCCESS;
    },

    // Reading a folder is EISDIR, not EBADF; so is opening one for writing.
    fd_read(fd, ...rest) {
      return isFolder(fd) ? wasi.ERRNO_ISDIR : host.wasiImport.fd_read(fd, ...rest);
    },

    path_open(at, dirflags, path, length, oflags, rights, inheriting, flags, out) {
      const code = host.wasiImport.path_open(at, dirflags, path, length, oflags, rights, inheriting, flags, out);
      if (code !== wasi.ERRNO_SUCCESS) return code;
      const fd = view().getUint32(out, true);
      if (isFolder(fd) && rights & write) {
        host.fds.pop();
        return wasi.ERRNO_ISDIR;
      }
      host.fds[fd].rights = rights;
      return code;
    },

    // The shim waits for a single clock only, and for a sleep by one that goes in milliseconds. Descriptors are
    // always ready here.
    poll_oneoff(subscriptions, events, count, happened) {
      const ends = Array.from({ length: count }, (_, n) => endOf(view(), subscriptions + 48 * n));
      pause(Math.min(...ends));
      const now = performance.now();
      const over = ends.flatMap((end, n) => (end <= now ? [n] : []));
      over.forEach((n, place) => {
        const [from, to] = [subscriptions + 48 * n, events + 32 * place];
        view().setBigUint64(to, view().getBigUint64(from, true), true);
        view().setUint16(to + 8, wasi.ERRNO_SUCCESS, true);
        view().setUint8(to + 10, view().getUint8(from + 8));
        view().setBigUint64(to + 16, 0n, true);
        view().setUint16(to + 24, 0, true);
      });
      view().setUint32(happened, over.length, true);
      return count > 0 ? wasi.ERRNO_SUCCESS : wasi.ERRNO_INVAL;
    },

    // Without rights nothing may be written, access() says.
    fd_fdstat_get(fd, out) {
      const code = host.wasiImport.fd_fdstat_get(fd, out);
      if (code !== wasi.ERRNO_SUCCESS) return code;
      view().setBigUint64(out + 8, host.fds[fd].rights ?? ALL_RIGHTS, true);
      view().setBigUint64(out + 16, isFolder(fd) ? ALL_RIGHTS : 0n, true);
      return code;
    },
  };
}
