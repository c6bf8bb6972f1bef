// @ruvector/rvf-node, native. It builds its graph in the first query and writes it when it is closed.
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { packageFile, versionOf } from "./packages.mjs";
import { EF_CONSTRUCTION, K, M } from "./settings.mjs";

const RANK = { fieldId: 0, valueType: "u64" };

export async function make(set) {
  const require = createRequire(import.meta.url);
  const { RvfDatabase } = require(packageFile("@ruvector/rvf-node", "index.js"));
  const file = join(set.folder, "rvf-node.rvf");
  for (const path of [file, `${file}.lock`]) rmSync(path, { force: true });
  let database;
  const ids = (hits) => hits.map(({ id }) => id);

  return {
    name: `@ruvector/rvf-node ${versionOf("@ruvector/rvf-node")}`,
    kind: "native",

    build() {
      const options = { metric: "l2", m: M, efConstruction: EF_CONSTRUCTION };
      database = RvfDatabase.create(file, { dimension: set.dimension, ...options });
      const numbers = Array.from({ length: set.rows }, (_, i) => i);
      const ranks = Array.from(set.ranks, (rank) => ({ ...RANK, value: String(rank) }));
      const { accepted } = database.ingestBatch(set.vectors, numbers, ranks);
      if (accepted !== set.rows) throw new Error("rows are refused");
      database.query(set.query(0), K);
    },

    search: (query, ef) => ids(database.query(query, K, { efSearch: ef })),

    filtered(query, ef, limit) {
      const filter = JSON.stringify({ op: "lt", ...RANK, value: String(limit) });
      return ids(database.query(query, K, { efSearch: ef, filter }));
    },

    save() {
      database.close();
    },

    open(query) {
      const opened = RvfDatabase.openReadonly(file);
      const answer = ids(opened.query(query, K));
      opened.close();
      return answer;
    },
  };
}
