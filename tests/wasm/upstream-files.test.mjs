// Every fixture against upstream's recorded answers, the rules by which we differ, and exports of what was opened.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { disagreements } from "../reference/agreement.mjs";
import { scanSegments, TYPE } from "../reference/container.mjs";
import { cosine } from "../reference/distance.mjs";
import { concat, readRvf, segment, writeRvf } from "../reference/format.mjs";
import { queryVector } from "../reference/random.mjs";
import { bruteForce } from "../reference/topk.mjs";
import { EXPECTED, fixture, NAMES } from "../reference/upstream.mjs";
import { Control, METRIC, WARNING } from "./control.mjs";
import { DIFFERENCES, RULE, WARNINGS } from "./differences.mjs";
import { exported, opened } from "./opened.mjs";

const SEEDS = [1001, 2002, 3003];

/** What opening a file gives, in the words of DIFFERENCES. */
function outcome(store) {
  const { control, handle } = store;
  if (handle < 0) return `error 0x${(-handle).toString(16).padStart(4, "0")}`;
  const { dimension, live } = control.status(handle);
  const results = SEEDS.reduce(
    (sum, seed) => sum + control.query(handle, queryVector(seed, dimension), 10).status,
    0,
  );
  const { epoch } = exported(store);
  return `epoch ${epoch}, dimension ${dimension}, ${live} live, ${results} results`;
}

function recordedOutcome(recorded) {
  if (recorded.open === "error") return `error ${recorded.error.match(/0x[0-9a-f]{4}/i)[0]}`;
  const { epoch, dimension, live_vectors: live, queries = [] } = recorded;
  const results = queries.reduce((sum, query) => sum + query.results.length, 0);
  return `epoch ${epoch}, dimension ${dimension}, ${live} live, ${results} results`;
}

/**
 * Where the store's answer and a recorded one part. Distances by result_rule of expected.json; ids
 * only where neighbouring distances can be told apart, as in agreement.mjs.
 */
function partings({ control, handle }, { seed, k, results }, metric = -1) {
  const { dimension, live, metric: stored } = control.status(handle);
  const vector = queryVector(seed, dimension);
  const ranking = control.query(handle, vector, Math.max(live, 1), metric).hits;
  const { hits } = control.query(handle, vector, k, metric);
  if (hits.length !== results.length) {
    return [`seed ${seed}: ${hits.length} results, recorded ${results.length}`];
  }
  const floor = (metric === -1 ? stored : metric) === METRIC.COSINE ? 2 ** -22 : 0;
  const close = (a, b) =>
    Number.isFinite(a) && Number.isFinite(b)
      ? Math.abs(a - b) <= 1e-5 * Math.abs(b) + floor
      : a === b;
  const byId = new Map(ranking.map(({ id, distance }) => [id, distance]));
  return results.flatMap((result, rank) => {
    const id = BigInt.asUintN(64, BigInt(result.id));
    const theirs = Number(result.distance);
    const ours = hits[rank];
    const apart = [rank - 1, rank + 1].every(
      (other) => !ranking[other] || !close(ranking[other].distance, ours.distance),
    );
    const agrees =
      close(ours.distance, theirs) &&
      close(byId.get(id) ?? Number.NaN, theirs) &&
      (!apart || id === ours.id);
    const mine = `${ours.id} at ${ours.distance}`;
    return agrees ? [] : [`seed ${seed} rank ${rank}: ${mine}, recorded ${id} at ${theirs}`];
  });
}

const allPartings = (store, queries, metric) =>
  queries.flatMap((query) => partings(store, query, metric));

const AGREEING = NAMES.filter((name) => !DIFFERENCES.some((row) => row.name === name));

