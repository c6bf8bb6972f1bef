// Looking at files that are not opened: segments, hashes, witnesses, signatures.

import { equal, ok, throws } from "./assert.mjs";
import { File } from "./file.mjs";

const header = 64;
const hashStates = {
  "crc32-rotated": "good",
  "sha256-128": "good",
  mismatch: "bad",
  zero: "absent",
};

async function expectedFiles(fixture) {
  return JSON.parse(new TextDecoder().decode(await fixture("expected.json"))).files;
}

/** A file of several commits. */
function makeFile(api, options) {
  const store = api.RvfStore.create(2);
  const file = new File();
  for (let i = 0; i < 5; i++) {
    store.ingest([i, i], `text ${i}`, { n: i });
    if (i > 1) store.delete(`text ${i - 2}`);
    file.save(store, options);
  }
  store.close();
  return file;
}

/** Ed25519 keys of WebCrypto, or undefined where it has none. */
async function makeKeys() {
  try {
    return await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  } catch {
    return undefined;
  }
}

/** A signature scheme for tests, of the right size: not secret, but no byte can change. */
const checksumScheme = {
  algorithm: "ml-dsa-65",
  sign: (message) => Uint8Array.from({ length: 3309 }, (_, i) => message[i % 94] ^ (i * 31 + 7)),
  verify: (signature, message) =>
    signature.every((byte, i) => byte === ((message[i % 94] ^ (i * 31 + 7)) & 255)),
};

