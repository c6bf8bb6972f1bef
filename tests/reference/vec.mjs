import { viewOf } from "./container.mjs";

const PREFIX = 6;

/**
 * The records of a VEC payload: the runtime layout of section "Vectors" if its dimension is the
 * manifest's, else the rvf-wasm layout of section "Vectors" if its size equation holds exactly.
 * @param {Uint8Array} payload
 * @param {number} dimension of the manifest
 * @returns {[bigint, Float32Array][] | string} rows in file order, or why the payload gives none
 */
export function readVec(payload, dimension) {
  if (payload.length < PREFIX) {
    return "payload shorter than its prefix";
  }
  const view = viewOf(payload);
  const runtime = { dimension: view.getUint16(0, true), count: view.getUint32(2, true) };
  const wasm = { dimension: view.getUint32(2, true), count: view.getUint16(0, true) };
  if (runtime.dimension === dimension && sizeOf(runtime) <= payload.length) {
    return records(view, runtime);
  }
  if (wasm.dimension === dimension && sizeOf(wasm) === payload.length) {
    return records(view, wasm);
  }
  if (runtime.dimension !== dimension) {
    return `dimension ${runtime.dimension}, the manifest says ${dimension}`;
  }
  return `${runtime.count} records do not fit ${payload.length} bytes`;
}

/**
 * The records of a VEC payload in the rvf-wasm layout only, section "Vectors".
 * @param {Uint8Array} payload
 * @param {number} dimension of the manifest
 * @returns {[bigint, Float32Array][] | null} null when the size equation does not hold
 */
export function readWasmVec(payload, dimension) {
  if (payload.length < PREFIX) {
    return null;
  }
  const view = viewOf(payload);
  const shape = { dimension: view.getUint32(2, true), count: view.getUint16(0, true) };
  const matches = shape.dimension === dimension && sizeOf(shape) === payload.length;
  return matches ? records(view, shape) : null;
}

/**
 * A VEC payload in the runtime layout, section "Vectors".
 * @param {number} dimension
 * @param {Iterable<[bigint | number, ArrayLike<number>]>} rows id and `dimension` values each
 * @returns {Uint8Array}
 */
export function vecPayload(dimension, rows) {
  const list = [...rows];
  const payload = new Uint8Array(sizeOf({ dimension, count: list.length }));
  const view = viewOf(payload);
  view.setUint16(0, dimension, true);
  view.setUint32(2, list.length, true);
  let at = PREFIX;
  for (const [id, values] of list) {
    if (values.length !== dimension) {
      throw new RangeError(`row ${id} has ${values.length} values, not ${dimension}`);
    }
    view.setBigUint64(at, BigInt.asUintN(64, BigInt(id)), true);
    for (let i = 0; i < dimension; i++) {
      view.setFloat32(at + 8 + 4 * i, values[i], true);
    }
    at += 8 + 4 * dimension;
  }
  return payload;
}

function sizeOf({ dimension, count }) {
  return PREFIX + count * (8 + 4 * dimension);
}

function records(view, { dimension, count }) {
  const stride = 8 + 4 * dimension;
  return Array.from({ length: count }, (_, row) => {
    const at = PREFIX + row * stride;
    const values = Float32Array.from({ length: dimension }, (__, i) =>
      view.getFloat32(at + 8 + 4 * i, true),
    );
    return [view.getBigUint64(at, true), values];
  });
}