describe("every fixture", () => {
  for (const name of AGREEING) {
    const recorded = EXPECTED.files[name].upstream;
    if (recorded.open === "error") {
      test(`${name} is refused as upstream refuses it`, () => {
        assert.equal(outcome(opened(fixture(name))), recordedOutcome(recorded));
      });
    } else {
      test(`${name} answers as upstream answers`, () => {
        const store = opened(fixture(name));
        assert.equal(outcome(store), recordedOutcome(recorded));
        assert.deepEqual(allPartings(store, recorded.queries), []);
      });

      test(`${name}, exported, holds what upstream found in it`, () => {
        assert.deepEqual(disagreements(exported(opened(fixture(name))), recorded), []);
      });
    }
  }

  for (const { name, rule, upstream, ours } of DIFFERENCES) {
    test(`${name} differs: ${rule}`, () => {
      assert.equal(recordedOutcome(EXPECTED.files[name].upstream), upstream);
      assert.equal(outcome(opened(fixture(name))), ours);
    });
  }

  for (const name of NAMES) {
    test(`${name} is listed segment by segment`, () => {
      const want = EXPECTED.files[name].forward_scan.segments.map((recorded) => ({
        id: BigInt(recorded.id),
        type: recorded.type,
        payloadLength: recorded.payload_length,
        offset: recorded.offset,
      }));
      assert.deepEqual(new Control().segments(fixture(name)), want);
    });
  }

  const warningsOfFixture = (name) => {
    const { control, handle } = opened(fixture(name));
    return handle > 0 ? control.warnings(handle) : 0;
  };

  for (const [name, warnings] of Object.entries(WARNINGS)) {
    test(`${name} opens with warnings ${warnings}`, () => {
      assert.equal(warningsOfFixture(name), warnings);
    });
  }

  test("all others open without warnings", () => {
    const others = NAMES.filter((name) => !(name in WARNINGS));
    assert.deepEqual(others.filter(warningsOfFixture), []);
  });
});

describe("where the table of differences needs more than a count", () => {
  for (const { name } of DIFFERENCES.filter(({ rule }) => rule === RULE.hash)) {
    test(`${name} opens as the commit before the damaged one`, () => {
      const before = exported(opened(fixture("damaged_trunc_before_last_manifest.rvf")));
      const { rows, metric, fileId } = exported(opened(fixture(name)));
      assert.deepEqual(
        { rows, metric, fileId },
        {
          rows: before.rows,
          metric: before.metric,
          fileId: before.fileId,
        },
      );
    });
  }

  test("crafted_fake_manifest_in_payload.rvf holds the rows that the reference finds", () => {
    const bytes = fixture("crafted_fake_manifest_in_payload.rvf");
    assert.deepEqual(exported(opened(bytes)).rows, readRvf(bytes).rows);
  });

  test("crafted_deleted_ids.rvf answers as upstream but for the count", () => {
    const recorded = EXPECTED.files["crafted_deleted_ids.rvf"].upstream;
    const store = opened(fixture("crafted_deleted_ids.rvf"));
    assert.deepEqual(allPartings(store, recorded.queries), []);
  });

  test("made_odd_values.rvf answers as upstream without the NaN ones", () => {
    const queries = EXPECTED.files["made_odd_values.rvf"].upstream.queries.map((query) => ({
      ...query,
      results: query.results.filter(({ distance }) => distance !== "NaN"),
    }));
    assert.deepEqual(allPartings(opened(fixture("made_odd_values.rvf")), queries), []);
  });

  for (const name of NAMES.filter((other) => EXPECTED.files[other].upstream_wasm)) {
    const { count, dimension, queries_l2: queries } = EXPECTED.files[name].upstream_wasm;

    test(`${name} answers as the upstream wasm module answers`, () => {
      const store = opened(fixture(name));
      const { live, dimension: ours, metric } = store.control.status(store.handle);
      assert.deepEqual([live, ours, metric], [count, dimension, METRIC.L2]);
      assert.deepEqual(allPartings(store, queries), []);
    });

    test(`${name}, opened with its real metric, answers by that`, () => {
      const bytes = fixture(name);
      for (const metric of [METRIC.L2, METRIC.COSINE]) {
        const store = opened(bytes, metric);
        const { control, handle } = store;
        assert.equal(control.status(handle).metric, metric);
        assert.deepEqual(allPartings(store, queries, METRIC.L2), []);
        if (metric !== METRIC.COSINE) continue;
        const query = queryVector(1001, dimension);
        const exact = bruteForce(readRvf(bytes).rows, query, 10, cosine);
        control.query(handle, query, 10).hits.forEach(({ id, distance }, rank) => {
          assert.equal(id, exact[rank].id);
          assert.ok(Math.abs(distance - exact[rank].distance) < 1e-6);
        });
      }
    });
  }
});

