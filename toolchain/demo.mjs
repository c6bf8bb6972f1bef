// Opens a real .rvf file, written by upstream's tools, and searches it twice: with the control store
// (exact, f32) and with the tile kernel (f16 blocks, as a hub would send them). Upstream's own answer
// to the same query was recorded when the file was made.
import { readFileSync } from "node:fs";
import { init, loadKernel, RvfStore, TileMemory } from "rvf-wasm";
import { floatToHalf } from "../tests/reference/half.mjs";
import { queryVector } from "../tests/reference/random.mjs";

const FOLDER = new URL("../tests/fixtures/upstream/", import.meta.url);
const NAME = "postgres_bridge.rvf";
const K = 10;

function timed(run) {
  const start = performance.now();
  const answer = run();
  return { answer, ms: performance.now() - start };
}

const halves = (vector) => Uint16Array.from(vector, floatToHalf);

/** Plays the hub for one tile: sends f16 rows block by block and reads the nearest. */
function searchWithTile(tile, rows, query) {
  const { exports, check } = tile;
  const { message, block, routing } = TileMemory;
  const config = new Uint8Array(64);
  config.set([2, 0, K]); // Hot profile, L2, top K
  check(exports.rvf_init(tile.write(message, config)));
  check(exports.rvf_load_query(tile.write(message, halves(query)), query.length));
  const perBlock = Math.min(64, Math.floor((TileMemory.query - block) / (2 * query.length)));
  for (let first = 0; first < rows.length; first += perBlock) {
    const part = rows.slice(first, first + perBlock);
    part.forEach(({ vector }, i) => {
      tile.write(block + i * 2 * query.length, vector);
    });
    check(exports.rvf_load_block(block, part.length, 0));
    check(exports.rvf_distances(0, routing));
    const ids = tile.write(
      message,
      BigUint64Array.from(part, ({ id }) => BigInt(id)),
    );
    check(exports.rvf_topk_merge(routing, ids, part.length, K));
  }
  const count = check(exports.rvf_topk_read(message));
  const view = new DataView(tile.read(message, 12 * count).buffer);
  return Array.from({ length: count }, (_, i) => ({
    id: Number(view.getBigUint64(12 * i, true)),
    distance: view.getFloat32(12 * i + 8, true),
  }));
}

const loading = performance.now();
await init();
const tile = await loadKernel();
const loaded = performance.now() - loading;

const bytes = readFileSync(new URL(NAME, FOLDER));
const { answer: store, ms: opened } = timed(() => RvfStore.open(bytes));
const expected = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));
const recorded = expected.files[NAME].upstream.queries[0];
const query = queryVector(recorded.seed, store.dimension);
const rows = store
  .query(query, store.count)
  .map(({ id }) => ({ id, vector: halves(store.get(id)) }));

const exact = timed(() => store.query(query, K));
const tiled = timed(() => searchWithTile(tile, rows, query));

const ms = (value) => `${value.toFixed(2)} ms`;
console.log(`${NAME}: ${store.count} vectors of ${store.dimension} dimensions, ${store.metric}`);
console.log(`both modules loaded in ${ms(loaded)}, file opened in ${ms(opened)}`);
console.log(`searched by the store in ${ms(exact.ms)}, by the tile in ${ms(tiled.ms)}\n`);
console.log("      store (f32)           tile (f16)            recorded from upstream");
const cell = (hit) => `${String(hit.id).padStart(5)}  ${hit.distance.toFixed(6).padEnd(15)}`;
for (let i = 0; i < K; i++) {
  const hits = [exact.answer[i], tiled.answer[i], recorded.results[i]];
  console.log(`${String(i + 1).padStart(4)}${hits.map(cell).join("")}`);
}
store.close();
