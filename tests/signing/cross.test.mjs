// Files signed natively are verified by WebCrypto, and the other way round. What is signed is built
// here from docs/format.md, with Node's SHAKE-256.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, webcrypto } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const { subtle } = webcrypto;
const PEER = fileURLToPath(new URL("../../build/native/signing_peer", import.meta.url));
const SEED = Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i + 1));
const HEADER = 64;
const FOOTER = 72;
const ED25519 = "Ed25519";

const peer = (args, input) => execFileSync(PEER, args, { input });

/** PKCS #8 of a raw Ed25519 seed (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const privateKey = await subtle.importKey(
  "pkcs8",
  Buffer.concat([PKCS8, SEED]),
  { name: ED25519 },
  true,
  ["sign"],
);
const { x } = await subtle.exportKey("jwk", privateKey);
const publicBytes = Buffer.from(x, "base64url");
const publicKey = await subtle.importKey("raw", publicBytes, { name: ED25519 }, false, ["verify"]);

/** Segments of a file in which each has a footer. */
function segmentsOf(file) {
  const segments = [];
  for (let at = 0; at < file.length; ) {
    const footer = at + HEADER + Number(file.readBigUInt64LE(at + 16));
    segments.push({
      header: file.subarray(at, at + HEADER),
      payload: file.subarray(at + HEADER, footer),
      frame: [file.readUInt16LE(footer), file.readUInt16LE(footer + 2)],
      length: file.readUInt32LE(footer + 68),
      signature: file.subarray(footer + 4, footer + 68),
    });
    at = footer + FOOTER;
  }
  return segments;
}

const signingInput = ({ header, payload }) =>
  Buffer.concat([
    header.subarray(0, 56),
    Buffer.from("RVF-v1-segment", "ascii"),
    header.subarray(8, 16),
    createHash("shake256", { outputLength: 16 }).update(payload).digest(),
  ]);

test("WebCrypto verifies every segment of a file that was signed natively", async () => {
  const segments = segmentsOf(peer(["write", SEED.toString("hex")]));
  assert.ok(segments.length >= 6);
  for (const segment of segments) {
    assert.deepEqual(segment.frame, [0, 64]);
    assert.equal(segment.length, FOOTER);
    const input = signingInput(segment);
    assert.ok(await subtle.verify(ED25519, publicKey, segment.signature, input));
    input[93] ^= 1;
    assert.ok(!(await subtle.verify(ED25519, publicKey, segment.signature, input)));
  }
});

test("a file that WebCrypto signed is verified natively", async () => {
  const file = peer(["room"]);
  const segments = segmentsOf(file);
  const verify = () => peer(["verify", publicBytes.toString("hex")], file).toString();
  assert.equal(verify(), `${"b".repeat(segments.length)} 0\n`);
  for (const segment of segments) {
    assert.ok(segment.signature.every((byte) => byte === 0));
    segment.signature.set(
      new Uint8Array(await subtle.sign(ED25519, privateKey, signingInput(segment))),
    );
  }
  assert.equal(verify(), `${"g".repeat(segments.length)} 0\n`);
});

test("both sign alike: the same bytes", async () => {
  for (const segment of segmentsOf(peer(["write", SEED.toString("hex")]))) {
    const signature = await subtle.sign(ED25519, privateKey, signingInput(segment));
    assert.deepEqual(Buffer.from(signature), Buffer.from(segment.signature));
  }
});
