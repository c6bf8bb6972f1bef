// The page: opens an .rvf file, shows what it is, searches it. All it knows is the rvf-wasm package.
//
// Any state is a link: ?file=<url>&query=<row id or vector>&k=<hits>.

import init, { RvfError, RvfStore } from "rvf-wasm";

const $ = (id) => document.getElementById(id);
// Browsers round clocks to a tenth of a millisecond or worse.
const milliseconds = (value) =>
  value < 0.1 ? "less than 0.1 ms" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const thousands = (value) => value.toLocaleString("en");

const warningTexts = {
  TornTail: "Bytes after the last commit were ignored: a write was interrupted.",
  DamagedManifest: "No manifest is sound; the last readable one was taken.",
  ForeignDimension: "Vectors of another dimension were left out.",
  MetricAssumed: "The stored metric is unknown; it was read as l2.",
  WasmLayout: "Written by the upstream wasm module, which stores no metric.",
  NotFiniteRows: "Some vectors hold NaN or infinities.",
  SkippedManifest: "A later manifest is damaged; this is the state before it.",
};

/** What the user can mend, and what is said about it. */
class UserError extends Error {}

/** The open store. */
let store;

/** Does what a user asked for, and shows why when that fails. */
async function attempt(action) {
  $("error").hidden = true;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof RvfError || error instanceof UserError)) console.error(error);
    $("error").textContent = error.message;
    $("error").hidden = false;
  }
}

/** Opens a file in place of the one that is open; when it cannot be opened, that one stays. */
function show(name, bytes) {
  const start = performance.now();
  const opened = RvfStore.open(bytes);
  const time = performance.now() - start;
  store?.close();
  store = opened;

  const { count, dimension, metric } = store.status();
  $("name").textContent = name;
  $("count").textContent = thousands(count);
  $("dimension").textContent = thousands(dimension);
  $("metric").textContent = metric;
  $("size").textContent = `${thousands(Math.ceil(bytes.length / 1024))} KB`;
  $("time").textContent = milliseconds(time);
  const some = count ? store.query(new Float32Array(dimension), 5).map(({ id }) => id) : [];
  const ids = some.sort((a, b) => (a < b ? -1 : 1)).join(", ");
  $("examples").textContent = ids ? `Row ids: ${ids}${count > 5 ? ", …" : ""}` : "No rows.";

  const { warnings } = store;
  $("warnings").hidden = warnings.length === 0;
  $("warnings").replaceChildren(
    ...warnings.map((warning) => {
      const item = document.createElement("li");
      item.textContent = `${warning}: ${warningTexts[warning]}`;
      return item;
    }),
  );
  $("hits").hidden = true;
  $("summary").textContent = "";
  $("query").value = "";
  $("store").hidden = false;
  $("query").focus();
}

/** The vector that the text of the query field means. */
function parseQuery(text) {
  if (/^\d+$/.test(text)) {
    const vector = store.get(BigInt(text));
    if (vector) return vector;
    throw new UserError(`There is no row ${text} in this file.`);
  }
  try {
    const vector = JSON.parse(text);
    if (Array.isArray(vector)) return vector;
  } catch {
    // said below
  }
  throw new UserError("This is neither a row id nor a JSON array of numbers.");
}

function search() {
  const vector = parseQuery($("query").value.trim());
  const start = performance.now();
  const hits = store.query(vector, $("k").valueAsNumber);
  const time = performance.now() - start;

  $("summary").textContent =
    `${hits.length} hit${hits.length === 1 ? "" : "s"} in ${milliseconds(time)}, ` +
    `${thousands(store.count)} vectors compared`;
  const farthest = Math.max(...hits.map(({ distance }) => distance));
  const nearest = Math.min(0, ...hits.map(({ distance }) => distance));
  const lines = hits.map(({ id, distance, similarity }) => {
    const line = document.createElement("tr");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.title = "Search for what is near this row";
    button.textContent = String(id);
    line.insertCell().append(button);
    for (const value of [distance, similarity]) {
      const cell = line.insertCell();
      cell.className = "number";
      cell.textContent = value?.toFixed(6) ?? "";
    }
    const share = farthest > nearest ? (distance - nearest) / (farthest - nearest) : 0;
    line.style.setProperty("--share", `${100 * share}%`);
    return line;
  });
  $("hits").tBodies[0].replaceChildren(...lines);
  $("hits").classList.toggle("only-distances", hits[0]?.similarity === undefined);
  $("hits").hidden = hits.length === 0;
}

/** An .rvf file of random vectors, made as any program would make one. */
function sampleBytes() {
  const [count, dimension] = [1000, 64];
  const sample = RvfStore.create(dimension, "cosine");
  const vectors = Float32Array.from({ length: count * dimension }, () => Math.random() * 2 - 1);
  sample.ingest(
    vectors,
    Array.from({ length: count }, (_, id) => id),
  );
  const bytes = sample.toBytes();
  sample.close();
  return bytes;
}

const openFile = (file) =>
  attempt(async () => show(file.name, new Uint8Array(await file.arrayBuffer())));

$("file").addEventListener("change", ({ target }) => {
  if (target.files.length > 0) openFile(target.files[0]);
  target.value = ""; // so that the same file may be chosen again
});
// A file may be dropped anywhere on the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
});
for (const type of ["dragleave", "drop"]) {
  document.addEventListener(type, () => $("drop").classList.remove("over"));
}
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) openFile(file);
});
$("sample").addEventListener("click", () => attempt(() => show("sample.rvf", sampleBytes())));
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(search);
});
$("random").addEventListener("click", () => {
  const vector = Array.from({ length: store.dimension }, () => Math.random() * 2 - 1);
  $("query").value = JSON.stringify(vector.map((x) => Number(x.toFixed(4))));
  attempt(search);
});
$("hits").addEventListener("click", ({ target }) => {
  if (target.tagName !== "BUTTON") return;
  $("query").value = target.textContent;
  attempt(search);
});

await attempt(async () => {
  await init();
  const link = new URLSearchParams(location.search);
  if (link.has("k")) $("k").value = link.get("k");
  if (!link.has("file")) return;
  const response = await fetch(link.get("file"));
  if (!response.ok) throw new UserError(`The server has no ${link.get("file")}.`);
  show(link.get("file").split("/").pop(), new Uint8Array(await response.arrayBuffer()));
  if (!link.has("query")) return;
  $("query").value = link.get("query");
  search();
});
