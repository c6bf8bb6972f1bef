// The control module's memory: allocation, its limits, and what is left when there is none.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeRvf } from "../reference/format.mjs";
import { randomSource } from "../reference/random.mjs";
import { fixture } from "../reference/upstream.mjs";
import { bytesOf, Control, METRIC } from "./control.mjs";
import { STATUS } from "./status.mjs";

const PAGE = 65_536;
const MOST_PAGES = 65_536;
const FOREVER = 2 ** 32 - 1;

/** A file of `count` random vectors of 32 dimensions. */
function someFile(count = 100) {
  const random = randomSource(9);
  const rows = Array.from({ length: count }, (_, i) => [i, random.floats(32)]);
  return writeRvf({ dimension: 32, rows });
}

/** Blocks of memory in use must be inside memory, aligned to 16, and apart. */
function assertApart(control, blocks) {
  const sorted = blocks.toSorted((a, b) => a.address - b.address);
  sorted.forEach(({ address, size }, i) => {
    assert.equal(address % 16, 0);
    const next = sorted[i + 1]?.address ?? control.size;
    assert.ok(address + size <= next, `${size} bytes at ${address} reach to ${next}`);
  });
}

describe("rvf_alloc", () => {
  test("gives blocks that are aligned to 16 and apart, of every size to 1,000", () => {
    const control = new Control();
    const blocks = Array.from({ length: 1000 }, (_, i) => ({
      address: control.alloc(i + 1),
      size: i + 1,
    }));
    assertApart(control, blocks);
  });

  test("answers 0 for 0 bytes and for what memory cannot hold", () => {
    const control = new Control();
    const { size } = control;
    for (const bytes of [0, 2 ** 32 - 1, 2 ** 32 - 65_536, -1]) {
      assert.equal(control.alloc(bytes), 0, `${bytes} bytes`);
    }
    assert.equal(control.size, size);
  });

  test("keeps what is written, through 20,000 random allocations and frees", () => {
    const control = new Control();
    const random = randomSource(12);
    const blocks = [];
    for (let i = 0; i < 20_000; i++) {
      if (blocks.length > 60 || (blocks.length > 0 && random.int(0, 2) === 0)) {
        const [{ address, size, mark }] = blocks.splice(random.int(0, blocks.length - 1), 1);
        const bytes = control.bytes.subarray(address, address + size);
        assert.ok(bytes[0] === mark && bytes[size - 1] === mark && bytes[size >> 1] === mark);
        control.free(address, size);
      } else {
        const size = random.int(1, 2 ** random.int(1, 16));
        const mark = random.int(1, 255);
        const address = control.alloc(size);
        control.bytes.fill(mark, address, address + size);
        blocks.push({ address, size, mark });
      }
      if (i % 100 === 0) assertApart(control, blocks);
    }
    assert.ok(control.size < 8 * 2 ** 20, `${control.size} bytes for at most 60 blocks`);
  });

  test("uses again what was freed: a thousand rounds need the memory of one", () => {
    const control = new Control();
    const round = () => {
      const sizes = [10, 100_000, 1, 5000, 300_000, 64, 17];
      const blocks = sizes.map((size) => [control.alloc(size), size]);
      for (const [address, size] of blocks.reverse()) control.free(address, size);
    };
    round();
    const { size } = control;
    for (let i = 0; i < 1000; i++) round();
    assert.equal(control.size, size);
  });

  test("freed neighbours become one block, in whatever order they were freed", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
    ]) {
      const control = new Control();
      const size = 2 ** 20;
      const blocks = [0, 1, 2].map(() => control.alloc(size));
      const before = control.size;
      for (const i of order) control.free(blocks[i], size);
      assert.notEqual(control.alloc(3 * size), 0);
      assert.equal(control.size, before, `freed in the order ${order}`);
    }
  });
});

