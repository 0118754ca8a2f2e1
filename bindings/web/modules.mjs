const modules = new Map(); // promises, by URL

/** The compiled module of a URL, which `compile` makes once in this process or page. */
export function compiledOnce(url, file, onProgress, compile) {
    if (!modules.has(url)) {
        const module = compile();
        module.catch(() => modules.delete(url));
        modules.set(url, module);
    } else if (file.size) {
        onProgress?.({ file: url, loaded: file.size, total: file.size });
    }
    return modules.get(url);
}
