// What every function about a store is given: the module, the handle, and what this package remembers.

import type { ControlExports } from "./abi.js";
import type { Fields } from "./fields.js";
import type { Names } from "./names.js";

/** A store of the module. */
export interface StoreRef {
  readonly wasm: ControlExports;
  readonly handle: number;
}

/** A commit that was made, and where the module keeps its bytes. */
export interface Pending {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
  readonly manifestOffset: number;
  readonly replaces: boolean;
}

/** A store, the names in it, and its commit that is neither acknowledged nor discarded. */
export interface Session extends StoreRef {
  readonly fields: Fields;
  readonly names: Names;
  pending: Pending | undefined;
}
