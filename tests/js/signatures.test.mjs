// Signatures against other implementations: Ed25519 and SHAKE-256 of node:crypto, ML-DSA-65 of
// @noble/post-quantum; and footers by hand, as docs/format.md describes them.

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { before, test } from "node:test";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { ed25519Signer, ed25519Verifier, init, RvfStore, verifySignatures } from "rvf-wasm";

before(() => init());

/** A store with every kind of segment that a commit writes. */
function makeStore() {
  const store = RvfStore.create(3);
  store.ingest([1, 2, 3, 4, 5, 6], ["a", "b"], [{ n: 1 }, { n: 2 }]);
  store.embedWasm({ image: new Uint8Array(100), role: "extension" });
  store.changes();
  store.acknowledge();
  store.delete("a");
  store.ingest([7, 8, 9], 70, { n: 3 });
  return store;
}

/** What is signed, and the footer, of every segment, read by hand. */
function readFooters(bytes, signatureBytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    assert.equal(view.getUint32(at, true), 0x52564653, `a header at ${at}`);
    const size = Number(view.getBigUint64(at + 16, true));
    const payload = bytes.subarray(at + 64, at + 64 + size);
    const footer = at + 64 + size;
    assert.equal(view.getUint16(footer + 2, true), signatureBytes);
    assert.equal(view.getUint32(footer + 4 + signatureBytes, true), signatureBytes + 8);
    assert.equal(view.getUint16(at + 6, true) & 4, 4, "the flag SIGNED");
    const message = Buffer.concat([
      bytes.subarray(at, at + 40),
      bytes.subarray(at + 40, at + 56),
      Buffer.from("RVF-v1-segment"),
      bytes.subarray(at + 8, at + 16),
      createHash("shake256", { outputLength: 16 }).update(payload).digest(),
    ]);
    assert.equal(message.length, 94);
    const signature = bytes.subarray(footer + 4, footer + 4 + signatureBytes);
    found.push({ type: bytes[at + 5], kind: view.getUint16(footer, true), message, signature });
    at = footer + 8 + signatureBytes;
  }
  return found;
}

test("Ed25519: node:crypto verifies what WebCrypto signed", async () => {
  const keys = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const store = makeStore();
  const { bytes } = await store.signedChanges(ed25519Signer(keys.privateKey));
  const footers = readFooters(bytes, 64);
  const types = new Set(footers.map(({ type }) => type));
  for (const type of [0x01, 0x04, 0x05, 0x07, 0x0a]) assert.ok(types.has(type), `type ${type}`);
  for (const { kind, message, signature } of footers) {
    assert.equal(kind, 0);
    assert.ok(verify(null, message, publicKey, signature));
  }
  const checks = await verifySignatures(bytes, ed25519Verifier(keys.publicKey));
  assert.deepEqual(
    checks.map(({ signature }) => signature),
    footers.map(() => "good"),
  );
  store.close();
});

test("ML-DSA-65: @noble/post-quantum signs and verifies, beside Ed25519", async () => {
  const { secretKey, publicKey } = ml_dsa65.keygen(new Uint8Array(32).fill(7));
  const signer = {
    algorithm: "ml-dsa-65",
    sign: (message) => ml_dsa65.sign(message, secretKey),
  };
  const verifier = {
    algorithm: "ml-dsa-65",
    verify: (signature, message) => ml_dsa65.verify(signature, message, publicKey),
  };
  const store = makeStore();
  const { bytes, offset } = await store.signedChanges(signer);
  store.acknowledge();
  for (const { kind, message, signature } of readFooters(bytes, 3309)) {
    assert.equal(kind, 1);
    assert.ok(ml_dsa65.verify(signature, message, publicKey));
  }
  assert.ok(offset > 0, "the first commit has no signatures");

  const keys = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { bytes: whole } = await store.signedChanges(ed25519Signer(keys.privateKey), {
    compact: true,
  });
  const both = [verifier, ed25519Verifier(keys.publicKey)];
  const checks = await verifySignatures(whole, both);
  assert.ok(
    checks.some(({ algorithm }) => algorithm === "ml-dsa-65"),
    "kept witnesses",
  );
  assert.ok(
    checks.some(({ algorithm }) => algorithm === "ed25519"),
    "new segments",
  );
  for (const { signature } of checks) assert.notEqual(signature, "bad");
  const other = {
    ...verifier,
    verify: (s, m) => ml_dsa65.verify(s, m, ml_dsa65.keygen().publicKey),
  };
  assert.ok((await verifySignatures(bytes, other)).every(({ signature }) => signature === "bad"));
  store.close();
});
