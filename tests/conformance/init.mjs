// Loading: every kind of source, every way it fails. Runs first: the package is not loaded yet.

import { equal, ok, throws } from "./assert.mjs";

const html = new TextEncoder().encode("\n<!doctype html><title>index</title>");

export const init = {
  "before it, the API says what to call": async ({ api }) => {
    await throws(api, "BackendInitFailed", () => api.RvfStore.create(3), /await init\(\)/);
    await throws(
      api,
      "BackendInitFailed",
      () => api.RvfStore.open(new Uint8Array(9)),
      /await init/,
    );
  },

  "a web page instead of a module is called by its name": async ({ api }) => {
    await throws(api, "BackendInitFailed", () => api.init(html), /HTML.*optimizeDeps\.exclude/);
    await throws(api, "BackendInitFailed", () => api.initSync(html), /HTML/);
    await throws(api, "BackendInitFailed", () => api.init(new Response(html)), /HTML/);
    await throws(
      api,
      "BackendInitFailed",
      () => api.loadKernel(Promise.resolve(new Response(html))),
      /HTML/,
    );
  },

  "an HTTP error is passed on": async ({ api }) => {
    const missing = new Response("no", { status: 404 });
    await throws(api, "BackendInitFailed", () => api.init(missing), /404/);
  },

  "what is no module is refused": async ({ api }) => {
    for (const source of [new Uint8Array(8), new ArrayBuffer(0), null, 7, {}]) {
      await throws(api, "BackendInitFailed", () => api.init(source));
      await throws(api, "BackendInitFailed", () => api.initSync(source));
      await throws(api, "BackendInitFailed", () => api.loadKernel(source));
    }
  },

  "the other module is refused": async ({ api, wasm }) => {
    await throws(api, "BackendInitFailed", () => api.init(wasm.kernel), /rvf_control\.wasm/);
    await throws(api, "BackendInitFailed", () => api.initSync(wasm.kernel), /rvf_control\.wasm/);
    await throws(api, "BackendInitFailed", () => api.loadKernel(wasm.control), /rvf_kernel\.wasm/);
  },

  "options are checked": async ({ api }) => {
    for (const maxMemoryBytes of [0, -1, 1.5, NaN, Infinity, "1"]) {
      await throws(api, "InvalidArgument", () => api.init(undefined, { maxMemoryBytes }));
    }
  },

  "after all these failures it works, at once and again": async ({ api, wasm }) => {
    await Promise.all([api.init(), api.init(wasm.control), api.default()]);
    await api.init();
    api.initSync(wasm.control);
    const store = api.RvfStore.create(3);
    equal(store.count, 0);
    store.close();
  },

  "once loaded, sources are not looked at": async ({ api }) => {
    await api.init(html);
    api.initSync(html);
  },

  "the kernel loads from every kind of source": async ({ api, wasm }) => {
    const sources = [undefined, wasm.kernel];
    if (ArrayBuffer.isView(wasm.kernel)) {
      const bytes = wasm.kernel.slice();
      const headers = { "content-type": "application/octet-stream" };
      sources.push(bytes.buffer, new DataView(bytes.buffer), new WebAssembly.Module(bytes));
      sources.push(new Response(bytes), Promise.resolve(new Response(bytes, { headers })));
    }
    for (const source of sources) {
      const kernel = await api.loadKernel(source);
      equal(Object.keys(kernel.exports).filter((name) => name.startsWith("rvf_")).length, 14);
    }
    ok(api.loadKernelSync(wasm.kernel) instanceof api.Kernel, "loadKernelSync gives a Kernel");
  },
};