describe("rvf_free", () => {
  test("ignores every pointer that rvf_alloc did not answer", () => {
    const control = new Control();
    const size = 1000;
    const blocks = Array.from({ length: 5 }, () => ({ address: control.alloc(size), size }));
    const middle = blocks[2].address;
    control.bytes.fill(0x55, middle, middle + size);
    const foreign = [0, 1, 15, 16, 17, 1024, 30_000, control.size, control.size - 16, FOREVER];
    for (let offset = -40; offset < size; offset++) {
      if (offset !== 0) foreign.push(middle + offset);
    }
    for (const pointer of [...foreign, 0x80000000, 0xfffffff0]) {
      control.free(pointer, size);
      control.free(pointer, 16);
    }
    for (let i = 0; i < 50; i++) blocks.push({ address: control.alloc(40), size: 40 });
    assertApart(control, blocks);
    assert.ok(control.read(middle, size).every((byte) => byte === 0x55));
  });

  test("ignores a pointer that was freed already", () => {
    const control = new Control();
    const size = 1000;
    const blocks = Array.from({ length: 3 }, () => ({ address: control.alloc(size), size }));
    const [freed] = blocks.splice(1, 1);
    for (let i = 0; i < 3; i++) control.free(freed.address, size);
    for (let i = 0; i < 20; i++) blocks.push({ address: control.alloc(size), size });
    assertApart(control, blocks);
  });

  test("ignores another size", () => {
    const control = new Control();
    const size = 1000;
    const blocks = [{ address: control.alloc(size), size }];
    for (const other of [0, 1, 16, 500, 2000, FOREVER]) control.free(blocks[0].address, other);
    for (let i = 0; i < 20; i++) blocks.push({ address: control.alloc(size), size });
    assertApart(control, blocks);
  });
});

/**
 * A store with a few vectors, operands for a large ingest and room to look at the store, all
 * allocated before memory runs out.
 */
function prepared({ dimension = 64, more = 4000 } = {}) {
  const control = new Control();
  const { exports } = control;
  const random = randomSource(33);
  const handle = control.create(dimension, METRIC.L2);
  const few = 100;
  control.ingest(
    handle,
    random.floats(dimension * few),
    Array.from({ length: few }, (_, i) => i),
  );
  control.delete(handle, [3, 5, 8]);

  const vectors = control.alloc(4 * dimension * more);
  const ids = control.alloc(8 * more);
  control.bytes.set(bytesOf(random.floats(dimension * more)), vectors);
  const list = BigUint64Array.from({ length: more }, (_, i) => BigInt(i + few / 2));
  control.bytes.set(bytesOf(list), ids);

  const size = exports.rvf_store_export_size(handle);
  const file = control.alloc(size);
  const hits = control.alloc(12 * few);
  const look = () => {
    const answered = exports.rvf_store_query(handle, vectors, few, -1, hits);
    const written = exports.rvf_store_export(handle, file, size);
    return {
      count: control.count(handle),
      answer: [answered, Buffer.from(control.read(hits, 12 * few)).toString("hex")],
      file: [written, Buffer.from(control.read(file, size)).toString("hex")],
    };
  };
  const ingest = () => exports.rvf_store_ingest(handle, vectors, ids, more);
  return { control, handle, look, ingest, more, most: few / 2 - 3 + more };
}

