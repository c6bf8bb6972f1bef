// The tile microkernel through the package: distances, top-K, checksum, and its refusals.

import { equal, near, ok, throws } from "./assert.mjs";
import { distance, fromHalf, randomVector, toHalf } from "./reference.mjs";

const halves = (vector) => Uint16Array.from(vector, toHalf);
const widen = (bits) => Float32Array.from(bits, fromHalf);

/** A tile with a Core profile and room for `k` results, and the places that the tests use. */
async function tile(api, { profile = 1, metric = 0, k = 16 } = {}) {
  const kernel = await api.loadKernel();
  const { message, block } = api.TileMemory;
  const config = new Uint8Array(64);
  config.set([profile, metric, k]);
  kernel.check(kernel.exports.rvf_init(kernel.write(message, config)));
  return { kernel, message, block, rvf: kernel.exports };
}

const metricCodes = { l2: 0, inner_product: 1, cosine: 2 };

export const kernel = {
  "crc32c of the check string": async ({ api }) => {
    const { kernel, rvf, block } = await tile(api);
    const text = new TextEncoder().encode("123456789");
    equal(rvf.rvf_crc32c(kernel.write(block, text), text.length) >>> 0, 0xe3069283);
    equal(rvf.rvf_crc32c(block, 0), 0);
  },

  "f16 distances against double precision": async ({ api }) => {
    for (const dimension of [1, 3, 8, 17, 100, 384]) {
      const { kernel, rvf, block, message } = await tile(api);
      const query = halves(randomVector(99, dimension));
      const rows = Array.from({ length: 20 }, (_, i) => halves(randomVector(i + 1, dimension)));
      kernel.check(rvf.rvf_load_query(kernel.write(message, query), dimension));
      for (const [i, row] of rows.entries()) kernel.write(block + i * row.byteLength, row);
      kernel.check(rvf.rvf_load_block(block, rows.length, 0));
      for (const [metric, code] of Object.entries(metricCodes)) {
        equal(rvf.rvf_distances(code, message), rows.length);
        const found = new Float32Array(kernel.read(message, rows.length * 4).buffer);
        for (const [i, row] of rows.entries()) {
          near(
            found[i],
            distance[metric](widen(query), widen(row)),
            1e-5,
            `${metric} ${dimension}`,
          );
        }
      }
    }
  },

  "f32 and i8 distances": async ({ api }) => {
    const { kernel, rvf, block, message } = await tile(api);
    kernel.check(rvf.rvf_load_query(kernel.write(message, halves([1, 2, 3])), 3));
    kernel.write(block, new Float32Array([1, 2, 3, 4, 5, 6]));
    kernel.check(rvf.rvf_load_block(block, 2, 2));
    equal(rvf.rvf_distances(0, message), 2);
    equal([...new Float32Array(kernel.read(message, 8).buffer)], [0, 27]);
    kernel.write(block, new Int8Array([1, 2, 3, -1, -2, -3]));
    kernel.check(rvf.rvf_load_block(block, 2, 1));
    equal(rvf.rvf_distances(0, message), 2);
    equal([...new Float32Array(kernel.read(message, 8).buffer)], [0, 56]);
  },

  "top-K keeps the nearest, ties by id": async ({ api }) => {
    const { kernel, rvf, message, block } = await tile(api);
    kernel.check(rvf.rvf_load_query(kernel.write(message, halves([0])), 1));
    const merge = (pairs) => {
      kernel.write(
        block,
        Float32Array.from(pairs, ([d]) => d),
      );
      kernel.write(
        block + 4096,
        BigUint64Array.from(pairs, ([, id]) => BigInt(id)),
      );
      kernel.check(rvf.rvf_topk_merge(block, block + 4096, pairs.length, 4));
    };
    merge([
      [5, 50],
      [1, 10],
      [NaN, 1],
      [3, 31],
      [3, 30],
    ]);
    merge([
      [2, 2n ** 63n],
      [9, 90],
      [1, 10],
    ]);
    equal(rvf.rvf_topk_read(message), 4);
    const view = new DataView(kernel.read(message, 48).buffer);
    const entries = Array.from({ length: 4 }, (_, i) => [
      view.getBigUint64(i * 12, true),
      view.getFloat32(i * 12 + 8, true),
    ]);
    equal(entries, [
      [10n, 1],
      [2n ** 63n, 2],
      [30n, 3],
      [31n, 3],
    ]);
  },

  "statuses become errors, and the tile lives on": async ({ api }) => {
    const { kernel, rvf, message, block } = await tile(api);
    const refuse = (codeName, status) => throws(api, codeName, () => kernel.check(status));
    await refuse("TileInvalidMessage", rvf.rvf_load_block(block, 1, 0));
    await refuse("InvalidPointer", rvf.rvf_load_query(0x4000, 8));
    await refuse("DimensionMismatch", rvf.rvf_load_query(block, 769));
    kernel.check(rvf.rvf_load_query(block, 385)); // for i8 only
    await refuse("DimensionMismatch", rvf.rvf_load_block(block, 1, 0));
    kernel.check(rvf.rvf_load_query(block, 384));
    await refuse("TileUnsupported", rvf.rvf_load_block(block, 1, 9));
    await refuse("TileOutOfMemory", rvf.rvf_load_block(block, 81, 0));
    await refuse("InvalidMagic", rvf.rvf_verify_header(message));
    kernel.check(rvf.rvf_load_block(block, 80, 0));
  },

  "tiles are apart and their memory does not grow": async ({ api }) => {
    const [a, b] = [await api.loadKernel(), await api.loadKernel()];
    a.memory[0x400] = 7;
    equal([b.memory[0x400], a.memory.length], [0, 131_072]);
    let grown = true;
    try {
      a.exports.memory.grow(1);
    } catch {
      grown = false;
    }
    ok(!grown && a.memory[0x400] === 7, "memory is fixed");
  },

  "headers of real segments verify": async ({ api, fixture }) => {
    const { kernel, rvf, block } = await tile(api);
    const file = await fixture("made_metric_l2.rvf");
    equal(rvf.rvf_verify_header(kernel.write(block, file.subarray(0, 64))), 0);
    kernel.memory[block + 4] = 2;
    await throws(api, "InvalidVersion", () => kernel.check(rvf.rvf_verify_header(block)));
  },
};
