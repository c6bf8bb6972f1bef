// A file in memory, written as the package says that a commit is to be written.

import { equal, ok } from "./assert.mjs";

export class File {
  bytes = new Uint8Array(0);

  /** Applies a commit; answers how many bytes it wrote. */
  write({ offset, bytes, manifestOffset, replaces }) {
    ok(manifestOffset < bytes.length, "a manifest is behind the data");
    ok(offset <= this.bytes.length, `the file has ${this.bytes.length} bytes, not ${offset}`);
    if (replaces) equal(offset, 0, "offset of a whole file");
    const file = new Uint8Array(offset + bytes.length);
    file.set(this.bytes.subarray(0, offset));
    file.set(bytes, offset);
    this.bytes = file;
    return bytes.length;
  }

  /** Commits what has changed in the store; answers the bytes written, 0 when nothing has. */
  save(store, options) {
    const changes = store.changes(options);
    if (changes === undefined) return 0;
    const written = this.write(changes);
    store.acknowledge();
    equal(store.state().fileSize, this.bytes.length, "the size that the store knows");
    return written;
  }
}

/** Everything that a store shows, to compare with. */
export function contents(store) {
  const ids = [...store.ids()].sort((a, b) => (String(a) < String(b) ? -1 : 1));
  return ids.map((id) => [id, [...store.get(id)], store.metadata(id)]);
}
