// A static server of the repository on 127.0.0.1. Its Content Security Policy allows WebAssembly and
// inline import maps, and no eval.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const root = new URL("../../", import.meta.url);
const types = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Answers { url, close }. */
export async function serve() {
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url, "http://server");
      const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
      const file = new URL(`.${path}`, root);
      if (!file.href.startsWith(root.href)) throw new Error("outside the repository");
      const body = await readFile(file);
      response.setHeader("content-type", types[extname(path)] ?? "application/octet-stream");
      response.setHeader(
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
      );
      response.end(body);
    } catch {
      response.writeHead(404).end("not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => server.close(),
  };
}