describe("out of memory", () => {
  test("an ingest that rvf_memory_limit stops leaves the store as it was, wherever it stops", () => {
    const { control, handle, look, ingest, more, most } = prepared();
    const before = look();
    let refusals = 0;
    let limit = control.size;
    for (let status = STATUS.kOutOfMemory; status < 0; limit += PAGE) {
      control.exports.rvf_memory_limit(limit);
      status = ingest();
      assert.ok(control.size <= limit, "memory has grown above its limit");
      if (status < 0) {
        refusals++;
        assert.equal(status, STATUS.kOutOfMemory);
        assert.deepEqual(look(), before, `with a limit of ${limit} bytes`);
      } else {
        assert.equal(status, more);
      }
    }
    assert.ok(refusals >= 10, `refused only ${refusals} times`);
    assert.equal(control.count(handle), most);
  });

  test("an ingest for which memory.grow is really refused leaves the store as it was", () => {
    const { control, handle, look, ingest } = prepared();
    const before = look();
    control.memory.grow(MOST_PAGES - control.size / PAGE);
    assert.throws(() => control.memory.grow(1), RangeError);
    assert.equal(ingest(), STATUS.kOutOfMemory);
    assert.equal(ingest(), STATUS.kOutOfMemory);
    assert.deepEqual(look(), before);
    assert.equal(control.delete(handle, [1]), 1);
    assert.equal(control.ingest(handle, new Float32Array(64), [1]), 1);
    assert.equal(control.count(handle), before.count);
  });

  test("ingests that are refused again and again use no memory up", () => {
    const { control, ingest } = prepared();
    control.exports.rvf_memory_limit(control.size + 4 * PAGE);
    const refuse = (times) => {
      for (let i = 0; i < times; i++) assert.equal(ingest(), STATUS.kOutOfMemory);
    };
    const room = () => {
      const blocks = [];
      for (let at = control.alloc(4096); at; at = control.alloc(4096)) blocks.push(at);
      for (const block of blocks) control.free(block, 4096);
      return blocks.length;
    };
    refuse(2);
    const before = room();
    refuse(2); // with what room() has made memory grow by
    const after = room();
    refuse(200);
    assert.ok(before >= after && after > 0);
    assert.equal(room(), after);
  });

  test("an ingest that is refused gives back the rows that it had reserved", () => {
    const control = new Control();
    const handle = control.create(64);
    const count = 20_000; // 5 MB
    const ids = Array.from({ length: count }, (_, i) => i);
    control.ingest(handle, new Float32Array(64 * count), ids);
    const more = 40_000; // 10 MB
    const vectors = control.alloc(4 * 64 * more);
    const list = control.alloc(8 * more);
    const numbers = BigUint64Array.from({ length: more }, (_, i) => BigInt(count + i));
    control.bytes.set(bytesOf(numbers), list);
    const before = control.memoryUsage(handle).rows;
    control.exports.rvf_memory_limit(control.size); // the 5 MB of operands are free again
    const status = control.exports.rvf_store_ingest(handle, vectors, list, more);
    assert.equal(status, STATUS.kOutOfMemory);
    assert.equal(control.memoryUsage(handle).rows, before);
  });

  test("rvf_alloc answers 0, and what is smaller still fits", () => {
    const control = new Control();
    control.alloc(1);
    control.exports.rvf_memory_limit(control.size);
    assert.equal(control.alloc(control.size), 0);
    assert.notEqual(control.alloc(100), 0);
  });

  test("rvf_store_create and rvf_store_open say so and leave nothing behind", () => {
    const control = new Control();
    const file = someFile(2000);
    const at = control.alloc(file.length);
    control.bytes.set(file, at);
    const open = () => control.exports.rvf_store_open(at, file.length);
    const other = control.create(2);
    control.ingest(other, [1, 2], [1]);
    control.exports.rvf_memory_limit(control.size);
    const rest = [];
    for (let block = control.alloc(4096); block; block = control.alloc(4096)) rest.push(block);
    for (let i = 0; i < 200; i++) {
      assert.equal(control.create(65_535), STATUS.kOutOfMemory);
      assert.equal(open(), STATUS.kOutOfMemory);
    }
    assert.equal(control.alloc(4096), 0, "there was memory left after all");
    for (const block of rest) control.free(block, 4096);
    assert.deepEqual(control.query(other, [1, 2], 1).hits, [{ id: 1n, distance: 0 }]);
    control.exports.rvf_memory_limit(FOREVER);
    assert.equal(control.count(open()), 2000);
  });

  test("a limit below what is held takes nothing away", () => {
    const { control, look } = prepared();
    const before = look();
    const { size } = control;
    assert.equal(control.exports.rvf_memory_limit(0), 0);
    assert.deepEqual(look(), before);
    assert.equal(control.size, size);
  });

  test("a limit can be lifted again", () => {
    const { control, ingest, more } = prepared();
    control.exports.rvf_memory_limit(0);
    assert.equal(ingest(), STATUS.kOutOfMemory);
    control.exports.rvf_memory_limit(FOREVER);
    assert.equal(ingest(), more);
  });
});

