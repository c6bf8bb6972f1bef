// Containers: what is embedded comes back, checked, from files of ours and of upstream.

import { equal, ok, throws } from "./assert.mjs";
import { File } from "./file.mjs";

const bytes = (length, start = 1) => Uint8Array.from({ length }, (_, i) => (i * 7 + start) % 251);

/** The WebAssembly bytes of our own modules; stand-ins where the runtime hands out no bytes. */
function ownModules({ kernel, control }) {
  return ArrayBuffer.isView(kernel)
    ? { kernel, control }
    : { kernel: bytes(500), control: bytes(900) };
}

export const containers = {
  "all four kinds, several of each, come back as given": ({ api }) => {
    const store = api.RvfStore.create(1);
    const file = new File();
    const kernels = [
      {
        image: bytes(1000),
        arch: "aarch64",
        kernelType: "micro_linux",
        flags: 0x88,
        apiPort: 8080,
      },
      { image: bytes(0), arch: "unknown", kernelType: 77, cmdline: "quiet é" },
    ];
    for (const kernel of kernels) ok(store.embedKernel(kernel) > 0, "an id");
    store.embedEbpf({
      image: bytes(64),
      programType: "tc_filter",
      attachType: "none",
      maxDimension: 384,
      btf: bytes(10),
    });
    store.embedWasm({
      image: bytes(300),
      role: "extension",
      target: "browser",
      features: ["simd", "gc"],
      priority: 9,
      interpreter: "wasmi",
      exportCount: 3,
      minPages: 4,
      maxPages: 5,
      tables: 1,
    });
    store.embedDashboard({
      image: bytes(50),
      framework: "react",
      compression: "gzip",
      built: 86_400_500,
    });
    store.embedDashboard({ image: bytes(51) });
    file.save(store);
    const again = api.RvfStore.open(file.bytes);
    for (const opened of [store, again]) {
      const found = opened.extractKernels();
      equal(
        found.map(({ image }) => image.length),
        [1000, 0],
      );
      equal(found[0].image, kernels[0].image);
      const { arch, kernelType, flags, apiPort, cmdline, hash, binding } = found[0];
      equal(
        [arch, kernelType, flags, apiPort, cmdline, hash, binding],
        ["aarch64", "micro_linux", 0x88, 8080, "", "simple", undefined],
      );
      equal([found[1].arch, found[1].kernelType, found[1].cmdline], ["unknown", 77, "quiet é"]);
      equal(found[1].header.length, 128);
      const [ebpf] = opened.extractEbpf();
      equal([ebpf.image, ebpf.btf], [bytes(64), bytes(10)]);
      equal(
        [ebpf.programType, ebpf.attachType, ebpf.maxDimension, ebpf.hash],
        ["tc_filter", "none", 384, "simple"],
      );
      const [wasm] = opened.extractWasm();
      const { id, offset, header, image, ...facts } = wasm;
      equal(image, bytes(300));
      equal([typeof id, header.length], ["number", 64]);
      equal([...file.bytes.slice(offset + 64, offset + 68)], [0x4d, 0x57, 0x56, 0x52], "its magic");
      equal(facts, {
        hash: "simple",
        role: "extension",
        target: "browser",
        features: ["simd", "gc"],
        exportCount: 3,
        minPages: 4,
        maxPages: 5,
        tables: 1,
        priority: 9,
        interpreter: "wasmi",
      });
      const dashboards = opened.extractDashboards();
      const { framework, compression, built } = dashboards[0];
      equal([framework, compression, built], ["react", "gzip", 86_400_000]);
      equal([dashboards[1].framework, dashboards[1].image], ["custom", bytes(51)]);
      opened.close();
    }
  },

  "those of upstream's files are read, the command line apart from the image": async ({
    api,
    fixture,
  }) => {
    const kernel = api.RvfStore.open(await fixture("made_kernel.rvf"));
    const [made, ...others] = kernel.extractKernels();
    equal(others, []);
    equal(made.image.length + made.cmdline.length, 1019); // what upstream calls the image
    ok(made.cmdline.length > 0 && /^[ -~]+$/.test(made.cmdline), made.cmdline);
    equal(made.hash, "simple");
    const two = api.RvfStore.open(await fixture("made_kernel_two_nocmd.rvf"));
    equal(
      two.extractKernels().map(({ image, cmdline }) => [image.length, cmdline]),
      [
        [18, ""],
        [6, ""],
      ],
    );
    const hardened = api.RvfStore.open(await fixture("security_hardened.rvf"));
    const [bound] = hardened.extractKernels();
    equal([bound.binding.length, bound.hash], [128, "simple"]);
    equal(
      hardened.extractWasm().map(({ hash }) => hash),
      ["simple", "simple"],
    );
    equal(
      hardened.extractDashboards().map(({ hash }) => hash),
      ["simple"],
    );
    const html = new TextDecoder().decode(hardened.extractDashboards()[0].image);
    ok(/<html/i.test(html), html.slice(0, 80));
    ok(hardened.bootstrapChain().kind !== "none", hardened.bootstrapChain().kind);
    for (const store of [kernel, two, hardened]) store.close();
  },

  "damage is an error, unless it is asked for": async ({ api, fixture }) => {
    const store = api.RvfStore.open(await fixture("damaged_kernel_payload.rvf"));
    await throws(api, "InvalidChecksum", () => store.extractKernels(), /damaged: true/);
    const [kernel] = store.extractKernels({ damaged: true });
    equal(kernel.problem, "InvalidChecksum");
    store.close();
  },

  "what does not fit a header is refused": async ({ api }) => {
    const store = api.RvfStore.create(1);
    const image = bytes(8);
    const before = store.toBytes();
    const bad = [
      () => store.embedKernel({ arch: "arm", kernelType: "custom", image }),
      () => store.embedKernel({ arch: 256, kernelType: "custom", image }),
      () => store.embedKernel({ arch: 0, kernelType: "custom", image, apiPort: 65_536 }),
      () => store.embedKernel({ arch: 0, kernelType: "custom" }),
      () => store.embedKernel({ arch: 0, kernelType: 4, image, cmdline: "\ud800" }),
      () => store.embedEbpf({ image, programType: 0, attachType: "there", maxDimension: 1 }),
      () => store.embedEbpf({ image, programType: 0, attachType: 0, maxDimension: 1.5 }),
      () => store.embedWasm({ image, role: "boss" }),
      () => store.embedWasm({ image, role: 0, features: ["speed"] }),
      () => store.embedWasm({ image, role: 0, priority: -1 }),
      () => store.embedDashboard({ image, framework: "vue" }),
      () => store.embedSegment("nothing", image),
      () => store.embedSegment("vec", image),
      () => store.embedSegment(0x105, image),
      () => store.embedSegment(0xf0),
    ];
    for (const use of bad) await throws(api, "InvalidArgument", use);
    await throws(api, "SegmentTooLarge", () =>
      store.embedWasm({ image: new Uint8Array(2 ** 23 + 1), role: 0 }),
    );
    await throws(api, "InvalidMagic", () => store.embedSegment("kernel", new Uint8Array(128)));
    equal(store.toBytes(), before);
    store.close();
  },

  "unknown segments are carried on byte for byte": ({ api }) => {
    const store = api.RvfStore.create(1);
    const file = new File();
    const payloads = [0xf0, 0x30, "quant", "profile", "crypto", "witness"].map((type, i) => [
      type,
      bytes(73 * (i + 1), i),
    ]);
    for (const [type, payload] of payloads) store.embedSegment(type, payload);
    equal(store.extractSegments(0xf0)[0].offset, undefined);
    file.save(store);
    store.ingest([1], 1);
    file.save(store);
    file.save(store, { compact: true });
    const again = api.RvfStore.open(file.bytes);
    for (const [type, payload] of payloads) {
      const found = again.extractSegments(type).filter(({ problem }) => problem === undefined);
      ok(
        found.some((segment) => String(segment.payload) === String(payload)),
        `the segment of type ${type}`,
      );
    }
    again.close();
    store.close();
  },

  "the bootstrap chain: roles and priorities": ({ api }) => {
    /** A module is told by the length of its image. */
    const chain = (...modules) => {
      const store = api.RvfStore.create(1);
      for (const [role, priority, size] of modules) {
        store.embedWasm({ image: bytes(size), role, priority });
      }
      const { kind, modules: found } = store.bootstrapChain();
      store.close();
      return [kind, ...found.map(({ image }) => image.length)];
    };
    equal(chain(), ["none"]);
    equal(chain(["interpreter", 0, 1]), ["none"]);
    equal(chain(["microkernel", 0, 1]), ["host_required", 1]);
    equal(chain(["microkernel", 5, 1], ["microkernel", 2, 2]), ["host_required", 2]);
    equal(chain(["microkernel", 0, 1], ["interpreter", 9, 2]), ["two_stage", 2, 1]);
    equal(chain(["combined", 9, 1], ["microkernel", 0, 2], ["interpreter", 0, 3]), [
      "self_contained",
      1,
    ]);
    const parts = [
      ["extension", 7, 1],
      ["microkernel", 3, 2],
      ["control_plane", 8, 3],
      ["interpreter", 4, 4],
      ["extension", 6, 5],
    ];
    equal(chain(...parts), ["full", 4, 2, 5, 1, 3]);
    equal(chain(["control_plane", 1, 1], ["microkernel", 2, 2]), ["host_required", 2, 1]);
  },

  "our own two modules travel in a file and run from it": async ({ api, wasm }) => {
    const modules = ownModules(wasm);
    const store = api.RvfStore.create(1);
    const file = new File();
    store.embedWasm({
      image: modules.control,
      role: "control_plane",
      features: ["simd"],
      priority: 1,
    });
    store.embedWasm({
      image: modules.kernel,
      role: "microkernel",
      target: "bare_tile",
      features: ["simd"],
      exportCount: 14,
      minPages: 2,
      maxPages: 2,
    });
    file.save(store);
    const again = api.RvfStore.open(file.bytes);
    const { kind, modules: chain } = again.bootstrapChain();
    equal(
      [kind, ...chain.map(({ role }) => role)],
      ["host_required", "microkernel", "control_plane"],
    );
    const [kernel, control] = chain;
    equal([kernel.image, control.image], [modules.kernel, modules.control]);
    if (ArrayBuffer.isView(wasm.kernel)) {
      const tile = await api.loadKernel(kernel.image);
      equal(
        tile.exports.rvf_crc32c(tile.write(0x1_0000, new TextEncoder().encode("123456789")), 9) >>>
          0,
        0xe3069283,
      );
      const { instance } = await WebAssembly.instantiate(control.image);
      const handle = instance.exports.rvf_store_create(3, 0);
      equal(instance.exports.rvf_store_dimension(handle), 3);
    }
    again.close();
    store.close();
  },
};