/** Segments that an export carries on, by the bytes of each: witnesses of the runtime come last. */
function keptSegments(bytes) {
  const dropped = [TYPE.VEC, TYPE.MANIFEST, 0x02, 0x04];
  const isWitness = ({ type, offset }) => type === 0x0a && bytes[offset + 64] <= 1;
  const kept = scanSegments(bytes).filter(({ type }) => !dropped.includes(type));
  return [...kept.filter((one) => !isWitness(one)), ...kept.filter(isWitness)].map(
    ({ offset, end }) => Buffer.from(bytes.subarray(offset, end)).toString("hex"),
  );
}

describe("an export of an opened file", () => {
  const sound = NAMES.filter((name) => {
    const { open } = EXPECTED.files[name].upstream;
    const torn = (WARNINGS[name] & WARNING.TORN_TAIL) !== 0;
    return (
      open === "ok" && !name.startsWith("damaged_") && !torn && opened(fixture(name)).handle > 0
    );
  });

  test("carries every segment but vectors, manifests, journals and indexes, byte for byte", () => {
    const total = sound.reduce((sum, name) => {
      const bytes = fixture(name);
      const { control, handle } = opened(bytes);
      const kept = keptSegments(bytes);
      assert.deepEqual(keptSegments(control.export(handle).bytes), kept, name);
      const size = kept.reduce((all, text) => all + text.length / 2, 0);
      assert.ok(control.memoryUsage(handle).kept >= size, name);
      return sum + kept.length;
    }, 0);
    assert.ok(total > 50, `only ${total} segments in all fixtures`);
  });

  test("opens again with the same content and without warnings, and is stable from then on", () => {
    for (const name of NAMES) {
      const store = opened(fixture(name));
      if (store.handle < 0) continue;
      const once = store.control.export(store.handle).bytes;
      const again = opened(once);
      const odd = WARNINGS[name] & WARNING.NOT_FINITE_ROWS;
      assert.equal(again.control.warnings(again.handle), odd, name);
      const kept = name.match(/witness|kernel_payload/) ? 1 : 0; // a damaged segment is carried on
      assert.equal(readRvf(once).damage.length, kept, name);
      assert.deepEqual(again.control.export(again.handle).bytes, once, name);
    }
  });

  test("carries no branch segments that the live commit does not list", () => {
    const file = writeRvf({ dimension: 1, rows: [[1, [1]]] });
    for (const type of [TYPE.COW_MAP, TYPE.MEMBERSHIP]) {
      const store = opened(concat(file, segment(type, 3, new Uint8Array(200))));
      const { bytes } = store.control.export(store.handle);
      assert.ok(opened(bytes).handle > 0, "the export is a branch, which the file was not");
    }
  });

  test("carries nothing behind the last commit but the witness of a compaction", () => {
    const file = writeRvf({ dimension: 1, rows: [[1, [1]]] });
    const witness = segment(0x0a, 3, new Uint8Array(67));
    const other = segment(0x77, 4, new Uint8Array(20));
    for (const [tail, kept, warnings] of [
      [witness, 1, 0],
      [other, 0, WARNING.TORN_TAIL],
      [concat(witness, other), 1, WARNING.TORN_TAIL],
    ]) {
      const { control, handle } = opened(concat(file, tail));
      assert.equal(control.warnings(handle), warnings);
      assert.equal(keptSegments(control.export(handle).bytes).length, kept);
    }
  });

  test("keeps epoch, profile, lineage and metric", () => {
    for (const name of ["made_derive_grandchild.rvdna", "made_metric_cosine.rvf"]) {
      const { epoch, profile, fileId, parentId, lineageDepth, metric } = readRvf(fixture(name));
      const copy = exported(opened(fixture(name)));
      assert.deepEqual(
        [copy.epoch, copy.profile, copy.fileId, copy.parentId, copy.lineageDepth, copy.metric],
        [epoch, profile, fileId, parentId, lineageDepth, metric],
      );
    }
  });
});