export const inspection = {
  "the segments of every fixture are those that a plain reader found": async ({ api, fixture }) => {
    const names = [
      "basic",
      "made_",
      "crafted_",
      "security",
      "damaged_flip",
      "damaged_trailing_100.rvf",
    ];
    let segments = 0;
    for (const [name, { forward_scan: scan }] of Object.entries(await expectedFiles(fixture))) {
      if (!scan?.segments || !names.some((start) => name.startsWith(start))) continue;
      if (/damaged_flip_vec_header|magic|fake/.test(name)) continue; // the walks differ after damage
      const found = api.inspectSegments(await fixture(name)).filter(({ hash }) => hash !== "cut");
      equal(
        found.map(({ offset, id, type, version, flags, size, hash }) => {
          return { offset, id, type, version, flags, payload_length: size, hash };
        }),
        scan.segments.map(({ offset, id, type, version, flags, payload_length, content_hash }) => {
          return {
            offset,
            id,
            type,
            version,
            flags,
            payload_length,
            hash: hashStates[content_hash],
          };
        }),
        name,
      );
      segments += found.length;
    }
    ok(segments > 300, `${segments} segments`);
  },

  "types have upstream's names": async ({ api, fixture }) => {
    const { upstream } = (await expectedFiles(fixture))["made_kernel.rvf"];
    const names = new Map(
      api.inspectSegments(await fixture("made_kernel.rvf")).map((s) => [s.offset, s.typeName]),
    );
    for (const { offset, type_name: name } of upstream.directory) equal(names.get(offset), name);
    const store = api.RvfStore.create(1);
    store.embedSegment(0xf7, new Uint8Array(3));
    store.embedSegment(0x30, new Uint8Array(3));
    const found = api.inspectSegments(store.toBytes()).map(({ typeName }) => typeName);
    ok(found.includes("unknown(0xF7)") && found.includes("transfer_prior"), `${found}`);
    store.close();
  },

  "a cut segment is called so, and what is no file has none": async ({ api, fixture }) => {
    const file = await fixture("made_deletes.rvf");
    const all = api.inspectSegments(file);
    const last = all.at(-1);
    const cut = api.inspectSegments(file.subarray(0, last.offset + header + 5));
    equal(cut.map(({ hash }) => hash).at(-1), "cut");
    equal(cut.length, all.length);
    equal(api.inspectSegments(new Uint8Array(1000)), []);
    equal(api.inspectSegments(file.buffer.slice(0)).length, all.length);
    await throws(api, "InvalidArgument", () => api.inspectSegments("file"));
  },

  "verifyChecksum tells the truth": async ({ api, fixture }) => {
    const file = await fixture("made_deletes.rvf");
    const { offset, size } = api.inspectSegments(file).find(({ typeName }) => typeName === "vec");
    const segment = file.slice(offset, offset + header + size);
    equal(api.verifyChecksum(segment), "good");
    for (const at of [40, 55, header, header + size - 1]) {
      const changed = segment.slice();
      changed[at] ^= 1;
      equal(api.verifyChecksum(changed), "bad", `byte ${at}`);
    }
    equal(api.verifyChecksum(segment.slice().fill(0, 40, 56)), "absent");
    await throws(api, "InvalidMagic", () => api.verifyChecksum(new Uint8Array(64)));
    await throws(api, "TruncatedSegment", () => api.verifyChecksum(segment.subarray(0, 60)));
    await throws(api, "TruncatedSegment", () => api.verifyChecksum(segment.subarray(0, 70)));
  },

  "witnesses of a file hold, and the first that does not is named": ({ api }) => {
    const { bytes } = makeFile(api);
    const witnesses = api.inspectSegments(bytes).filter(({ typeName }) => typeName === "witness");
    const report = api.verifyWitnesses(bytes);
    equal(report, { checked: witnesses.length, starts: 1, foreign: 0, broken: 0 });
    ok(witnesses.length >= 5, `${witnesses.length} witnesses`);
    const { offset, size } = witnesses[2];
    const changedAt = (at) => {
      const changed = bytes.slice();
      changed[offset + at] ^= 4;
      return changed;
    };
    for (let at = 40; at < header + size; at++) {
      const { broken, firstBroken } = api.verifyWitnesses(changedAt(at));
      const covered = at < 56 || at >= header; // the last 8 bytes of a header are not
      equal([broken > 0, firstBroken], [covered, covered ? offset : undefined], `byte ${at}`);
    }
    for (const at of [header, header + 3, header + 14]) {
      const forged = changedAt(at).fill(0, offset + 40, offset + 56); // no content hash to tell
      const { broken, firstBroken } = api.verifyWitnesses(forged);
      equal([broken, firstBroken], [1, witnesses[3].offset], `byte ${at}, by the next witness`);
    }
  },

  "upstream's witnesses hold, session by session": async ({ api, fixture }) => {
    const { checked, starts, broken } = api.verifyWitnesses(
      await fixture("made_multi_session.rvf"),
    );
    ok(checked > 3 && starts > 1 && broken === 0, `${checked}, ${starts}, ${broken}`);
    const flipped = api.verifyWitnesses(await fixture("damaged_flip_witness_payload.rvf"));
    ok(flipped.broken >= 1 && flipped.firstBroken > 0, JSON.stringify(flipped));
  },

  "chains of 73-byte entries: the test vector, links, and a file that holds one": async ({
    api,
  }) => {
    // shared/spec: action SHAKE-256("ingest"), 1700000000 s, type 1
    const entries = [{ action: "ingest", time: 1_700_000_000_000, type: 1 }];
    const one = api.createWitnessChain(entries);
    const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const action = "c6745b55a9675d98138548049a331fade9f41469e229f477dfdd06735f5f663f";
    equal(hex(one), `${"0".repeat(64)}${action}${"00002a36fe9c9717"}01`);
    const more = [
      { action: new Uint8Array([1, 2]), type: 4 },
      { action: "", type: 255, time: 0 },
    ];
    const three = api.createWitnessChain(more, one);
    equal(three.slice(0, 73), one);
    equal(
      hex(three.slice(73, 105)),
      "b43e05eb99a5f1729dc888a4a89fdd398a13899226a4e55240cb61b1380565ff",
    );
    equal(api.verifyWitnessChain(three), { entries: 3, valid: true });
    equal(api.verifyWitnessChain(new Uint8Array(0)), { entries: 0, valid: true });
    for (const [at, firstBroken] of [
      [0, 0],
      [40, 1],
      [72, 1],
      [74, 1],
      [120, 2],
      [146, 2],
    ]) {
      const changed = three.slice();
      changed[at] ^= 1;
      equal(api.verifyWitnessChain(changed), { entries: 3, valid: false, firstBroken }, `at ${at}`);
    }
    await throws(api, "InvalidArgument", () => api.verifyWitnessChain(three.subarray(1)), /73/);
    await throws(api, "InvalidArgument", () =>
      api.createWitnessChain([{ action: "a", type: 256 }]),
    );
    await throws(api, "InvalidArgument", () => api.createWitnessChain([{ action: 5, type: 1 }]));
    const store = api.RvfStore.create(1);
    const file = new File();
    store.embedSegment("witness", three);
    file.save(store);
    equal(api.verifyWitnesses(file.bytes).broken, 0);
    const { checked } = api.verifyWitnesses(file.bytes);
    ok(checked >= 4, `${checked}: three entries and one of the commit`);
    store.close();
  },

  "signatures: every new segment, and no byte of it can change": async ({ api }) => {
    const store = api.RvfStore.create(2);
    const file = new File();
    store.ingest([1, 2], "a", { n: 1 });
    file.save(store); // without any
    store.ingest([3, 4], "b");
    store.embedSegment(0xf0, new Uint8Array([1, 2, 3]));
    const start = file.bytes.length;
    file.write(await store.signedChanges(checksumScheme));
    store.acknowledge();
    const states = (checks) => checks.map(({ signature }) => signature);
    const checks = await api.verifySignatures(file.bytes, checksumScheme);
    for (const { offset, signature, algorithm } of checks) {
      const expected = offset < start ? ["absent", undefined] : ["good", "ml-dsa-65"];
      equal([signature, algorithm], expected, `segment at ${offset}`);
    }
    ok(checks.filter(({ offset }) => offset >= start).length >= 4, `${checks.length} segments`);
    const unchecked = await api.verifySignatures(file.bytes, []);
    equal(
      states(unchecked),
      states(checks).map((s) => (s === "good" ? "unchecked" : s)),
    );
    const segment = api
      .inspectSegments(file.bytes)
      .find(({ typeName }) => typeName === "unknown(0xF0)");
    for (const at of [6, 8, 16, 24, 32, 40, 64, 66, 70, 500]) {
      const changed = file.bytes.slice();
      changed[segment.offset + at] ^= 16;
      const found = await api.verifySignatures(changed, checksumScheme);
      const good = found.find(
        ({ offset, signature }) => offset === segment.offset && signature === "good",
      );
      equal(good, undefined, `byte ${at}`);
    }
    const again = api.RvfStore.open(file.bytes);
    equal([again.count, again.warnings], [2, []]);
    // the signature of a carried segment stays with it through a compaction
    const compacted = new File();
    const changes = again.changes({ compact: true });
    compacted.write(changes);
    const kept = await api.verifySignatures(compacted.bytes, checksumScheme);
    equal(kept.find(({ typeName }) => typeName === "unknown(0xF0)").signature, "good");
    again.close();
    // and through one in the same session
    file.save(store, { compact: true });
    const stayed = await api.verifySignatures(file.bytes, checksumScheme);
    equal(stayed.find(({ typeName }) => typeName === "unknown(0xF0)").signature, "good");
    store.close();
  },

  "signatures by WebCrypto": async ({ api }) => {
    const keys = await makeKeys();
    if (!keys) return;
    const store = api.RvfStore.create(2);
    store.ingest([1, 2], "a");
    const { bytes } = await store.signedChanges(api.ed25519Signer(keys.privateKey));
    store.acknowledge();
    equal(await store.signedChanges(api.ed25519Signer(keys.privateKey)), undefined);
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
    const other = await makeKeys();
    const count = api.inspectSegments(bytes).length;
    const outcomes = [
      [api.ed25519Verifier(keys.publicKey), "good"],
      [api.ed25519Verifier(raw), "good"],
      [api.ed25519Verifier(other.publicKey), "bad"],
      [[api.ed25519Verifier(other.publicKey), api.ed25519Verifier(raw)], "good"],
      [checksumScheme, "unchecked"],
    ];
    for (const [verifiers, expected] of outcomes) {
      const checks = await api.verifySignatures(bytes, verifiers);
      equal(
        checks.map(({ signature }) => signature),
        Array(count).fill(expected),
      );
    }
    store.close();
  },

  "a signer that fails leaves nothing pending": async ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1], 1);
    const signer = (sign, algorithm = "ed25519") => ({ algorithm, sign });
    const failing = signer(() => Promise.reject(new RangeError("no key")));
    let error;
    await store.signedChanges(failing).catch((caught) => {
      error = caught;
    });
    equal([error.name, error.message], ["RangeError", "no key"]);
    const short = signer(() => new Uint8Array(63));
    await throws(api, "InvalidArgument", () => store.signedChanges(short), /63 bytes/);
    await throws(api, "InvalidArgument", () => store.signedChanges(signer(short, "rsa")), /rsa/);
    await throws(
      api,
      "InvalidArgument",
      () => store.signedChanges({ algorithm: "ed25519" }),
      /sign/,
    );
    await throws(api, "InvalidArgument", () => store.signedChanges(undefined));
    equal(store.state().pending, false);
    const slow = signer(async () => {
      if (store.state().pending) store.discard();
      return new Uint8Array(64);
    });
    await throws(api, "CommitPending", () => store.signedChanges(slow), /while it was signed/);
    ok(store.changes() !== undefined, "they belong to the next");
    store.close();
  },
};
