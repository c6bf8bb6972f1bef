// Signing and verifying segments. The module says which bytes a signature is made of; making and
// checking it is the host's: WebCrypto for Ed25519, and whatever the caller has for others.

import type { ControlExports } from "./abi.js";
import { invalid, toBytes } from "./bytes.js";
import { discard, makeCommit, toChanges } from "./commit.js";
import { check, RvfError, RvfErrorCode } from "./errors.js";
import { segmentHeaderBytes, segmentsAt } from "./inspect.js";
import { copyIn, copyOut, withCopies, withScratch } from "./memory.js";
import { control } from "./module.js";
import type { Pending, Session } from "./session.js";
import { signatureKind, signatureOffset } from "./signature_kinds.js";
import type {
  Changes,
  ChangesOptions,
  SegmentInfo,
  SignatureCheck,
  SignatureVerifier,
  Signer,
} from "./types.js";

const signingInputBytes = 94;
const inspectBytes = 48;

/** The bytes that a signature of `segment` is made of, of a file at `address`. */
function signingInput(
  wasm: ControlExports,
  address: number,
  segment: SegmentInfo,
  out: number,
): Uint8Array<ArrayBuffer> {
  const size = segmentHeaderBytes + segment.size;
  check(wasm.rvf_signing_input(address + segment.offset, size, out));
  return copyOut(wasm, out, signingInputBytes);
}

interface ToSign {
  /** Where the signature goes, from the beginning of the commit. */
  readonly at: number;
  readonly message: Uint8Array<ArrayBuffer>;
}

/** What is to be signed in a commit: segments with room for a signature that is all zeros. */
function unsignedSegments(wasm: ControlExports, { address, size }: Pending): ToSign[] {
  return withScratch(wasm, [Math.max(signingInputBytes, inspectBytes)], (out) =>
    segmentsAt(wasm, address, size, out)
      .filter(({ signature }) => signature?.bytes.every((byte) => byte === 0))
      .map((segment) => ({
        at: segment.offset + segmentHeaderBytes + segment.size + signatureOffset,
        message: signingInput(wasm, address, segment, out),
      })),
  );
}

/** Signs messages one after the other; answers the signatures. */
async function signAll(signer: Signer, messages: readonly ToSign[]): Promise<Uint8Array[]> {
  const { size } = signatureKind(signer.algorithm);
  const signatures: Uint8Array[] = [];
  for (const { message } of messages) {
    const signature = toBytes(await signer.sign(message), "bytes of a signature");
    if (signature.length !== size) {
      throw invalid(
        `The signature has ${signature.length} bytes, but those of ${signer.algorithm} have ${size}.`,
      );
    }
    signatures.push(signature.slice());
  }
  return signatures;
}

/** What RvfStore.signedChanges does. */
export async function signedChanges(
  session: Session,
  signer: Signer,
  options: ChangesOptions,
): Promise<Changes | undefined> {
  const { wasm } = session;
  const { code } = signatureKind(signer?.algorithm);
  if (typeof signer.sign !== "function") throw invalid("The signer has no function `sign`.");
  const pending = makeCommit(session, options, code);
  if (pending === undefined) return undefined;
  try {
    const toSign = unsignedSegments(wasm, pending);
    const signatures = await signAll(signer, toSign);
    if (session.pending !== pending) {
      throw new RvfError(
        RvfErrorCode.CommitPending,
        "The commit was acknowledged or discarded while it was signed; await signedChanges first.",
      );
    }
    for (const [i, signature] of signatures.entries()) {
      copyIn(wasm, pending.address + (toSign[i] as ToSign).at, signature);
    }
    return toChanges(session, pending);
  } catch (error) {
    if (session.pending === pending) discard(session);
    throw error;
  }
}

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle;
  if (found) return found;
  throw invalid(
    "There is no WebCrypto here; serve the page by HTTPS, or pass a signer of your own.",
  );
}

/**
 * A signer by WebCrypto.
 *
 * @param privateKey an Ed25519 key that may sign
 */
export function ed25519Signer(privateKey: CryptoKey): Signer {
  return {
    algorithm: "ed25519",
    sign: async (message) => new Uint8Array(await subtle().sign("Ed25519", privateKey, message)),
  };
}

/**
 * A verifier by WebCrypto.
 *
 * @param publicKey an Ed25519 key that may verify, or its 32 bytes
 */
export function ed25519Verifier(publicKey: CryptoKey | Uint8Array): SignatureVerifier {
  let key: Promise<CryptoKey> | undefined;
  const load = async () =>
    publicKey instanceof Uint8Array
      ? subtle().importKey("raw", publicKey.slice(), "Ed25519", false, ["verify"])
      : publicKey;
  return {
    algorithm: "ed25519",
    verify: async (signature, message) => {
      key ??= load();
      return subtle().verify("Ed25519", await key, signature, message);
    },
  };
}

/**
 * Checks the signature behind every segment of a file.
 *
 * @param verifiers one, or many: a signature is good when one of its algorithm says so
 * @returns an entry per segment, in the order of the file. That segments are missing, or that the last
 *   commits are, no signature tells.
 * @throws {RvfError} InvalidArgument, OutOfMemory, BackendInitFailed; and what a verifier throws
 */
export async function verifySignatures(
  bytes: Uint8Array | ArrayBuffer,
  verifiers: SignatureVerifier | readonly SignatureVerifier[],
): Promise<SignatureCheck[]> {
  const file = toBytes(bytes, "bytes to verify");
  const all = "algorithm" in verifiers ? [verifiers] : verifiers;
  const wasm = control();
  const room = Math.max(signingInputBytes, inspectBytes);
  const found = withCopies(wasm, [file], [room], (address, out) =>
    segmentsAt(wasm, address, file.length, out).map((segment) => ({
      segment,
      message: segment.signature ? signingInput(wasm, address, segment, out) : undefined,
    })),
  );
  const checks: SignatureCheck[] = [];
  for (const { segment, message } of found) {
    const { offset, type, typeName, id, signature } = segment;
    const usable = all.filter(({ algorithm }) => algorithm === signature?.algorithm);
    let state: SignatureCheck["signature"] = "absent";
    if (signature && message) {
      state = usable.length > 0 ? "bad" : "unchecked";
      for (const { verify } of usable) {
        if (await verify(signature.bytes, message)) state = "good";
      }
    }
    const algorithm = signature ? { algorithm: signature.algorithm } : {};
    checks.push({ offset, type, typeName, id, ...algorithm, signature: state });
  }
  return checks;
}
