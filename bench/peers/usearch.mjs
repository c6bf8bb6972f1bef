// usearch, native. An index takes its ef when it is made, so that another ef is the same index
// loaded again.
import { createRequire } from "node:module";
import { join } from "node:path";

import { packageFile, versionOf } from "./packages.mjs";
import { EF_CONSTRUCTION, K, M } from "./settings.mjs";

const THREADS = 1;

export async function make(set) {
  const require = createRequire(import.meta.url);
  const { Index, exactSearch } = require(packageFile("usearch", "javascript/dist/cjs/usearch.js"));
  const file = join(set.folder, "usearch.index");
  const { dimension } = set;
  const empty = (ef) => new Index(dimension, "l2sq", "f32", M, EF_CONSTRUCTION, ef);
  let index;
  let indexEf;
  let saved = false;

  function save() {
    if (!saved) index.save(file);
    saved = true;
  }

  return {
    name: `usearch ${versionOf("usearch")}`,
    kind: "native",

    build() {
      index = empty(K);
      const keys = BigUint64Array.from({ length: set.rows }, (_, i) => BigInt(i));
      index.add(keys, set.vectors, THREADS);
    },

    /** Not timed: before searches with another ef. */
    prepare(ef) {
      if (ef === indexEf) return;
      save();
      index = empty(ef);
      index.load(file);
      indexEf = ef;
    },

    search: (query) => index.search(query, K, THREADS).keys,

    /** The query is copied: exactSearch reads from the beginning of a view's buffer. */
    exact: (query) => exactSearch(set.vectors, query.slice(), dimension, K, "l2sq", THREADS).keys,

    save,

    open(query) {
      const opened = empty(64);
      opened.load(file);
      return opened.search(query, K, THREADS).keys;
    },
  };
}
