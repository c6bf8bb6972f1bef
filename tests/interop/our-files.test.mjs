// Files that our commits made, one operation at a time: the real rvf-node opens each of them, counts as
// many vectors, and answers with the same ids and distances.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { hex } from "../reference/container.mjs";
import { randomSource } from "../reference/random.mjs";
import { SEGMENT } from "../wasm/control.mjs";
import { entries, filter, OPERATOR, STRING_ID, VALUE } from "../wasm/entries.mjs";
import { dashboard, ebpf, kernel, wasm } from "./containers.mjs";
import {
  assertOpensUpstream,
  control,
  fileId,
  folder,
  gridVector,
  METRICS,
  OurFile,
  withUpstream,
} from "./support.mjs";

const pathOf = folder();

/** A store of ours with a model of what is live in it. */
function made(name, { dimension = 8, metric = 0 } = {}) {
  const file = OurFile.create(pathOf(name), dimension, metric);
  const random = randomSource(name.length * 7919 + dimension);
  const rows = new Map();
  const add = (...ids) => {
    const added = ids.map((id) => [BigInt(id), gridVector(random, dimension)]);
    for (const [id, vector] of added) rows.set(id, vector);
    return added;
  };
  return { file, random, rows, add };
}

const upTo = (count, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe("commits", () => {
  for (const metric of [0, 1, 2]) {
    for (const dimension of [metric === 2 ? 2 : 1, 3, 97, 384, 1536]) {
      test(`${METRICS[metric]}, dimension ${dimension}: three of ten vectors`, () => {
        const { file, rows, add } = made(`${metric}-${dimension}.rvf`, { dimension, metric });
        for (const from of [0, 10, 20]) {
          file.ingest(add(...upTo(10, from)));
          file.commit();
        }
        assertOpensUpstream(file, rows, 11);
      });
    }
  }

  test("an empty store", () => {
    const { file, rows } = made("empty.rvf");
    file.commit();
    assertOpensUpstream(file, rows, 12);
  });

  test("200 of one vector each, of which merges leave few layers", () => {
    const { file, rows, add } = made("merged.rvf");
    for (let id = 0; id < 200; id++) {
      file.ingest(add(id));
      file.commit();
      if (id % 17 === 0) assertOpensUpstream(file, rows, id + 1);
    }
    assert.ok(control.state(file.handle).layers < 24, `${control.state(file.handle).layers}`);
    assertOpensUpstream(file, rows, 13);
  });

  test("vectors that replace those of earlier commits", () => {
    const { file, rows, add } = made("replaced.rvf");
    file.ingest(add(...upTo(40)));
    file.commit();
    file.ingest(add(3, 39, 40));
    file.commit();
    assertOpensUpstream(file, rows, 14);
  });

  test("ids up to 2^53 - 1", () => {
    const { file, rows, add } = made("ids.rvf");
    file.ingest(add(...upTo(34).map((i) => Number.MAX_SAFE_INTEGER - 3 ** i * (i < 33))));
    file.commit();
    assertOpensUpstream(file, rows, 15);
  });

  test("what was discarded is in the next one", () => {
    const { file, rows, add } = made("discarded.rvf");
    file.ingest(add(...upTo(5)));
    file.commit();
    file.ingest(add(5, 6));
    assert.equal(control.commit(file.handle).status, 1);
    assert.equal(control.discard(file.handle), 0);
    file.ingest(add(7));
    file.commit();
    assertOpensUpstream(file, rows, 16);
  });

  test("a write that was interrupted is cut away by the next one", () => {
    const { file, rows, add } = made("torn.rvf");
    file.ingest(add(...upTo(5)));
    file.commit();
    const committed = file.bytes.length;
    appendFileSync(file.path, new Uint8Array(1000).fill(0x53));
    file.reopen();
    file.ingest(add(5));
    assert.equal(file.commit().offset, committed);
    assertOpensUpstream(file, rows, 17);
  });
});

describe("deletions", () => {
  test("by id, in a commit of their own", () => {
    const { file, rows, add } = made("deleted.rvf");
    file.ingest(add(...upTo(30)));
    file.commit();
    assert.equal(file.delete([0, 7, 29, 1000]), 3);
    for (const id of [0n, 7n, 29n]) rows.delete(id);
    file.commit();
    assertOpensUpstream(file, rows, 21);
  });

  test("an id that is ingested again after its deletion is live", () => {
    const { file, rows, add } = made("again.rvf");
    file.ingest(add(...upTo(10)));
    file.commit();
    file.delete([4]);
    file.commit();
    file.ingest(add(4));
    file.commit();
    assertOpensUpstream(file, rows, 22);
  });

  test("of all vectors", () => {
    const { file, rows, add } = made("all-deleted.rvf");
    file.ingest(add(...upTo(10)));
    file.commit();
    file.delete(upTo(10));
    rows.clear();
    file.commit();
    assertOpensUpstream(file, rows, 23);
  });

  test("by filter", () => {
    const { file, rows, add } = made("filtered.rvf");
    const numbered = add(...upTo(20)).map(([id, vector]) => [
      id,
      vector,
      entries([[1, [VALUE.U64, id % 4n]]]),
    ]);
    file.upsert(numbered);
    file.commit();
    const one = filter(OPERATOR.EQUAL, 1, [VALUE.U64, 1]);
    assert.equal(control.deleteWhere(file.handle, one), 5);
    for (const id of [1n, 5n, 9n, 13n, 17n]) rows.delete(id);
    file.commit();
    assertOpensUpstream(file, rows, 24);
  });
});

describe("metadata", () => {
  const described = (id) =>
    entries([
      [0, [VALUE.STRING, `row ${id}`]],
      [1, [VALUE.F64, Number(id) / 3]],
      [2, [VALUE.BOOL, id % 2n === 0n]],
      [3, [VALUE.BYTES, [1, 2, 3]]],
      [4, [VALUE.I64, -id]],
      [STRING_ID, [VALUE.STRING, `uuid-${id}`]],
    ]);

  test("of every type and ids as text lie in segments that upstream passes over", () => {
    const { file, rows, add } = made("described.rvf");
    for (const from of [0, 10, 20]) {
      file.upsert(add(...upTo(10, from)).map(([id, vector]) => [id, vector, described(id)]));
      file.commit();
    }
    assertOpensUpstream(file, rows, 31);
    withUpstream(file.path, (database) => {
      const types = database.segments().map(({ segType }) => segType);
      assert.equal(types.filter((type) => type === "meta").length, 3);
    });
  });

  test("alone changes no answer", () => {
    const { file, rows, add } = made("described-later.rvf");
    file.ingest(add(...upTo(10)));
    file.commit();
    assert.equal(control.setMetadata(file.handle, 3, described(3n)), 1);
    assert.equal(
      control.setMetadata(file.handle, null, entries([[0, [VALUE.STRING, "title"]]])),
      1,
    );
    file.commit();
    assertOpensUpstream(file, rows, 32);
  });
});

describe("containers", () => {
  const random = randomSource(40);
  const images = [random.bytes(500), random.bytes(77)];
  const programs = [random.bytes(64), random.bytes(8)];
  const types = random.bytes(12);

  /** A file with two containers of each kind and two of a type that nobody knows. */
  function filled(name) {
    const store = made(name);
    const { file, add } = store;
    file.ingest(add(...upTo(10)));
    for (const i of [0, 1]) {
      file.embed(SEGMENT.KERNEL, kernel(images[i], `console=ttyS${i}`));
      file.embed(SEGMENT.EBPF, ebpf(programs[i], types));
      file.embed(SEGMENT.WASM, wasm(random.bytes(90), i, i));
      file.embed(SEGMENT.DASHBOARD, dashboard(random.bytes(33)));
      file.embed(0xf2, random.bytes(5));
      file.commit();
    }
    return store;
  }

  /** Upstream extracts the first kernel, command line behind it, and the first program. */
  function assertExtracted(file) {
    const text = new TextEncoder().encode("console=ttyS0");
    withUpstream(file.path, (database) => {
      assert.equal(hex(database.extractKernel().image), hex(images[0]) + hex(text));
      assert.equal(hex(database.extractEbpf().payload), hex(programs[0]) + hex(types));
      const others = database.segments().filter(({ segType }) => segType.startsWith("unknown"));
      assert.deepEqual(
        others.map(({ segType, payloadLength }) => [segType, payloadLength]),
        [0, 1].flatMap(() => [
          ["unknown(0x10)", 154],
          ["unknown(0x11)", 97],
          ["unknown(0xF2)", 5],
        ]),
      );
    });
  }

  test("several of each kind are extracted and listed", () => {
    const { file, rows } = filled("containers.rvf");
    assertOpensUpstream(file, rows, 41);
    assertExtracted(file);
  });

  test("so they are after a compaction", () => {
    const { file, rows } = filled("containers-compacted.rvf");
    file.commit({ compacts: true });
    assertOpensUpstream(file, rows, 42);
    assertExtracted(file);
  });

  test("so they are in an export", () => {
    const { file, rows } = filled("containers-exported.rvf");
    const path = pathOf("containers-export.rvf");
    writeFileSync(path, control.export(file.handle).bytes);
    const exported = OurFile.open(path);
    assertOpensUpstream(exported, rows, 43);
    assertExtracted(exported);
  });
});

describe("files written anew", () => {
  test("compaction leaves no deleted vector, and commits go on behind it", () => {
    const { file, rows, add } = made("compacted.rvf");
    for (const from of [0, 10, 20]) {
      file.ingest(add(...upTo(10, from)));
      file.commit();
    }
    file.delete([1, 2, 25]);
    for (const id of [1n, 2n, 25n]) rows.delete(id);
    file.commit({ compacts: true });
    assertOpensUpstream(file, rows, 51);
    withUpstream(file.path, (database) => {
      assert.equal(database.status().deadSpaceRatio, 0);
      assert.equal(database.segments().filter(({ segType }) => segType === "vec").length, 1);
    });
    file.ingest(add(1, 30));
    file.commit();
    assertOpensUpstream(file, rows, 52);
  });

  test("an export holds what was not committed, too", () => {
    const { file, rows, add } = made("exported.rvf");
    file.ingest(add(...upTo(20)));
    file.commit();
    file.ingest(add(20, 5));
    file.delete([6]);
    rows.delete(6n);
    writeFileSync(pathOf("export.rvf"), control.export(file.handle).bytes);
    assertOpensUpstream(OurFile.open(pathOf("export.rvf")), rows, 53);
  });
});

describe("lineage", () => {
  test("a derived child names its parent, begins empty, and takes vectors", () => {
    const { file, add } = made("parent.rvf", { metric: 1 });
    file.ingest(add(...upTo(10)));
    file.commit();
    const handle = control.derive(file.handle, 1, fileId(), file.bytes);
    writeFileSync(pathOf("derived.rvf"), "");
    const child = new OurFile(pathOf("derived.rvf"), handle);
    child.commit();
    assertOpensUpstream(child, new Map(), 61);
    const { rows, add: addToChild } = made("unused.rvf");
    child.ingest(addToChild(...upTo(5)));
    child.commit();
    assertOpensUpstream(child, rows, 62);
    withUpstream(child.path, (database) => {
      assert.equal(database.parentId(), hex(control.lineage(file.handle).fileId));
      assert.equal(database.lineageDepth(), 1);
    });
  });

  test("a frozen store opens", () => {
    const { file, rows, add } = made("frozen.rvf");
    file.ingest(add(...upTo(10)));
    file.commit();
    assert.equal(control.freeze(file.handle), 0);
    file.commit();
    assertOpensUpstream(file, rows, 63);
  });
});

describe("signed files", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const signed = { sign: (input) => sign(null, input, privateKey) };

  test("a footer of 72 bytes behind every segment disturbs no answer", () => {
    const { file, rows, add } = made("signed.rvf");
    for (const from of [0, 10, 20]) {
      file.ingest(add(...upTo(10, from)));
      file.embed(SEGMENT.KERNEL, kernel(Uint8Array.of(from, 1, 2)));
      file.commit(signed);
      file.delete([from]);
      rows.delete(BigInt(from));
      file.commit(signed);
      assertOpensUpstream(file, rows, 71 + from);
    }
    const segments = control.inspect(file.bytes);
    assert.deepEqual([...new Set(segments.map(({ footerSize }) => footerSize))], [72]);
    withUpstream(file.path, (database) => {
      assert.equal(hex(database.extractKernel().image), "000102");
    });
  });

  test("its signatures hold after a commit without any, a compaction and reopening", () => {
    const { file, rows, add } = made("signed-compacted.rvf");
    file.ingest(add(...upTo(20)));
    file.embed(SEGMENT.KERNEL, kernel(Uint8Array.of(9, 9)));
    file.commit(signed);
    file.ingest(add(20));
    file.commit();
    file.reopen();
    file.commit({ ...signed, compacts: true });
    assertOpensUpstream(file, rows, 74);
    const { bytes } = file;
    const holds = control.inspect(bytes).map(({ offset, payloadLength, footerSize }) => {
      const end = offset + 64 + payloadLength;
      const input = control.signingInput(bytes.subarray(offset, end)).bytes;
      return footerSize === 72 && verify(null, input, publicKey, bytes.subarray(end + 4, end + 68));
    });
    const unsigned = holds.filter((good) => !good).length;
    assert.equal(
      unsigned,
      1,
      "the witness of the commit without signatures is carried on as it is",
    );
    assert.ok(holds.length >= 6);
  });
});
