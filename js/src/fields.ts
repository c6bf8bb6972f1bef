// The names of metadata fields. The module knows fields by number; the store's own record lists the
// name of each as text under its number. Fields without a name are listed with their digits. Names get
// free numbers from the top downwards, so that they stay out of the way of those that callers choose.

import { encodeText, invalid, shown } from "./bytes.js";
import { readEntries, writeEntries } from "./entries.js";
import type { StoreRef } from "./session.js";
import { decodeEntries, type Entry, encodeEntries, toMetadataValue } from "./values.js";

/** The largest number that a field can have; what is above it is the row's id, as number and text. */
export const lastField = 0xfffd;

const textType = 3;

/** The number that a name of digits only is; undefined for other names. Throws InvalidArgument. */
function numberOf(name: string): number | undefined {
  if (!/^\d+$/.test(name)) return undefined;
  const number = Number(name);
  if (number <= lastField && String(number) === name) return number;
  throw invalid(
    `The field ${shown(name)} is no number of a field, from 0 to ${lastField}; give it another name.`,
  );
}

/** Names and numbers of the fields of one store. */
export class Fields {
  readonly #store: StoreRef;
  #table:
    | { entries: Entry[]; numbers: Map<string, number>; names: Map<number, string> }
    | undefined;

  constructor(store: StoreRef) {
    this.#store = store;
  }

  #load() {
    if (this.#table) return this.#table;
    const entries = decodeEntries(readEntries(this.#store));
    const table = {
      entries,
      numbers: new Map<string, number>(),
      names: new Map<number, string>(),
    };
    for (const entry of entries) {
      const name = entry.type === textType ? String(toMetadataValue(entry)) : "";
      if (name === "" || /^\d+$/.test(name) || table.numbers.has(name)) continue;
      table.numbers.set(name, entry.field);
      table.names.set(entry.field, name);
    }
    this.#table = table;
    return table;
  }

  /** The number of a field, or undefined when no vector can have it. */
  numberOf(name: string): number | undefined {
    return numberOf(name) ?? this.#load().numbers.get(name);
  }

  /** The name of a field; its number in digits when it has none. */
  nameOf(field: number): string {
    return this.#load().names.get(field) ?? String(field);
  }

  /** Takes new names back. Where memory is short they stay, and belong to no vector. */
  #restore(entries: readonly Entry[]): void {
    this.#table = undefined;
    try {
      writeEntries(this.#store, undefined, encodeEntries(entries));
    } catch {
      // what failed before is what the caller must know
    }
  }

  /** Numbers for names, new ones included, which are not in the store before {@link FieldDraft.apply}. */
  draft(): FieldDraft {
    const { entries, numbers, names } = this.#load();
    const added = new Map<string, number>();
    const named = new Map(names);
    const taken = new Set(entries.map(({ field }) => field));
    let next = lastField;
    const add = (name: string, field: number): number => {
      added.set(name, field);
      taken.add(field);
      return field;
    };
    const numberFor = (name: string): number => {
      const own = numberOf(name);
      if (own !== undefined) {
        if (!named.has(own)) return taken.has(own) ? own : add(name, own);
        throw invalid(`The field ${own} is named ${shown(named.get(own))}; use that name.`);
      }
      const known = numbers.get(name) ?? added.get(name);
      if (known !== undefined) return known;
      if (name === "" || !encodeText(name)) {
        throw invalid(`${shown(name)} is no name for a field; give a text that is valid Unicode.`);
      }
      while (taken.has(next)) next--;
      if (next < 0) throw invalid("There are no more than 65,534 fields in a store.");
      named.set(next, name);
      return add(name, next);
    };
    const apply = <T>(change: () => T): T => {
      if (added.size === 0) return change();
      const more = Array.from(added, ([name, field]) => ({
        field,
        type: textType,
        bytes: encodeText(name) as Uint8Array,
      }));
      writeEntries(this.#store, undefined, encodeEntries([...entries, ...more]));
      this.#table = undefined;
      try {
        return change();
      } catch (error) {
        this.#restore(entries);
        throw error;
      }
    };
    return { numberFor, hasNew: () => added.size > 0, apply };
  }
}

/** Fields that are about to be used. */
export interface FieldDraft {
  /** The number of a name; a new one when it is new. Throws InvalidArgument. */
  numberFor(name: string): number;
  hasNew(): boolean;
  /** Stores the new names and runs `change`; when that throws, they are forgotten again. */
  apply<T>(change: () => T): T;
}
