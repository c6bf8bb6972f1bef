// Ids that are text. The row of such an id has a number of its own, its label, and its text as
// metadata field 0xFFFF, in the same file. A row has one id: its text when it has one, else its number.

import { decodeText, encodeText, invalid, isList, shown } from "./bytes.js";
import { stateOf } from "./commit.js";
import { readEntries, rowNumbers, visitRows, writeEntries } from "./entries.js";
import { check } from "./errors.js";
import { checkIds, encodeIds } from "./ids.js";
import { withCopies } from "./memory.js";
import type { StoreRef } from "./session.js";
import type { Id, IdMap, NumericId } from "./types.js";
import { decodeEntries, type Entry, encodeEntries, lastEntry } from "./values.js";

/** The metadata field that holds the text. */
export const nameField = 0xffff;

const textType = 3;

/** The entry of a text, which must have UTF-8. */
export function nameEntry(name: string): Entry {
  return { field: nameField, type: textType, bytes: encodeText(name) ?? new Uint8Array(0) };
}

/** The text among the entries of a row; it is the last of them. */
export function nameIn(entries: Uint8Array): string | undefined {
  const last = lastEntry(entries);
  return last?.field === nameField && last.type === textType ? decodeText(last.bytes) : undefined;
}

/** One id or many, checked: numbers are u64, texts have UTF-8. */
export function toIds(ids: Id | ArrayLike<Id>): ArrayLike<Id> {
  const list: ArrayLike<unknown> = isList(ids) ? ids : [ids];
  checkIds(list);
  return list;
}

/** Ids that are about to be ingested. */
export interface NameDraft {
  /** The number of each row, as the module takes it. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** The text of each row that has one; undefined when none has. */
  readonly names: readonly (string | undefined)[] | undefined;
  /** Remembers them, after the rows have been stored. */
  apply(): void;
}

interface Table {
  readonly labels: Map<string, NumericId>;
  readonly names: Map<NumericId, string>;
}

/** A filter that admits rows with a text: at least "" in that field. */
const isNamed = new Uint8Array([5, 0xff, 0xff, textType, 0, 0, 0, 0]);
const notFiniteRows = 32;
const innerProduct = 1;

/** Whether some row has a text; also true when that would cost as much as reading all of them. */
function hasNames(store: StoreRef): boolean {
  const { wasm, handle } = store;
  if (stateOf(store).metadataBytes === 0) return false;
  if (check(wasm.rvf_store_warnings(handle)) & notFiniteRows) return true; // they are never found
  const zeros = new Uint8Array(4 * check(wasm.rvf_store_dimension(handle)));
  return withCopies(wasm, [zeros, isNamed], [12], (query, filter, out) => {
    const source = [query, 1, innerProduct, filter, isNamed.length, out] as const;
    return check(wasm.rvf_store_search(handle, ...source)) > 0;
  });
}

const noTexts = (): Table => ({ labels: new Map(), names: new Map() });

/** The texts of one store. Read from it when they are first needed, and kept in step with it. */
export class Names {
  readonly #store: StoreRef;
  #table: Table | undefined;
  /** What was found out while there is no table. */
  #hasNames = false;
  /** No row has this number or a larger safe one; undefined until it is needed. */
  #next: number | undefined;
  /** New labels are not below it. */
  #least = 1;

  /** `empty`: the store has no rows yet. */
  constructor(store: StoreRef, empty: boolean) {
    this.#store = store;
    if (empty) this.#table = noTexts();
  }

  #load(): Table {
    if (this.#table) return this.#table;
    const table = noTexts();
    if (hasNames(this.#store)) {
      visitRows(this.#store, rowNumbers(this.#store), (label, entries) => {
        const name = nameIn(entries);
        if (name === undefined || table.labels.has(name)) return;
        table.labels.set(name, label);
        table.names.set(label, name);
      });
    }
    this.#table = table;
    return table;
  }

