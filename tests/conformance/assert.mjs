// Assertions that need no runtime: each throws an Error that shows what was found.

const show = (value) =>
  JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v)) ?? String(value);

export function ok(value, what) {
  if (!value) throw new Error(what);
}

/** Compares by content: numbers, bigints, strings, typed arrays, and arrays and objects of them. */
export function equal(found, expected, what = "value") {
  if (ArrayBuffer.isView(found) && ArrayBuffer.isView(expected)) {
    const at = found.findIndex((x, i) => !Object.is(x, expected[i]));
    const same = at < 0 && found.length === expected.length;
    ok(
      same,
      `${what}: ${found.length} elements, expected ${expected.length}; they differ at ${at}`,
    );
  } else {
    const same = Object.is(found, expected) || show(found) === show(expected);
    ok(same, `${what}: found ${show(found)}, expected ${show(expected)}`);
  }
}

/** |found - expected| <= relative * max(1, |expected|) */
export function near(found, expected, relative, what = "value") {
  const bound = relative * Math.max(1, Math.abs(expected));
  ok(Math.abs(found - expected) <= bound, `${what}: found ${found}, expected ${expected}`);
}

/** `body` (which may be asynchronous) throws an RvfError of this name, whose text matches. */
export async function throws(api, codeName, body, text = /./) {
  let error;
  try {
    await body();
  } catch (caught) {
    error = caught;
  }
  ok(error instanceof api.RvfError, `expected an RvfError ${codeName}, got ${error ?? "no error"}`);
  equal(error.codeName, codeName, `code of "${error.message}"`);
  equal(error.code, api.RvfErrorCode[codeName], "code");
  ok(text.test(error.message), `"${error.message}" does not match ${text}`);
}
