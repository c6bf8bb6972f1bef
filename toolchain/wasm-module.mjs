// Reads what the build has to know of a .wasm file: sections, types, imports, exports, functions.

const TYPE_NAMES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);
const SECTION_NAMES = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
];
const KINDS = ["function", "table", "memory", "global"];

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  byte() {
    return this.bytes[this.at++];
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  part(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return new TextDecoder().decode(this.part(this.number()));
  }
  list(read) {
    return Array.from({ length: this.number() }, read);
  }
  limits() {
    const flags = this.byte();
    const min = this.number();
    return flags & 1 ? [min, this.number()] : [min];
  }
}

/**
 * @param {Uint8Array} bytes of a module
 * @returns {{
 *   sections: {name: string, size: number}[],
 *   imports: string[],
 *   exports: Map<string, string>,
 *   functions: {name: string, size: number}[],
 * }} exports: name to "(params) -> results", or limits of a memory; functions: defined ones, named
 *   by the name section where there is one
 */
export function readModule(bytes) {
  const file = new Reader(bytes);
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== 0x6d736100) {
    throw new Error("not a wasm module: it does not begin with 00 61 73 6d");
  }
  file.at = 8;
  const sections = [];
  const bodies = new Map();
  let names = new Map();
  while (file.at < bytes.length) {
    const start = file.at;
    const id = file.byte();
    const body = new Reader(file.part(file.number()));
    const custom = id === 0 ? ` ${body.text()}` : "";
    sections.push({ name: SECTION_NAMES[id] + custom, size: file.at - start });
    if (custom === " name") names = functionNames(body);
    bodies.set(id, body);
  }
  const section = (id, read) => bodies.get(id)?.list(() => read(bodies.get(id))) ?? [];

  const types = section(1, (r) => {
    r.byte();
    const params = r.list(() => TYPE_NAMES.get(r.byte()));
    const results = r.list(() => TYPE_NAMES.get(r.byte()));
    return `(${params.join(" ")}) -> ${results.join(" ") || "none"}`;
  });
  const imports = section(2, (r) => `${r.text()}.${r.text()} ${KINDS[r.byte()]}`);
  const functionTypes = imports.length ? [] : section(3, (r) => types[r.number()]);
  const memories = section(5, (r) => r.limits().join(" "));
  const exports = new Map(
    section(7, (r) => {
      const name = r.text();
      const kind = KINDS[r.byte()];
      const index = r.number();
      const detail = { function: functionTypes[index], memory: memories[index] }[kind];
      return [name, detail ?? kind];
    }),
  );
  const functions = section(10, (r) => {
    const before = r.at;
    r.part(r.number());
    return r.at - before;
  }).map((size, index) => ({ name: names.get(index) ?? `function ${index}`, size }));
  return { sections, imports, exports, functions };
}

function functionNames(reader) {
  while (reader.at < reader.bytes.length) {
    const kind = reader.byte();
    const part = new Reader(reader.part(reader.number()));
    if (kind === 1) return new Map(part.list(() => [part.number(), part.text()]));
  }
  return new Map();
}
