// What we write, the real @ruvector/rvf-node 0.2.3 opens and answers identically; what it changes then,
// we open again.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import upstream from "@ruvector/rvf-node";
import { init, RvfStore } from "rvf-wasm";
import { scanSegments } from "../reference/container.mjs";
import { queryVector, randomSource } from "../reference/random.mjs";
import { EXPECTED, fixture } from "../reference/upstream.mjs";

const { RvfDatabase } = upstream;
const METRICS = ["l2", "inner_product", "cosine"];
const SEEDS = [1001, 2002, 3003];

let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "rvf-interop-"));
  await init();
});
after(() => rmSync(folder, { recursive: true }));

/** Writes the store to a file that upstream can open; answers its path. */
function save(store, name) {
  const path = join(folder, name);
  writeFileSync(path, store.toBytes());
  return path;
}

/** Calls `use` with upstream's database for `path` and closes it. */
function withUpstream(path, use) {
  const database = RvfDatabase.open(path);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function randomStore(dimension, count, metric, idOf = (i) => i) {
  const random = randomSource(count * 31 + dimension);
  const store = RvfStore.create(dimension, metric);
  const rows = Float32Array.from({ length: count * dimension }, () => random.float() * 2 - 1);
  store.ingest(
    rows,
    Array.from({ length: count }, (_, i) => idOf(i)),
  );
  return store;
}

/**
 * Both answer the same ids, and distances that are equal to 1e-5 relative. Sums of products that cancel
 * are compared to 1e-6 of what was summed; f32 does not tell more.
 */
function assertSameAnswers(store, database) {
  const { dimension, count } = store.status();
  for (const seed of SEEDS) {
    const query = queryVector(seed, dimension);
    const ours = store.query(query, Math.min(10, count));
    const theirs = database.query(query, Math.min(10, count));
    assert.deepEqual(
      ours.map(({ id }) => id),
      theirs.map(({ id }) => id),
    );
    ours.forEach(({ id, distance }, rank) => {
      const summed = store.get(id).reduce((sum, x, i) => sum + Math.abs(x * query[i]), 0);
      const tolerance = 1e-5 * Math.abs(distance) + 1e-6 * summed;
      const difference = Math.abs(distance - theirs[rank].distance);
      assert.ok(difference <= tolerance, `id ${id}: off by ${difference}`);
    });
  }
}

function assertOpensAlike(store, name) {
  withUpstream(save(store, name), (database) => {
    assert.equal(database.dimension(), store.dimension);
    assert.equal(database.metric(), store.metric);
    assert.equal(database.status().totalVectors, store.count);
    assertSameAnswers(store, database);
  });
}

describe("files of ours in upstream's native addon", () => {
  for (const metric of METRICS) {
    // In one dimension every cosine is 1 or -1 and rounding alone decides the order.
    for (const dimension of [metric === "cosine" ? 2 : 1, 3, 16, 97, 384, 1536]) {
      test(`${metric}, dimension ${dimension}: equal ids and distances`, () => {
        const store = randomStore(dimension, 50, metric);
        assertOpensAlike(store, `${metric}-${dimension}.rvf`);
        store.close();
      });
    }
  }

  test("ids up to 2^53 - 1 come back as they were", () => {
    const store = randomStore(4, 40, "l2", (i) => Number.MAX_SAFE_INTEGER - 3 ** i * (i < 33));
    store.delete(Number.MAX_SAFE_INTEGER);
    assertOpensAlike(store, "ids.rvf");
    store.close();
  });

  test("deleted and replaced vectors stay deleted and replaced", () => {
    const store = randomStore(8, 60, "l2");
    store.delete([0, 5, 59]);
    store.ingest(new Float32Array(8).fill(0.5), 7);
    store.ingest(new Float32Array(8).fill(0.25), 5); // live again
    assertOpensAlike(store, "changed.rvf");
    store.close();
  });

  test("an empty store opens empty", () => {
    const store = RvfStore.create(12, "cosine");
    withUpstream(save(store, "empty.rvf"), (database) => {
      assert.equal(database.status().totalVectors, 0);
      assert.equal(database.metric(), "cosine");
      assert.deepEqual(database.query(new Float32Array(12).fill(1), 3), []);
    });
    store.close();
  });

  test("70,000 vectors are all there", () => {
    const store = randomStore(2, 70_000, "l2");
    withUpstream(save(store, "many.rvf"), (database) => {
      assert.equal(database.status().totalVectors, 70_000);
    });
    store.close();
  });

  test("the file id is ours and not zero", () => {
    const store = RvfStore.create(2);
    withUpstream(save(store, "id.rvf"), (database) => {
      assert.notEqual(database.fileId(), "0".repeat(32));
      assert.equal(database.lineageDepth(), 0);
    });
    store.close();
  });
});

describe("files of upstream, opened and written by us", () => {
  const names = Object.entries(EXPECTED.files)
    .filter(([name, { upstream: answer }]) => answer.open === "ok" && /^(made|[a-z]+_)/.test(name))
    .filter(([, { upstream: answer }]) => answer.live_vectors > 0)
    .map(([name]) => name)
    .filter(
      (name) => !/^(crafted|damaged|made_branch|made_odd_values|made_manifest_over)/.test(name),
    );

  test("there are many of them", () => assert.ok(names.length > 30, `${names.length}`));

  for (const name of names) {
    test(`${name} keeps vectors, identity and every other segment`, () => {
      const store = RvfStore.open(fixture(name));
      const recorded = EXPECTED.files[name].upstream;
      withUpstream(save(store, `again-${name}`), (database) => {
        assert.equal(database.fileId(), recorded.file_id);
        assert.equal(database.parentId(), recorded.parent_id);
        assert.equal(database.status().currentEpoch, recorded.epoch);
        assert.equal(database.status().profileId, recorded.profile_id);
        const kept = ({ segType }) => !/^(vec|manifest|journal|index|witness)$/.test(segType);
        const scanned = EXPECTED.files[name].forward_scan.segments;
        const others = scanned.filter(({ type }) => ![1, 2, 4, 5, 10].includes(type));
        assert.deepEqual(
          database
            .segments()
            .filter(kept)
            .map((s) => s.payloadLength),
          others.map((s) => s.payload_length),
        );
        const witnesses = scanSegments(store.toBytes()).filter(({ type }) => type === 10);
        assert.deepEqual(
          witnesses.map(({ payloadLength }) => payloadLength),
          scanned.filter(({ type }) => type === 10).map((s) => s.payload_length),
        );
        for (const { seed, k, results } of recorded.queries) {
          const again = database.query(queryVector(seed, recorded.dimension), k);
          const ours = store.query(queryVector(seed, recorded.dimension), k);
          assert.deepEqual(
            again.map(({ id }) => id),
            results.map(({ id }) => id),
          );
          assert.equal(ours.length, results.length);
        }
      });
      store.close();
    });
  }

  test("an embedded kernel is extracted unchanged from the file that we wrote", () => {
    const path = join(folder, "kernel.rvf");
    writeFileSync(path, fixture("made_kernel.rvf"));
    const before = withUpstream(path, (database) => database.extractKernel());
    const store = RvfStore.open(fixture("made_kernel.rvf"));
    const after = withUpstream(save(store, "kernel-again.rvf"), (database) =>
      database.extractKernel(),
    );
    assert.ok(before.image.length > 0);
    assert.deepEqual(after, before);
    store.close();
  });
});

describe("there and back", () => {
  test("upstream's changes to our file are in what we open next", () => {
    const store = randomStore(6, 30, "inner_product");
    const path = save(store, "back.rvf");
    withUpstream(path, (database) => {
      database.ingestBatch(new Float32Array([9, 8, 7, 6, 5, 4]), [1000]);
      database.delete([3, 4]);
    });
    const reopened = RvfStore.open(readFileSync(path));
    assert.equal(reopened.metric, "inner_product");
    assert.equal(reopened.count, 29);
    assert.deepEqual([...reopened.get(1000)], [9, 8, 7, 6, 5, 4]);
    assert.equal(reopened.get(3), undefined);
    assert.deepEqual(reopened.warnings, []);
    withUpstream(path, (database) => assertSameAnswers(reopened, database));
    store.close();
    reopened.close();
  });
});
