// A loopback server of the page, one WASM file, and the files of the job that runs.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/**
 * Serves the files of `folders` (the first that has a name wins), `wasm` under its own name, and what `job` names: its stdin as job/stdin, the files of its folder below job/files/.
 */
export async function serve({ folders, wasm, job }) {
  const find = (name) => {
    if (name === "job/stdin") return job.stdin;
    if (name.startsWith("job/files/")) return path.join(job.folder, decodeURIComponent(name.slice(10)));
    if (name === path.basename(wasm)) return wasm;
    return folders.map((f) => path.join(f, name)).find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
  };
  const server = http.createServer((request, response) => {
    const name = path.posix.normalize(new URL(request.url, "http://localhost").pathname).slice(1) || "index.html";
    const file = find(name);
    if (!file) return response.writeHead(404).end();
    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": name.startsWith("job/") ? "no-store" : "max-age=3600" });
    fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
