// Serves a folder on loopback: serve(folder) returns {url, close}. Pages are isolated, so that they may share memory between threads,
// except plain.html.
import fs from "node:fs/promises";
import http from "node:http";
import path from "node:path";

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".wav": "audio/wav" };
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export async function serve(folder) {
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = path.join(folder, path.normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
    try {
      const data = await fs.readFile(file);
      const isolated = pathname === "/plain.html" ? {} : ISOLATED;
      response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream", ...isolated });
      response.end(data);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resume) => server.listen(0, "127.0.0.1", resume));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => (server.closeAllConnections(), server.close()) };
}