  #nextLabel(): number {
    this.#next ??= rowNumbers(this.#store).reduce<number>(
      (next, label) => (typeof label === "number" ? Math.max(next, label + 1) : next),
      this.#least,
    );
    return this.#next;
  }

  /** Reads the texts anew when they are needed, after a change that did not say which rows it took. */
  reload(): void {
    if (this.#table?.labels.size !== 0) this.#table = undefined;
    this.#hasNames = false;
  }

  /** The number of an id's row; undefined when no row can have the id. */
  labelOf(id: Id): NumericId | undefined {
    const { labels, names } = this.#load();
    if (typeof id === "string") return labels.get(id);
    const label = typeof id === "bigint" && id <= Number.MAX_SAFE_INTEGER ? Number(id) : id;
    return names.has(label) ? undefined : label;
  }

  /** The numbers of those ids that a row can have. */
  labelsOf(ids: ArrayLike<Id>): NumericId[] {
    const found: NumericId[] = [];
    for (let i = 0; i < ids.length; i++) {
      const label = this.labelOf(ids[i] as Id);
      if (label !== undefined) found.push(label);
    }
    return found;
  }

  /** The id of the row with that number. Without its `entries` all texts are read. */
  idOf(label: NumericId, entries?: Uint8Array): Id {
    const known = this.#table || !entries ? this.#load().names.get(label) : nameIn(entries);
    return known ?? label;
  }

  /** Whether texts have not been read yet, so that the entries of a few rows are quicker to read. */
  get unread(): boolean {
    if (!this.#table && !this.#hasNames) {
      this.#hasNames = hasNames(this.#store);
      if (!this.#hasNames) this.#table = noTexts();
    }
    return this.#table === undefined;
  }

  /**
   * Numbers for the ids of rows to ingest: those that they have, or for new texts the next free ones.
   * Throws InvalidArgument for a number that is the label of a text.
   */
  draft(ids: ArrayLike<Id>): NameDraft {
    const table = this.#load();
    let hasTexts = false;
    let largest = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as Id;
      if (typeof id === "string") hasTexts = true;
      else if (id <= Number.MAX_SAFE_INTEGER) largest = Math.max(largest, Number(id));
    }
    let next =
      hasTexts || this.#next !== undefined ? Math.max(this.#nextLabel(), largest + 1) : undefined;
    const added = new Map<string, NumericId>();
    const labelFor = (id: Id): NumericId => {
      const known = this.labelOf(id) ?? added.get(id as string);
      if (known !== undefined) return known;
      if (typeof id !== "string") {
        const name = shown(table.names.get(Number(id)));
        throw invalid(`The id ${id} is the label of ${name}; use that text, or another number.`);
      }
      if (next === undefined || !Number.isSafeInteger(next)) {
        throw invalid(
          `No number is left for the id ${shown(id)}, because 2^53 - 1 is in use; use smaller numbers ` +
            "beside texts.",
        );
      }
      added.set(id, next);
      return next++;
    };
    return {
      labels: encodeIds(Array.from(ids, labelFor)),
      names: hasTexts
        ? Array.from(ids, (id) => (typeof id === "string" ? id : undefined))
        : undefined,
      apply: () => {
        for (const [name, label] of added) {
          table.labels.set(name, label);
          table.names.set(label, name);
        }
        this.#next = next;
      },
    };
  }

  /** Forgets ids whose rows have been deleted. */
  remove(ids: ArrayLike<Id>): void {
    const { labels, names } = this.#load();
    for (let i = 0; i < ids.length && labels.size > 0; i++) {
      const id = ids[i] as Id;
      const label = typeof id === "string" ? labels.get(id) : undefined;
      if (typeof id !== "string" || label === undefined) continue;
      labels.delete(id);
      names.delete(label);
    }
  }

  /**
   * Gives texts to live rows that have none, by their numbers. New labels will not be below `next`.
   */
  adopt(labels: ReadonlyMap<string, NumericId>, next: number): void {
    const table = this.#load();
    const live = new Set(rowNumbers(this.#store));
    for (const [name, label] of labels) {
      if (!live.has(label) || table.names.has(label) || table.labels.has(name)) continue;
      const entries = decodeEntries(readEntries(this.#store, label));
      writeEntries(this.#store, label, encodeEntries([...entries, nameEntry(name)]));
      table.labels.set(name, label);
      table.names.set(label, name);
    }
    this.#least = next;
    this.#next = undefined;
  }

  /** The texts as upstream's SDK lists them. Labels that are no safe numbers it cannot have. */
  toIdMap(): IdMap {
    const pairs = [...this.#load().labels].flatMap(([name, label]): [string, number][] =>
      typeof label === "number" ? [[name, label]] : [],
    );
    return {
      idToLabel: Object.fromEntries(pairs),
      labelToId: Object.fromEntries(pairs.map(([name, label]) => [String(label), name])),
      nextLabel: this.#nextLabel(),
    };
  }
}
