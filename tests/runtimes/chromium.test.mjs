// Chromium: the conformance suite in a page, and the web demo driven as a user does.
// The browser is $CHROMIUM or /usr/bin/chromium.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { modes } from "../conformance/suite.mjs";
import { report } from "./report.mjs";
import { serve } from "./server.mjs";

const fixture = (name) => fileURLToPath(new URL(`../fixtures/upstream/${name}`, import.meta.url));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

let server;
let browser;

before(async () => {
  assert.ok(
    existsSync(executablePath),
    `There is no browser at ${executablePath}. Install one (Debian: apt-get install chromium) or set ` +
      "the environment variable CHROMIUM to its path.",
  );
  server = await serve();
  browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-domain-reliability",
      "--disable-sync",
      "--no-first-run",
    ],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** A new page whose errors fail the test. */
async function open(path, options) {
  const page = await browser.newPage(options);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(server.url + path);
  return { page, errors };
}

for (const [mode, what] of Object.entries(modes)) {
  test(`chromium${what}`, async (t) => {
    const { page } = await open(`/tests/runtimes/page.html#${mode}`);
    await page.waitForFunction(() => globalThis.results, undefined, { timeout: 120_000 });
    await report(t, mode, await page.evaluate(() => globalThis.results));
    await page.close();
  });
}

test("web demo", async (t) => {
  const { page, errors } = await open("/web-demo/");
  const text = (selector) => page.locator(selector).innerText();
  const ids = () => page.locator("#hits tbody button:visible").allInnerTexts();

  await t.test("opens a chosen file and shows what it is", async () => {
    await page.locator("#file").setInputFiles(fixture("made_metric_cosine.rvf"));
    await page.locator("#store").waitFor();
    assert.equal(await text("#name"), "made_metric_cosine.rvf");
    assert.equal(await text("#count"), "200");
    assert.equal(await text("#dimension"), "16");
    assert.equal(await text("#metric"), "cosine");
    assert.match(await text("#time"), /^(less than )?[\d.]+ ms$/);
    assert.equal(await page.locator("#warnings").isVisible(), false);
  });

  await t.test("finds the neighbours of a row", async () => {
    await page.locator("#query").fill("7");
    await page.locator("#query").press("Enter");
    await page.locator("#hits").waitFor();
    const found = await ids();
    assert.equal(found.length, 10);
    assert.equal(found[0], "7");
    assert.match(await text("#summary"), /^10 hits in (less than )?[\d.]+ ms/);
  });

  await t.test("goes on from a hit", async () => {
    const second = (await ids())[1];
    await page.locator("#hits tbody button").nth(1).click();
    await page.waitForFunction(
      (id) => document.querySelector("#hits tbody button").textContent === id,
      second,
    );
  });

  await t.test("finds the neighbours of a pasted and of a random vector", async () => {
    await page.locator("#k").fill("3");
    await page.locator("#query").fill(JSON.stringify(Array(16).fill(0.25)));
    await page.locator("#search button[type=submit]").click();
    await page.waitForFunction(() => document.querySelectorAll("#hits tbody tr").length === 3);
    await page.locator("#random").click();
    assert.match(await page.locator("#query").inputValue(), /^\[/);
    assert.equal((await ids()).length, 3);
  });

  await t.test("says what is wrong with a query", async () => {
    await page.locator("#query").fill("[1, 2]");
    await page.locator("#query").press("Enter");
    assert.match(await text("#error"), /0x0200.*DimensionMismatch.*dimension is 16/s);
    await page.locator("#query").fill("123456");
    await page.locator("#query").press("Enter");
    assert.match(await text("#error"), /no row 123456/);
    await page.locator("#query").fill("[1, 2");
    await page.locator("#query").press("Enter");
    assert.match(await text("#error"), /neither/);
  });

  await t.test("opens a dropped file and shows its warnings", async () => {
    const bytes = [...(await readFile(fixture("damaged_trunc_minus_1_byte.rvf")))];
    const transfer = await page.evaluateHandle((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "torn.rvf"));
      return transfer;
    }, bytes);
    await page.locator("h1").dispatchEvent("drop", { dataTransfer: transfer });
    await page.waitForFunction(() => document.querySelector("#name").textContent === "torn.rvf");
    assert.equal(await text("#count"), "80");
    assert.match(await text("#warnings"), /TornTail/);
    assert.equal(await page.locator("#error").isVisible(), false);
    assert.equal(await page.locator("#hits").isVisible(), false);
  });

  await t.test("says what is wrong with a file and keeps the last one", async () => {
    await page.locator("#file").setInputFiles(fixture("damaged_flip_first_vec_payload.rvf"));
    await page.locator("#error").waitFor();
    assert.match(await text("#error"), /0x0102.*InvalidChecksum/s);
    assert.equal(await text("#name"), "torn.rvf");
  });

  await t.test("makes a sample", async () => {
    await page.locator("#sample").click();
    await page.waitForFunction(() => document.querySelector("#count").textContent === "1,000");
    await page.locator("#query").fill("999");
    await page.locator("#query").press("Enter");
    assert.equal((await ids())[0], "999");
  });

  await t.test("is a link to any state", async () => {
    const { page: linked } = await open(
      "/web-demo/?file=../tests/fixtures/upstream/made_metric_l2.rvf&query=42&k=4",
    );
    await linked.locator("#hits").waitFor();
    const found = await linked.locator("#hits tbody button:visible").allInnerTexts();
    assert.deepEqual([found.length, found[0]], [4, "42"]);
    await linked.close();
  });

  await t.test("had no other errors", () => assert.deepEqual(errors, []));
  await page.close();
});
