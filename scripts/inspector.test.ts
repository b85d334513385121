import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildInspector } from "./inspector.ts";

/** What the first load may cost, bytes as they travel. */
const BUDGET = 150_000;

const folder = mkdtempSync(join(tmpdir(), "ias-inspector-"));
let html = "";
before(async () => {
  await buildInspector(folder);
  html = readFileSync(join(folder, "index.html"), "utf8");
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the first load stays within its budget", (t) => {
  const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  assert.ok(paths.length >= 2, html);
  const sizes = paths.map((path) => gzipSync(readFileSync(join(folder, path)), { level: 9 }).length);
  const total = sizes.reduce((sum, size) => sum + size, gzipSync(html).length);
  t.diagnostic(`${total} bytes gzipped in ${paths.length} files, of ${BUDGET}`);
  assert.ok(total < BUDGET, `${total} bytes`);
});

test("the page holds no script or style of its own, so that the policy needs no exception", () => {
  assert.deepEqual([...html.matchAll(/<script(?![^>]*src=)[^>]*>/g)], []);
  assert.ok(!/<style|\sstyle=|\son\w+=|javascript:/.test(html));
});

test("names of assets hold their contents' hash, so that they may be kept for ever", () => {
  for (const name of readdirSync(join(folder, "assets"))) assert.match(name, /-[\w-]{8}\.\w+$/);
});