describe("pages that the host grows by itself", () => {
  test("are never given out as blocks of the module", () => {
    const control = new Control();
    const blocks = [{ address: control.alloc(1000), size: 1000 }];
    for (let i = 0; i < 5; i++) {
      const start = control.memory.grow(3) * PAGE;
      blocks.push({ address: start, size: 3 * PAGE });
      const size = 500_000;
      blocks.push({ address: control.alloc(size), size });
    }
    assertApart(control, blocks);
  });

  test("before the first call are the module's, up to the whole 4 GiB", () => {
    for (const pages of [1, 100, MOST_PAGES - 1, MOST_PAGES]) {
      const control = new Control();
      control.memory.grow(pages - control.size / PAGE);
      const handle = control.create(2);
      assert.equal(control.ingest(handle, [1, 2], [1]), 1);
      const size = 2 ** 20;
      const first = control.alloc(size);
      const second = control.alloc(size);
      assertApart(
        control,
        [first, second].map((address) => ({ address, size })),
      );
      control.free(first, size);
      control.free(second, size);
      assert.equal(control.alloc(size), first, `a freed block is lost, with ${pages} pages`);
      assert.deepEqual(control.query(handle, [1, 2], 1).hits, [{ id: 1n, distance: 0 }]);
    }
  });
});

describe("no leak over 1,000 rounds of", () => {
  /** Memory after 1,000 rounds is what it was after a few. */
  function steady(control, round) {
    for (let i = 0; i < 5; i++) round(i);
    const { size } = control;
    for (let i = 0; i < 1000; i++) round(i);
    assert.equal(control.size, size);
  }

  test("opening, querying and closing a file", () => {
    const control = new Control();
    const file = someFile();
    const query = new Float32Array(32);
    steady(control, () => {
      const handle = control.open(file);
      assert.equal(control.query(handle, query, 10).status, 10);
      assert.equal(control.close(handle), 0);
    });
  });

  test("opening and closing files with segments that are kept", () => {
    const control = new Control();
    const files = ["made_kernel.rvf", "crafted_unknown_segments.rvf", "made_wasm_l2_20x16.rvf"];
    const all = files.map(fixture);
    steady(control, (i) => assert.equal(control.close(control.open(all[i % all.length])), 0));
  });

  test("opening files that are refused", () => {
    const control = new Control();
    const file = someFile();
    file[200] ^= 1;
    const files = [
      [file, STATUS.kInvalidChecksum],
      [new Uint8Array(100), STATUS.kManifestNotFound],
      [fixture("made_branch_child_edited.rvf"), STATUS.kParentNotFound],
      [fixture("crafted_vec_count_too_big.rvf"), STATUS.kTruncatedSegment],
    ];
    steady(control, (i) => {
      const [bytes, status] = files[i % files.length];
      assert.equal(control.open(bytes), status);
    });
  });

  test("creating, filling, changing, exporting and closing a store", () => {
    const control = new Control();
    const random = randomSource(55);
    const vectors = random.floats(50 * 16);
    const ids = Array.from({ length: 50 }, (_, i) => i * 3);
    steady(control, () => {
      const handle = control.create(16);
      control.ingest(handle, vectors, ids);
      control.delete(handle, ids.slice(10, 30));
      control.ingest(handle, vectors.subarray(0, 320), ids.slice(20, 40));
      assert.ok(control.export(handle).status > 0);
      control.close(handle);
    });
  });

  test("ingesting and deleting in one store", () => {
    const control = new Control();
    const handle = control.create(16);
    const vectors = new Float32Array(16 * 200);
    const ids = Array.from({ length: 200 }, (_, i) => i);
    steady(control, (i) => {
      const shifted = ids.map((id) => id + 200 * i);
      assert.equal(control.ingest(handle, vectors, shifted), 200);
      assert.equal(control.delete(handle, shifted), 200);
    });
    assert.equal(control.status(handle).rows, 200);
  });
});
